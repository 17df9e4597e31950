"""Measure the bundled face detector on pictures it never saw, beside YuNet and OpenCV's Haar cascade.

    python -m examples.training.face_detector.compare --out ../runs/face/figures.json

Prints one Markdown line per figure, with the goal it is held against. YuNet made the labels, so its own recall and
landmarks say nothing; its stability, its false boxes and its time do.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from examples.training.face_detector import measures, searches
from examples.training.face_detector.data import Sample, load

from facelive.face_network import BundledFaceDetector

GOALS = {
    "recall, single-face pictures": "≥ 0.98",
    "recall, liveness val": "≥ 0.99",
    "false boxes": "≤ 0.01",
    "mean landmark error": "≤ 0.06",
    "box moves, median": "≤ 0.04",
    "ms per 640×480 frame": "≤ 2",
}


def figures(samples: Sequence[Sample], teachers: Path, every: int) -> dict[str, Any]:
    """All figures of the bundled detector and of its rivals.

    Args:
        samples: Held-out pictures.
        teachers: The folder with ``yunet.onnx``.
        every: Use one picture in so many, for a quick look; 1 for the figures.
    """
    ours = BundledFaceDetector()
    yunet, haar = measures.YuNetDetector(teachers / "yunet.onnx"), measures.HaarDetector()
    single = [sample for sample in samples if sample.group == "faces" and len(sample.boxes) == 1][::every]
    val = [s for s in samples if s.group == "liveness" and s.box_from in ("detector", "detector_padded")][::every]
    scenes = [sample for sample in samples if sample.group == "backgrounds"][::every]
    loose = [sample for sample in val if sample.box_from == "detector"]
    out: dict[str, Any] = {"pictures": {"single": len(single), "val": len(val), "backgrounds": len(scenes)}}

    for name, group in (("recall, single-face pictures", single), ("recall, liveness val", val)):
        found = measures.hits(ours, group)
        per: dict[str, list[bool]] = defaultdict(list)
        for sample, hit in zip(group, found):
            per[sample.source].append(hit)
        out[name] = {"ours": _mean(found), "haar": _mean(measures.hits(haar, group[::30]))}
        out[f"{name}, by source"] = {source: [_mean(hit), len(hit)] for source, hit in sorted(per.items())}
    false = {name: measures.false_boxes(net, scenes) for name, net in (("ours", ours), ("yunet", yunet))}
    out["false boxes"] = {name: _mean(np.array(score) > 0) for name, score in false.items()}
    out["landmark error"] = {"mean": _mean(errors := measures.landmark_errors(ours, single)), **_spread(errors)}
    whole = [s for s in samples if s.group == "liveness" and s.box_from == "whole_picture"][::every]
    out["a face found where YuNet saw none"] = _mean([bool(ours.detect(sample.read())) for sample in whole])

    steady = single[::4] + loose[::16]
    for name, net in (("ours", ours), ("yunet", yunet)):
        out[f"box moves, {name}"] = {change: _spread(m) for change, m in measures.stability(net, steady).items()}

    lit = single + val
    order = np.argsort([measures.luminance(sample) for sample in lit])
    tenths = [[lit[i] for i in tenth] for tenth in np.array_split(order, 10)]
    out["recall by luminance decile, dark to bright"] = [_mean(measures.hits(ours, tenth)) for tenth in tenths]
    out["recall by rotation"] = {
        f"{angle:+d}°": _mean(measures.turned(ours, single[::3] + val[::16], angle)) for angle in (-30, -15, 15, 30)
    }
    sized = loose[::32] + [s for s in single if s.source.startswith("udacity")][::4]
    out["recall by face side over frame height"] = measures.by_size(ours, sized, scenes)
    out["second look"] = searches.second_look(ours, single[::2] + val[::8])
    out["previous box first, by face side"] = searches.previous_first(ours, sized, scenes)
    out["ms per 640×480 frame"] = _times(sized[0], scenes[0], ours, teachers, haar)
    return out


def _times(
    sample: Sample, scene: Sample, ours: BundledFaceDetector, teachers: Path, haar: measures.HaarDetector
) -> dict[str, float]:
    frame, _ = measures.framed(sample, scene.read(), 0.4, np.random.default_rng(0))
    small = measures.YuNetDetector(teachers / "yunet.onnx", width=320)
    work = {
        "ours": lambda: ours.detect(frame),
        "yunet 320×240": lambda: small.detect(frame),
        "haar": lambda: haar.detect(frame),
    }
    times = measures.milliseconds(work)
    return {**{name: round(value, 2) for name, value in times.items()},
            "yunet / ours": round(times["yunet 320×240"] / times["ours"], 1),
            "haar / ours": round(times["haar"] / times["ours"], 1)}  # fmt: skip


def _mean(values: Any) -> float:
    return round(float(np.mean(values)), 4) if len(values) else float("nan")


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": round(float(np.median(values)), 4), "p95": round(float(np.percentile(values, 95)), 4)}


def main() -> None:
    """Print the figures and keep them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--teachers", type=Path, default=Path("../shared/teachers"))
    parser.add_argument("--cache", type=Path, default=Path("../runs/face/yunet.jsonl"))
    parser.add_argument("--out", type=Path, default=Path("../runs/face/figures.json"))
    parser.add_argument("--every", type=int, default=1, help="use one picture in so many")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    held_out = [sample for sample in load(options.data, options.cache) if sample.held_out]
    found = figures(held_out, options.teachers, options.every)
    found["machine"] = f"{platform.machine()}, CPython {platform.python_version()}, one thread"
    options.out.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
    for name, value in found.items():
        print(f"| {name} | {GOALS.get(name, '')} | {json.dumps(value, ensure_ascii=False)} |")


if __name__ == "__main__":
    main()
