"""Keeps a fork out of the moments in which a thread loads something, and threads out of one another's steps."""

from __future__ import annotations

import logging  # noqa: F401  its own wait for a fork must be registered before ours, so that ours comes first
import os
import threading
from typing import Tuple, Type

from PIL import ImageFile  # noqa: F401  Pillow itself loads it only when it first converts a picture

__all__ = ["LOADING", "OneAtATime"]

LOADING = threading.RLock()
"""Held while modules are imported or interpreters built on first use. A fork waits for it: a child made in between
would wait forever for locks of a thread that it does not have, Python's for imports or the runtime's own."""


class OneAtATime:
    """A lock for ``with``, in an object that is copied and pickled: its copy has a lock of its own, which is free."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *details: object) -> None:
        self._lock.release()

    def __reduce__(self) -> Tuple[Type[OneAtATime], Tuple[()]]:
        return OneAtATime, ()


_LONGEST_S = 30.0  # should loading itself hang, or wait for a lock that the forking thread holds, the fork goes on
_held: list[bool] = []


def _before() -> None:
    _held.append(LOADING.acquire(timeout=_LONGEST_S))


def _after() -> None:
    if _held.pop():
        LOADING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
