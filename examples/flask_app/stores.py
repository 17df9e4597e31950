"""Where sessions live: in this process's memory, or, for several workers and machines, in ``redis_store``."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Optional, Protocol, TypeVar

__all__ = ["Change", "MemoryStore", "SessionStore", "State", "StoreError", "new_id"]

T = TypeVar("T")
State = Optional[dict[str, Any]]
"""What a session remembers, ready for JSON; ``None`` where there is none."""
Change = Callable[[State, float], tuple[T, State]]


class StoreError(Exception):
    """The sessions cannot be reached now."""


class SessionStore(Protocol):
    """Sessions by their id, frames by their digest, and refused visits by whose they were; threads share a store.

    An id that the store has not made itself, or has forgotten, opens nothing: its bearer gets a fresh session.
    """

    def read(self, session: str) -> State:
        """What a session remembers; ``None`` if it is not known.

        Raises:
            StoreError: The store cannot be reached.
        """

    def change(self, session: str | None, change: Change[T]) -> tuple[str, T]:
        """Change what a session remembers as one step, or a fresh session's if ``session`` is not known.

        Args:
            session: The id that the client sent, if any.
            change: From the state and the time in ms, on a clock that all who share the store share and nobody
                sets, to an answer and the state to keep, ``None`` for none; may be called again after a conflict.

        Returns:
            The id of the session that was changed, and the answer.

        Raises:
            StoreError: The store cannot be reached; the change was made once or not at all.
        """

    def forget(self, session: str | None) -> None:
        """End a session; one that is not known is no error.

        Raises:
            StoreError: The store cannot be reached.
        """

    def remember(self, digest: bytes) -> bool:
        """Note a frame by its digest, for all sessions; false if it is noted already.

        Raises:
            StoreError: The store cannot be reached.
        """

    def tries(self, names: Iterable[str], *, add: int = 0) -> int:
        """How many tries were counted for the one of ``names`` that has most, after adding to each.

        Raises:
            StoreError: The store cannot be reached.
        """

    def forgive(self, names: Iterable[str]) -> None:
        """Forget the tries of each of ``names``.

        Raises:
            StoreError: The store cannot be reached.
        """

    def check(self) -> None:
        """Raise ``StoreError`` if the store cannot be reached."""


def new_id() -> str:
    """A session id that nobody can guess."""
    return secrets.token_urlsafe(24)


class MemoryStore:
    """Sessions in this process.

    Args:
        ttl_s: A session unused for this long is forgotten.
        max_sessions: Beyond this many, the one unused for longest is forgotten.
        max_frames: How many frames are remembered; the oldest is forgotten first, and 0 remembers none.
        tries_within_s: Tries are forgotten this long after the first of them.
        clock: Seconds on a steady clock.
    """

    def __init__(
        self,
        *,
        ttl_s: float,
        max_sessions: int,
        max_frames: int = 0,
        tries_within_s: float = 600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_s = ttl_s
        self._max_sessions = max_sessions
        self._max_frames = max_frames
        self._tries_within_s = tries_within_s
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()  # the one unused longest first
        self._frames: dict[bytes, None] = {}  # the oldest first
        self._tries: dict[str, tuple[float, int]] = {}  # the oldest first

    def read(self, session: str) -> State:
        """As ``SessionStore`` says."""
        with self._lock:
            self._expire(self._clock())
            return self._sessions.get(session, (0.0, None))[1]

    def change(self, session: str | None, change: Change[T]) -> tuple[str, T]:
        """As ``SessionStore`` says."""
        with self._lock:  # a step takes microseconds; the frame was judged before
            now = self._clock()
            self._expire(now)
            name = session if session is not None and session in self._sessions else new_id()
            _, state = self._sessions.get(name, (now, None))
            answer, state = change(state, now * 1000)
            if state is None:
                self._sessions.pop(name, None)
                return name, answer
            self._sessions[name] = (now, state)
            self._sessions.move_to_end(name)
            if len(self._sessions) > self._max_sessions:
                self._sessions.popitem(last=False)
            return name, answer

    def forget(self, session: str | None) -> None:
        """As ``SessionStore`` says."""
        with self._lock:
            if session is not None:
                self._sessions.pop(session, None)

    def remember(self, digest: bytes) -> bool:
        """As ``SessionStore`` says."""
        with self._lock:
            if digest in self._frames:
                return False
            self._frames[digest] = None
            if len(self._frames) > self._max_frames:
                del self._frames[next(iter(self._frames))]
            return True

    def tries(self, names: Iterable[str], *, add: int = 0) -> int:
        """As ``SessionStore`` says."""
        with self._lock:
            now, most = self._clock(), 0
            for name in [*self._tries]:
                if now - self._tries[name][0] < self._tries_within_s:
                    break
                del self._tries[name]
            for name in names:
                began, counted = self._tries.get(name, (now, 0))
                most = max(most, counted + add)
                if add:
                    self._tries[name] = (began, counted + add)
            while len(self._tries) > self._max_sessions:
                del self._tries[next(iter(self._tries))]
            return most

    def forgive(self, names: Iterable[str]) -> None:
        """As ``SessionStore`` says."""
        with self._lock:
            for name in names:
                self._tries.pop(name, None)

    def check(self) -> None:
        """Always there."""

    def __len__(self) -> int:
        return len(self._sessions)

    def _expire(self, now: float) -> None:
        while self._sessions:
            used, _ = next(iter(self._sessions.values()))
            if now - used < self._ttl_s:
                return
            self._sessions.popitem(last=False)
