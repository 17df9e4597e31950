"""Where sessions live: in this process's memory, or in Redis for several workers and machines."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Optional, Protocol, TypeVar

from examples.flask_app.challenge import ChallengeState

from facelive import StreamState

__all__ = ["MemoryStore", "RedisStore", "SessionState", "SessionStore", "StoreError"]


class SessionState(StreamState, total=False):
    """What a session remembers: its votes, and what its next frame must answer where the app asks for that."""

    challenge: Optional[ChallengeState]


T = TypeVar("T")
State = Optional[SessionState]
Change = Callable[[State], tuple[T, SessionState]]


class StoreError(Exception):
    """The sessions cannot be reached now."""


class SessionStore(Protocol):
    """Sessions by their id; threads share a store.

    An id that the store has not made itself, or has forgotten, opens nothing: its bearer gets a fresh session.
    """

    def change(self, session: str | None, change: Change[T]) -> tuple[str, T]:
        """Change what a session remembers as one step, or a fresh session's if ``session`` is not known.

        Args:
            session: The id that the client sent, if any.
            change: From the stream's state, ``None`` in a fresh session, to an answer and the state to keep; may be
                called again after a conflict.

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

    def check(self) -> None:
        """Raise ``StoreError`` if the store cannot be reached."""


_FRAMES = "facelive:frames"
_A_DAY_S = 86_400


def new_id() -> str:
    """A session id that nobody can guess."""
    return secrets.token_urlsafe(24)


class MemoryStore:
    """Sessions in this process.

    Args:
        ttl_s: A session unused for this long is forgotten.
        max_sessions: Beyond this many, the one unused for longest is forgotten.
        max_frames: How many frames are remembered; the oldest is forgotten first, and 0 remembers none.
        clock: Seconds on a steady clock.
    """

    def __init__(
        self,
        *,
        ttl_s: float,
        max_sessions: int,
        max_frames: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_s = ttl_s
        self._max_sessions = max_sessions
        self._max_frames = max_frames
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, tuple[float, SessionState]] = OrderedDict()  # the one unused for longest first
        self._frames: dict[bytes, None] = {}  # the oldest first

    def change(self, session: str | None, change: Change[T]) -> tuple[str, T]:
        """As ``SessionStore`` says."""
        with self._lock:  # a vote takes microseconds; the frame was judged before
            now = self._clock()
            self._expire(now)
            name = session if session is not None and session in self._sessions else new_id()
            _, state = self._sessions.get(name, (now, None))
            answer, state = change(state)
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


class RedisStore:
    """Sessions in Redis, which forgets them by itself.

    Args:
        url: As in ``redis://127.0.0.1:6379/0``.
        ttl_s: A session unused for this long is forgotten.
        max_frames: How many frames are remembered, of all workers; the oldest is forgotten first, and 0 remembers none.
        timeout_s: How long to wait for Redis before it counts as unreachable.
    """

    def __init__(self, url: str, *, ttl_s: int, max_frames: int = 0, timeout_s: float = 1.0) -> None:
        import redis  # only where sessions are shared
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._errors = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError)
        self._conflict = redis.WatchError
        self._ttl_s = ttl_s
        self._max_frames = max_frames
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that a restart has left stale; never a queue of waits
        )

    def change(self, session: str | None, change: Change[T]) -> tuple[str, T]:
        """As ``SessionStore`` says: compare and set, again while another worker changes the same session."""
        try:
            while True:
                try:
                    return self._try(session, change)
                except self._conflict as error:
                    if isinstance(error.__context__, self._errors):  # the connection was lost, perhaps after the change
                        raise error.__context__ from error
        except self._errors as error:
            raise StoreError(str(error)) from error

    def _try(self, session: str | None, change: Change[T]) -> tuple[str, T]:
        with self._redis.pipeline() as steps:
            kept = None
            if session is not None:
                steps.watch(_key(session))  # type: ignore[no-untyped-call]
                kept = steps.get(_key(session))
            name = session if session is not None and kept is not None else new_id()
            answer, state = change(None if kept is None else json.loads(kept))
            steps.multi()
            steps.set(_key(name), json.dumps(state), ex=self._ttl_s)
            steps.execute()
            return name, answer

    def forget(self, session: str | None) -> None:
        """As ``SessionStore`` says."""
        try:
            if session is not None:
                self._redis.delete(_key(session))
        except self._errors as error:
            raise StoreError(str(error)) from error

    def remember(self, digest: bytes) -> bool:
        """As ``SessionStore`` says."""
        if not self._max_frames:
            return True
        try:
            now = time.time()
            with self._redis.pipeline() as steps:
                steps.zadd(_FRAMES, {digest: now}, nx=True)
                steps.zscore(_FRAMES, digest)
                steps.zremrangebyrank(_FRAMES, 0, -self._max_frames - 1)
                steps.expire(_FRAMES, _A_DAY_S)
                return bool(steps.execute()[1] == now)  # its own time, even when a lost connection made it ask twice
        except self._errors as error:
            raise StoreError(str(error)) from error

    def check(self) -> None:
        """As ``SessionStore`` says."""
        try:
            self._redis.set("facelive:check", 1, ex=1)  # one that answers may still take no writes
        except self._errors as error:
            raise StoreError(str(error)) from error


def _key(session: str) -> str:
    return f"facelive:session:{session}"
