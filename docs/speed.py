"""Plots of the performance page, one question each, from what ``python -m tests.benchmarks.performance`` measured."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Optional

from docs.bars import Row, bars
from docs.tables import MEASURED

STEPS = {
    "find the face in 640x480": "find the face",
    "check the face": "check it",
    "crop": "cut both views",
    "score 1 crop, a crop": "score them",
    "predict 640x480": "the whole call",
}


def measured() -> Dict[str, Any]:
    """What was measured; empty where nothing was."""
    path = MEASURED / "performance.json"
    found: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def call_plot() -> str:
    """What a call costs and where, beside the bare networks."""
    steps = {step["step"]: step for step in measured().get("steps", [])}
    rows: List[Row] = [(said, _both(steps.get(name, {}))) for name, said in STEPS.items()]
    where = f"<p>Measured on {measured()['machine']}.</p>\n" if steps else ""
    return where + bars(
        "Milliseconds of a call on 640×480", ["facelive", "the bare network"], rows, percent=False, places=2
    )


def size_plot() -> str:
    """How it grows with the picture's size."""
    rows: List[Row] = [(f"array {size}", [ms]) for size, ms in measured().get("frames", {}).items()]
    return bars("Milliseconds of a call by the frame's size", ["facelive"], rows, percent=False, places=1)


def photo_plot() -> str:
    """A phone's photo beside Pillow's decoding of it."""
    found = measured().get("photos", {})
    rows: List[Row] = [(f"JPEG {size}", [one["ms"], one["decode_ms"]]) for size, one in found.items()]
    return bars(
        "Milliseconds of a phone's photo", ["JPEG to verdict", "Pillow decodes it whole"], rows, percent=False, places=0
    )


def workers_plot() -> str:
    """How many times the frames of one worker two and four get through."""
    found = measured().get("workers", {})
    counts = list(found.get("threads", {}))
    rows: List[Row] = [
        (f"{count} worker{'s' * (count != '1')}", [rate[count] / rate["1"] for rate in found.values()])
        for count in counts
    ]
    return bars("Frames a second, in times of one worker", list(found), rows, percent=False, places=2)


def stream_plot() -> str:
    """Milliseconds of a frame as a stream grows."""
    found = measured().get("stream", {})
    rows: List[Row] = [(f"{int(mark):,} frames", [ms]) for mark, (ms, _) in found.items() if int(mark) > 1]
    return bars("Processor milliseconds of a frame as a stream grows", ["facelive"], rows, percent=False, places=2)


def _both(step: Dict[str, Any]) -> List[Optional[float]]:
    return [step.get("ms"), step.get("floor_ms")]


def write(put: Callable[[str, str], None]) -> None:
    """Hand each plot to ``put`` with its file name."""
    put("speed-call.svg", call_plot())
    put("speed-sizes.svg", size_plot())
    put("speed-photos.svg", photo_plot())
    put("speed-workers.svg", workers_plot())
    put("speed-stream.svg", stream_plot())
