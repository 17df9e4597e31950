"""Does a stream get slower or larger as it runs, or as more of them run? It must not.

    python -m tests.benchmarks.growth [--frames 100000] [--streams 1000] [--plot growth.svg]

Scores a small face crop again and again: first on one stream, then round robin on more and more streams, and prints the
median CPU time per frame and the resident memory at every power of ten. Linux only; a plot needs matplotlib (the extra
`train`). With the defaults it takes a quarter of an hour.
"""

from __future__ import annotations

import argparse
import statistics
import time
from array import array
from pathlib import Path
from typing import Iterator

import numpy as np

from facelive import FaceBox, LivenessDetector


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--model", default="default")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    detector = LivenessDetector(options.model)
    list(_along(detector, 1, [20]))  # warm up
    print(f"{'frames on one stream':>22}{'ms a frame':>12}{'memory MB':>12}")
    frames = [_show(mark, *point) for mark, point in _along(detector, 1, _powers(options.frames))]
    print(f"{'streams':>22}{'ms a frame':>12}{'memory MB':>12}")
    streams = [
        _show(count, *point)
        for count in _powers(options.streams)
        for _, point in _along(detector, count, [min(options.frames, max(2_000, 3 * count))])
    ]
    if options.plot:
        _draw(frames, streams, options.plot)


def _powers(last: int) -> list[int]:
    """1, 10, 100, and so on below the last, and the last."""
    return [10**power for power in range(len(str(last))) if 10**power < last] + [last]


def _along(detector: LivenessDetector, streams: int, marks: list[int]) -> Iterator[tuple[int, tuple[float, float]]]:
    """At each mark of frames: it, the median CPU milliseconds of a frame since the last one, resident megabytes."""
    grain = np.random.default_rng(0).integers(80, 180, (160, 160, 3), dtype=np.uint8)
    face = FaceBox(30, 30, 130, 130)
    opened = [detector.stream() for _ in range(streams)]
    done = 0
    for mark in marks:
        times = array("f")
        for number in range(done, mark):
            start = time.thread_time()
            result = opened[number % streams].update(grain, face=face)
            times.append((time.thread_time() - start) * 1000)
            assert result.score is not None, result
        done = mark
        yield mark, (statistics.median(times), _resident_mb())


def _show(count: int, ms: float, memory_mb: float) -> tuple[int, float, float]:
    print(f"{count:>22,}{ms:>12.3f}{memory_mb:>12.1f}", flush=True)
    return count, ms, memory_mb


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
