"""Does a stream get slower or larger as it runs, or as more of them run? It must not.

    python -m tests.benchmarks.growth [--frames 100000] [--plot growth.svg]

Scores a small face crop again and again: first on one stream, then round robin on up to 1,000 streams, and prints the
time per frame and the resident memory along the way. A plot needs matplotlib (the extra `train`).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from facelive import FaceBox, LivenessDetector


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--model", default="default")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    detector = LivenessDetector(options.model)
    marks = [int(options.frames * share) for share in (0.01, 0.03, 0.1, 0.3, 1.0)]
    print(f"{'frames on one stream':>22}{'ms a frame':>12}{'memory MB':>12}")
    frames = _along(detector, 1, marks)
    print(f"{'streams':>22}{'ms a frame':>12}{'memory MB':>12}")
    streams = [_along(detector, count, [5_000])[0] for count in (1, 10, 100, 1_000)]
    if options.plot:
        _draw(frames, streams, options.plot)


def _along(detector: LivenessDetector, streams: int, marks: list[int]) -> list[tuple[int, float, float]]:
    """Count, milliseconds per frame since the mark before, and resident megabytes, at each mark."""
    grain = np.random.default_rng(0).integers(80, 180, (160, 160, 3), dtype=np.uint8)
    face = FaceBox(30, 30, 130, 130)
    opened = [detector.stream() for _ in range(streams)]
    points, done = [], 0
    for mark in marks:
        start = time.perf_counter()
        for number in range(done, mark):
            opened[number % streams].update(grain, face=face)
        ms = (time.perf_counter() - start) * 1000 / (mark - done)
        done = mark
        points.append((mark if streams == 1 and len(marks) > 1 else streams, ms, _resident_mb()))
        print("{:>22,}{:>12.3f}{:>12.1f}".format(*points[-1]), flush=True)
    return points


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def _draw(frames: list[tuple[int, float, float]], streams: list[tuple[int, float, float]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for axis, points, what in zip(axes, (frames, streams), ("frames on one stream", "streams")):
        counts, ms, memory = zip(*points)
        axis.plot(counts, ms, "o-", label="ms a frame")
        axis.set(xscale="log", xlabel=what, ylim=(0, max(ms) * 1.6))
        right = axis.twinx()
        right.plot(counts, memory, "s--", color="tab:orange", label="resident MB")
        right.set(ylim=(0, max(memory) * 1.6))
        axis.legend(loc="lower left")
        right.legend(loc="lower right")
    figure.savefig(path)


if __name__ == "__main__":
    main()
