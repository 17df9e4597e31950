"""Wall time and peak memory of an evaluation beside its floor, and the memory of a large made-up set.

Run from the repository root: ``python -m tests.benchmarks.evaluation_at_scale [--data ../shared/data/liveness.jsonl]
[--workers 2] [--pictures 1000] [--made-up 600000] [--boxes]``. The floor is pictures x one ``predict`` / workers.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import List

from facelive import LivenessDetector
from facelive.evaluation import Outcome, Sample, Samples, evaluate
from facelive.evaluation.measures import build_report

TIMED = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/liveness.jsonl"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--model", default="default")
    parser.add_argument("--made-up", type=int, default=600_000)
    parser.add_argument("--boxes", action="store_true", help="the made-up rows have boxes")
    options = parser.parse_args()
    if options.pictures:
        evaluate_pictures(options.data, options.pictures, options.workers, options.model)
    if options.made_up:
        hold(options.made_up, boxes=options.boxes)


def evaluate_pictures(data: Path, count: int, workers: int, model: str) -> None:
    """Evaluate rows spread evenly over a set."""
    lines = [line for line in data.read_text(encoding="utf-8").splitlines() if line]
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        rows.write_text("\n".join(lines[number * len(lines) // count] for number in range(count)), encoding="utf-8")
        samples = Samples(rows, images=Samples(data).images)
        detector = LivenessDetector(model)
        floor_s = predict_seconds(list(samples)[:TIMED], samples.images, detector) * count / workers
        start = time.perf_counter()
        report = evaluate(samples, detector, workers=workers, results=Path(folder) / "results.jsonl")
        seconds = time.perf_counter() - start
    own, worker = (
        resource.getrusage(whose).ru_maxrss / 1024 for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        f"{report.pictures:,} pictures, {workers} workers: {seconds:.1f} s, floor {floor_s:.1f} s; "
        f"peak {own:.0f} MiB, largest worker {worker:.0f} MiB"
    )


def predict_seconds(samples: List[Sample], images: Path, detector: LivenessDetector) -> float:
    """The mean time of one ``predict`` with its picture read from disk."""
    detector.predict(images / samples[0].path, face=samples[0].box)
    start = time.perf_counter()
    for sample in samples:
        detector.predict(images / sample.path, face=sample.box)
    return (time.perf_counter() - start) / len(samples)


def hold(count: int, *, boxes: bool) -> None:
    """Read a made-up set of this size, invent its outcomes and report on them."""
    before = now_mib()
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "set.csv"
        with data.open("w", encoding="utf-8") as file:
            file.write("path,label,species,subject,source,sequence,box\n")
            for row in range(count):
                kind = "spoof,mask" if row % 3 else "live,"
                box = f'"{row % 100 + 0.5}, 20, {row % 100 + 200}, 240"' if boxes else ""
                path = f"{row % 97:02}/{rng.getrandbits(48):012x}.jpg"
                file.write(f"{path},{kind}{row % 7 if row % 3 else ''},p{row // 50},s{row % 40},r{row // 8},{box}\n")
        samples = Samples(data)
    units = samples.units(vote=False)
    scores = (rng.betavariate(5, 2) if unit[0].label == "live" else rng.betavariate(2, 5) for unit in units)
    outcomes = [Outcome(number, units[number][0], "judged", score=score) for number, score in enumerate(scores)]
    print(f"{len(outcomes):,} made-up pictures{' with boxes' if boxes else ''}: {now_mib() - before:.0f} MiB", end=", ")
    start = time.perf_counter()
    build_report(outcomes, {}, threshold=0.5)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    print(f"with their report {peak:.0f} MiB, {time.perf_counter() - start:.1f} s")


def now_mib() -> float:
    """The memory of this process; Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
