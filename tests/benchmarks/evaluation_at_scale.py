"""Wall time of an evaluation beside its floor (pictures x one ``predict`` / workers), and its peak memory.

Run from the repository root: ``python -m tests.benchmarks.evaluation_at_scale [--data ../shared/data/liveness.jsonl]
[--workers 2] [--pictures 1000]``. Evaluates some rows, spread evenly over the set, and then all; the results files
go to a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import List

from facelive import LivenessDetector
from facelive.evaluation import Sample, Samples
from facelive.results import FaceBox

TIMED = 400
CHILD = """
import resource, sys
from facelive import LivenessDetector
from facelive.evaluation import Samples, evaluate

if __name__ == "__main__":
    data, images, results, workers, model = sys.argv[1:]
    evaluate(Samples(data, images=images), LivenessDetector(model), workers=int(workers), results=results)
    for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        print(resource.getrusage(whose).ru_maxrss / 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/liveness.jsonl"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    samples = Samples(options.data)
    images = samples.images.resolve()
    lines = [line for line in options.data.read_text(encoding="utf-8").splitlines() if line]
    floor_ms = 1000 * predict_seconds(list(samples), images, options.model)
    print(f"one predict, its picture read from disk: {floor_ms:.2f} ms (mean of {TIMED})")
    for count in (options.pictures, len(lines)):
        chosen = [lines[number * len(lines) // count] for number in range(count)]
        evaluate_rows(chosen, images, options.workers, floor_ms, options.model)


def predict_seconds(samples: List[Sample], images: Path, model: str) -> float:
    """The mean time of one ``predict`` on pictures drawn at random, alone on this machine."""
    detector = LivenessDetector(model)
    chosen = random.Random(0).sample(samples, TIMED + 20)
    start = 0.0
    for number, sample in enumerate(chosen):
        if number == 20:
            start = time.perf_counter()
        detector.predict(images / sample.path, face=None if sample.box is None else FaceBox(*sample.box))
    return (time.perf_counter() - start) / TIMED


def evaluate_rows(rows: List[str], images: Path, workers: int, floor_ms: float, model: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.jsonl"
        data.write_text("\n".join(rows) + "\n", encoding="utf-8")
        script = Path(folder) / "child.py"
        script.write_text(CHILD, encoding="utf-8")
        results = str(Path(folder) / "results.jsonl")
        start = time.perf_counter()
        run = subprocess.run(
            [sys.executable, str(script), str(data), str(images), results, str(workers), model],
            capture_output=True,
            text=True,
            check=True,
        )
        seconds = time.perf_counter() - start
        outcomes = Path(results).read_text(encoding="utf-8").splitlines()
    judged = sum(json.loads(line).get("status") == "judged" for line in outcomes)
    own, child = map(float, run.stdout.split()[-2:])
    floor = len(rows) * floor_ms / 1000 / workers
    print(
        f"{len(rows):>7,} pictures, {workers} workers: {seconds:7.1f} s, floor {floor:7.1f} s, "
        f"{len(rows) / seconds:6.1f} a second, {judged:,} judged; peak {own:.0f} MiB, largest worker {child:.0f} MiB"
    )


if __name__ == "__main__":
    main()
