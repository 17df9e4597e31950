"""Hands every nasty file to the library, under limits, and says what came out: ``python -m tests.hostile.feed``.

The limits are set for this process: 2 GiB of memory, and 60 seconds of processor time for each file, after which the
system ends it. Prints a line of JSON per file that broke a rule, then one with the counts. The rules:

- only ``FaceliveError`` comes out;
- no bomb and no card of the corpus is accepted;
- nothing is live but the portrait itself, whole, in unusual dress. A JPEG that lacks its very end decodes no more.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Callable, Iterator

from tests.hostile import models, pictures

from facelive import FaceliveError, LivenessDetector, LivenessModel, ModelCard

__all__ = ["main"]

MEMORY_BYTES = 2 << 30
SECONDS_A_FILE = 60


def main() -> int:
    """Feed the corpus; return how many files broke a rule."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    detector, counts, broken, slowest = LivenessDetector(), Counter[str](), 0, (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        for kind, name, may, work in _tasks(detector, Path(folder)):
            used = int(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (used + SECONDS_A_FILE, resource.RLIM_INFINITY))
            start = time.process_time()
            try:
                answer = work()
            except FaceliveError as error:
                answer = type(error).__name__
            except Exception as error:
                answer = f"{type(error).__module__}.{type(error).__name__}: {error}"[:300]
            slowest = max(slowest, (time.process_time() - start, name))
            counts[f"{kind}: {answer}"] += 1
            if answer not in may:
                broken += 1
                print(json.dumps({"kind": kind, "file": name, "answer": answer}), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"counts": counts, "slowest": slowest, "peak_mb": peak, "broken": broken}))
    return broken


_Task = tuple[str, str, set[str], Callable[[], str]]


def _tasks(detector: LivenessDetector, folder: Path) -> Iterator[_Task]:
    """Kind, name, allowed answers and the call for each file of the corpus."""
    refused = {"ImageError", "ImageTooLargeError"}
    judged = {*refused, "spoof", "rejected"}
    for kind, files, may in (
        ("bomb", pictures.bombs(), judged),
        ("cut short", pictures.truncated(), refused),
        ("small", pictures.small_pictures(), judged),
        ("portrait", pictures.portraits(), judged | {"live"}),
    ):
        for name, content in files:
            yield kind, name, may - {"live"} if name.endswith("second") else may, _judge(detector, content)
    for name, content in models.cards():
        path = folder / "card.json"
        path.write_bytes(content)
        yield "card", name, {"ModelError"} if name != "another-sha256" else {"read"}, _read_card(path)
    for name, content in models.networks():
        path = folder / "model.tflite"
        path.write_bytes(content)
        yield "network", name, {"scored"} if name == "whole" else {"ModelError", "scored"}, _load(path)


def _judge(detector: LivenessDetector, content: bytes) -> Callable[[], str]:
    return lambda: detector.predict(content).verdict.value


def _read_card(path: Path) -> Callable[[], str]:
    def work() -> str:
        card = ModelCard.from_json(path)
        json.dumps(card.to_dict())
        return "read"

    return work


def _load(path: Path) -> Callable[[], str]:
    def work() -> str:
        model = LivenessModel.load(path, live_class=1, value_range=(0, 1))
        result = LivenessDetector(model, faces=None).predict(pictures.PORTRAIT)
        assert result.score is None or 0 <= result.score <= 1, result
        return "scored"

    return work


if __name__ == "__main__":
    sys.exit(min(main(), 1))
