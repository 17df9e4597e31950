"""Does a child made at a random moment of a parent that loads ever hang?

    python -m tests.benchmarks.forks --forks 1000

Each parent is a fresh process that has imported the library and loaded nothing. Four threads load a model and judge,
for the first time and again, while it forks ten times at random moments; every child loads and judges too, and must
come to the same result. A child that has not ended after a minute hangs.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Callable

from facelive import LivenessDetector

PORTRAIT = (Path(__file__).parents[2] / "examples" / "portrait.jpg").read_bytes()
HANGS_S = 60.0
FORKS_A_PARENT = 10
RIGHT, DIFFERS, FAILED, HUNG = "right", "another result", "an exception", "hung"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forks", type=int, default=1_000)
    parser.add_argument("--model", default="custom")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    ends, start, moments = Counter[str](), time.monotonic(), random.Random(options.seed)
    expected = float(_answer(lambda: str(LivenessDetector(options.model).predict(PORTRAIT).score)))
    while sum(ends.values()) < options.forks:
        seed = moments.random()
        said = _answer(lambda seed=seed: _parent(options.model, expected, seed))  # type: ignore[misc]
        ends.update(said.split(",") if said else [f"a parent {FAILED}"])
        if sys.stderr.isatty():
            print(f"\r{dict(ends)} ", end="", file=sys.stderr, flush=True)
    took, version = time.monotonic() - start, sys.version.split()[0]
    print(f"CPython {version}: {sum(ends.values()):,} forks in {took:.0f} s: {dict(ends)}")
    return int(set(ends) != {RIGHT})


def _parent(model: str, expected: float, seed: float) -> str:
    """Load in threads and fork meanwhile; how the children ended, with commas between."""
    moments, stop, failed = random.Random(seed), threading.Event(), list[BaseException]()
    ends: list[str] = []

    def work() -> None:
        try:
            while not stop.is_set():
                with LivenessDetector(model) as own:
                    own.predict(PORTRAIT)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(FORKS_A_PARENT):
        time.sleep(moments.random() ** 2 * 0.1)
        child = os.fork()
        if child == 0:
            end = 1
            try:
                end = 0 if LivenessDetector(model).predict(PORTRAIT).score == expected else 3
            finally:
                os._exit(end)
        ends.append(_end_of(child))
    stop.set()
    for thread in threads:
        thread.join(HANGS_S)
    ends += [f"a thread {FAILED}: {error}" for error in failed]
    ends += [f"a thread {HUNG}" for thread in threads if thread.is_alive()]
    return ",".join(ends)


def _end_of(child: int) -> str:
    start = time.monotonic()
    while time.monotonic() - start < HANGS_S:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return {0: RIGHT, 1: FAILED, 3: DIFFERS}.get(os.waitstatus_to_exitcode(status), f"status {status}")
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HUNG


def _answer(work: Callable[[], str]) -> str:
    """What a fork of this process says."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, work().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


if __name__ == "__main__":
    sys.exit(main())
