"""Work in several processes gives the same answers, and says so when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Tuple

import pytest

from facelive.errors import FaceliveError
from facelive.pool import in_processes

WITHOUT_SEMAPHORES = """
import sys
from facelive.pool import in_processes

if __name__ == "__main__":
    print(list(in_processes(abs, range(-100, 0), workers=2)) == list(range(100, 0, -1)))
"""


def square(number: int) -> Tuple[int, int]:
    return number * number, os.getpid()


def die(number: int) -> int:
    os._exit(3)


@pytest.mark.parametrize("workers", [1, 2])
def test_answers_come_in_the_order_of_the_questions(workers: int) -> None:
    answers = list(in_processes(square, range(100), workers=workers))
    assert [answer for answer, _ in answers] == [number * number for number in range(100)]
    assert (os.getpid() in {process for _, process in answers}) == (workers == 1)


def test_a_worker_that_dies_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(FaceliveError, match="a worker process died, .*; start again to go on"):
        list(in_processes(die, range(9), workers=2))


def test_no_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one worker is needed, not 0"):
        list(in_processes(abs, [1], workers=0))


def test_only_a_few_items_are_read_ahead() -> None:
    read = iter(range(10_000))
    assert next(in_processes(abs, read, workers=2)) == 0
    assert next(read) < 200


def test_workers_work_where_the_system_has_no_shared_semaphores() -> None:
    hidden = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh"]
    if sys.platform != "linux" or subprocess.run([*hidden, "true"], capture_output=True).returncode:
        pytest.skip("only root on Linux may hide /dev/shm from one process")
    done = subprocess.run([*hidden, sys.executable, "-c", WITHOUT_SEMAPHORES], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
