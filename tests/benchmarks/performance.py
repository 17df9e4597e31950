"""Measures what docs/performance.md shows, into docs/measured/performance.json, in about two minutes.

    python -m tests.benchmarks.performance && python -m docs.figures

Every figure is a median, or the throughput beside that of one worker in the same run; nothing is asserted.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import platform
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable

import numpy as np
import numpy.typing as npt
from PIL import Image
from tests.benchmarks import growth

from facelive import LivenessDetector, LivenessModel
from facelive.bench import Case, measure, time_case
from facelive.tflite import runtime_name

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "measured" / "performance.json"
FRAMES = [(320, 240), (640, 480), (1280, 720), (1920, 1080), (4000, 3000)]
PHOTOS = [(3264, 2448), (4032, 3024), (4624, 3472)]
WORKERS = (1, 2, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--frames", type=int, default=10_000, help="length of the longest stream")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each number of threads and processes")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    found: dict[str, Any] = {"machine": _machine()}
    found["steps"] = [_rounded(cost.to_dict()) for cost in measure(LivenessModel.load(), repeats=options.repeats)]
    detector = LivenessDetector()
    found["frames"] = {_named(size): _ms(detector.predict, _frame(*size), options.repeats) for size in FRAMES}
    found["photos"] = {_named(size): _photo(detector, _jpeg(_frame(*size)), options.repeats) for size in PHOTOS}
    found["workers"] = {
        kind: {str(count): round(run(count, options.seconds), 1) for count in WORKERS}
        for kind, run in (("threads", _threads), ("processes", _processes))
    }
    along = growth._along(detector, 1, growth._powers(options.frames))
    found["stream"] = {str(mark): [round(float(number), 3) for number in point] for mark, point in along}
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def _machine() -> str:
    """What it was measured on: cores, Python and runtime."""
    return f"{os.cpu_count()} cores, CPython {platform.python_version()}, {runtime_name()}"


def _frame(width: int, height: int) -> npt.NDArray[np.uint8]:
    """The public-domain portrait, as high as the frame, with the noise of a camera."""
    frame = np.full((height, width, 3), 120, np.int16)
    portrait = Image.open(ROOT / "examples" / "portrait.jpg").convert("RGB").resize((height, height))
    left = (width - height) // 2
    frame[:, left : left + height] = np.asarray(portrait)
    frame += np.random.default_rng(0).normal(0, 3, (height, width, 1)).astype(np.int16)
    return frame.clip(0, 255).astype(np.uint8)


def _jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _ms(judge: Callable[[Any], object], picture: Any, repeats: int) -> float:
    return round(time_case(Case("", partial(judge, picture)), repeats, seconds=20).amount, 3)


def _photo(detector: LivenessDetector, data: bytes, repeats: int) -> dict[str, float]:
    """Milliseconds of a verdict and of Pillow's whole decode, in turn, and their ratio."""
    whole = partial(_decode, data)
    cost = time_case(Case("", partial(detector.predict, data), "Pillow", whole), repeats, seconds=12)
    return _rounded({"bytes": len(data), "ms": cost.amount, "decode_ms": cost.floor_amount, "ratio": cost.ratio})


def _decode(data: bytes) -> None:
    Image.open(io.BytesIO(data)).convert("RGB").load()


def _count(detector: LivenessDetector, ready: Any, seconds: float, counted: Any) -> None:
    """Judge one frame again and again for so long; the count of it goes into a queue or a list."""
    frame = _frame(640, 480)
    for _ in range(5):
        detector.predict(frame)
    ready.wait()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        detector.predict(frame)
        done += 1
    counted.put(done / (time.perf_counter() - start))


def _threads(count: int, seconds: float) -> float:
    """Frames a second of threads that share a detector."""
    import queue

    return _together(threading.Thread, threading.Barrier(count), queue.Queue(), count, seconds)


def _processes(count: int, seconds: float) -> float:
    """Frames a second of processes."""
    spawn = multiprocessing.get_context("spawn")
    return _together(spawn.Process, spawn.Barrier(count), spawn.Queue(), count, seconds)


def _together(worker: Any, ready: Any, counted: Any, count: int, seconds: float) -> float:
    detector = LivenessDetector()
    workers = [worker(target=_count, args=(detector, ready, seconds, counted)) for _ in range(count)]
    for one in workers:
        one.start()
    total = sum(counted.get(timeout=120 + seconds) for _ in workers)
    for one in workers:
        one.join()
    return float(total)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


def _named(size: tuple[int, int]) -> str:
    return "{}×{}".format(*size)


if __name__ == "__main__":
    main()
