"""The same work on many things, in this process or in several, in order and in bounded memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Callable, Deque, Iterable, Iterator, List, Optional, Tuple, TypeVar

from facelive.errors import FaceliveError

__all__ = ["in_processes"]

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

_ITEMS_PER_TASK = 8
_TASKS_PER_WORKER = 4  # one slow task delays the answers behind it, but not the work


def in_processes(work: Callable[[_Item], _Answer], items: Iterable[_Item], *, workers: int) -> Iterator[_Answer]:
    """The answers to all items, in their order; only a few items are read ahead.

    With several workers the calling script must be importable, as ``multiprocessing`` asks. Where the system has no
    shared semaphores (Linux without ``/dev/shm``) threads of this process do the work, so it must bear them.

    Args:
        work: Copied to each worker once.
        items: What to work on.
        workers: How many processes; with 1 this very process does it.

    Raises:
        FaceliveError: A worker process died.
        ValueError: ``workers`` is less than 1.

    Example:
        >>> list(in_processes(abs, [-1, 2, -3], workers=1))
        [1, 2, 3]
    """
    if workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    if workers == 1:
        yield from map(work, items)
        return
    source = iter(items)
    tasks = iter(lambda: list(islice(source, _ITEMS_PER_TASK)), [])
    running: Deque[Future[List[Any]]] = deque()
    pool, answer = _pool(work, workers)
    try:
        for task in tasks:
            with _interrupts_wait():
                running.append(pool.submit(answer, task))
            if len(running) == _TASKS_PER_WORKER * workers:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
    except BrokenProcessPool as error:
        raise FaceliveError("a worker process died, perhaps out of memory; start again to go on") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(work: Callable[[Any], Any], workers: int) -> Tuple[Executor, Callable[[List[Any]], List[Any]]]:
    # Spawned, not forked: a forked copy of a TFLite interpreter may hang. The price is an import per worker.
    context = multiprocessing.get_context("spawn")
    try:
        return ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(work,)), _answer
    except (ImportError, NotImplementedError, OSError):  # what a missing or closed /dev/shm raises
        return ThreadPoolExecutor(workers), lambda task: list(map(work, task))


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Hold Ctrl-C back while a worker starts, which inherits that it ignores it: handling it is the parent's part."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: List[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))  # another thread may catch it
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, before)
    if heard:
        signal.raise_signal(signal.SIGINT)


_work: Optional[Callable[[Any], Any]] = None


def _start(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # the parent was killed: nobody will ever ask for the answers


def _answer(task: List[Any]) -> List[Any]:
    assert _work is not None
    return list(map(_work, task))
