"""One detector, many hands: threads, processes, event loops, and an interpreter that goes away meanwhile."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from facelive import LivenessDetector, LivenessResult

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    """The bundled networks, faces found anew in each picture."""
    return LivenessDetector()


@pytest.fixture(scope="module")
def pictures(portrait: Pixels) -> list[Pixels]:
    """The portrait in several lights, and a picture without a face."""
    lit = [(portrait * share).astype(np.uint8) for share in (0.5, 0.7, 0.85, 1.0)]
    return [*lit, np.full((240, 320, 3), 90, np.uint8)]


@pytest.fixture(scope="module")
def alone(detector: LivenessDetector, pictures: list[Pixels]) -> list[LivenessResult]:
    """What one thread says."""
    return [detector.predict(picture) for picture in pictures]


def test_sixteen_threads_say_what_one_says(
    detector: LivenessDetector, pictures: list[Pixels], alone: list[LivenessResult]
) -> None:
    tasks = [number % len(pictures) for number in range(16 * 12)]
    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(lambda number: detector.predict(pictures[number]), tasks))
    assert results == [alone[number] for number in tasks]  # to the last bit


POOL = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np
from PIL import Image
from facelive import LivenessDetector
pixels = np.asarray(Image.open(sys.argv[2]))
pictures = [pixels, (pixels * 0.7).astype(np.uint8), np.zeros((240, 320, 3), np.uint8)] * 3
detector = LivenessDetector()
alone = [detector.predict(picture) for picture in pictures]
if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(sys.argv[1])) as pool:
        assert list(pool.map(detector.predict, pictures)) == alone
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pools_of_processes_say_what_one_says(method: str, portrait_path: Path) -> None:
    """A forked worker inherits interpreters that it must not use, whose threads stayed behind."""
    command = [sys.executable, "-c", POOL, method, str(portrait_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_a_pickled_detector_says_the_same(
    detector: LivenessDetector, pictures: list[Pixels], alone: list[LivenessResult]
) -> None:
    copy = pickle.loads(pickle.dumps(detector))
    assert [copy.predict(picture) for picture in pictures] == alone


def test_an_event_loop_hands_frames_to_threads(
    detector: LivenessDetector, pictures: list[Pixels], alone: list[LivenessResult]
) -> None:
    async def judge() -> list[LivenessResult]:
        return await asyncio.gather(*(asyncio.to_thread(detector.predict, picture) for picture in pictures * 3))

    assert asyncio.run(judge()) == alone * 3


def test_a_detector_that_closes_while_threads_use_it_answers_or_says_so(
    pictures: list[Pixels], alone: list[LivenessResult]
) -> None:
    from facelive import ModelError

    detector = LivenessDetector()

    def work(number: int) -> bool:
        try:
            return detector.predict(pictures[number]) == alone[number]
        except ModelError:
            return True

    with ThreadPoolExecutor(4) as threads:
        right = [threads.submit(work, number % len(pictures)) for number in range(40)]
        detector.close()
    assert all(one.result() for one in right)


ENDINGS = {
    "the main thread ends first": "",
    "the main thread fails": "raise SystemExit(0)",
    "the detector is closed on the way out": "import atexit; atexit.register(detector.close)",
    "the detector is deleted": "del detector, judge",
}


@pytest.mark.parametrize("daemon", [False, True], ids=["threads that are waited for", "daemon threads"])
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_an_interpreter_may_end_while_calls_run(ending: str, daemon: bool, portrait_path: Path) -> None:
    code = (
        "import sys, threading\n"
        "from facelive import LivenessDetector, ModelError\n"
        "detector = LivenessDetector()\n"
        "started = threading.Barrier(5)\n"
        "def judge(detector=detector):\n"
        "    started.wait()\n"
        f"    for _ in range({'10**9' if daemon else '5'}):\n"
        "        try: detector.predict(sys.argv[1])\n"
        "        except ModelError: return\n"
        f"for _ in range(4): threading.Thread(target=judge, daemon={daemon}).start()\n"
        "started.wait()\n"
        f"{ending}\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(portrait_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
