"""Sessions in Redis, for several workers and machines."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from examples.flask_app.settings import ConfigurationError
from examples.flask_app.stores import Change, State, StoreError, new_id

__all__ = ["RedisStore"]

T = TypeVar("T")
_FRAMES = "facelive:frames"
_A_DAY_S = 86_400


class RedisStore:
    """Sessions in Redis, which forgets them by itself and whose clock is the one that counts.

    Args:
        url: As in ``redis://127.0.0.1:6379/0``.
        ttl_s: A session unused for this long is forgotten.
        max_frames: How many frames are remembered, of all workers; the oldest is forgotten first, and 0 remembers none.
        tries_within_s: Tries are forgotten this long after the first of them.
        timeout_s: How long to wait for Redis before it counts as unreachable.

    Raises:
        ConfigurationError: The URL cannot be read, or the package ``redis`` is missing.
    """

    def __init__(
        self, url: str, *, ttl_s: int, max_frames: int = 0, tries_within_s: int = 600, timeout_s: float = 1.0
    ) -> None:
        try:
            import redis  # only where sessions are shared
        except ImportError as error:
            raise ConfigurationError("FACELIVE_REDIS_URL needs the package redis: pip install redis") from error
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._errors = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError)
        self._conflict = redis.WatchError
        self._ttl_s = ttl_s
        self._max_frames = max_frames
        self._tries_within_s = tries_within_s
        try:
            self._redis = redis.Redis.from_url(
                url,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                # Once, for a connection that a restart has left stale; never a queue of waits.
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError as error:
            raise ConfigurationError("FACELIVE_REDIS_URL must read like redis://127.0.0.1:6379/0") from error

    def read(self, session: str) -> State:
        """As ``SessionStore`` says."""
        with self._reached():
            return _read(self._redis.get(_key(session)))

    def change(self, session: str | None, change: Change[T]) -> tuple[str, T]:
        """As ``SessionStore`` says: compare and set, again while another worker changes the same session."""
        with self._reached():
            while True:
                try:
                    return self._try(session, change)
                except self._conflict as error:
                    if isinstance(error.__context__, self._errors):  # the connection was lost, perhaps after the change
                        raise error.__context__ from error

    def _try(self, session: str | None, change: Change[T]) -> tuple[str, T]:
        with self._redis.pipeline() as steps:
            name = session or new_id()
            steps.watch(_key(name))  # type: ignore[no-untyped-call]
            kept = steps.get(_key(name)) if session else None
            if kept is None:
                name = new_id()
            answer, state = change(_read(kept), _ms(steps.time()))
            steps.multi()
            if state is None:
                steps.delete(_key(name))
            else:
                steps.set(_key(name), json.dumps(state), ex=self._ttl_s)
            steps.execute()
            return name, answer

    def forget(self, session: str | None) -> None:
        """As ``SessionStore`` says."""
        if session is not None:
            with self._reached():
                self._redis.delete(_key(session))

    def remember(self, digest: bytes) -> bool:
        """As ``SessionStore`` says."""
        if not self._max_frames:
            return True
        with self._reached():
            now = _ms(self._redis.time())
            with self._redis.pipeline() as steps:
                steps.zadd(_FRAMES, {digest: now}, nx=True)
                steps.zscore(_FRAMES, digest)
                steps.zremrangebyrank(_FRAMES, 0, -self._max_frames - 1)
                steps.expire(_FRAMES, _A_DAY_S)
                return bool(steps.execute()[1] == now)  # its own time, even when a lost connection made it ask twice

    def tries(self, names: Iterable[str], *, add: int = 0) -> int:
        """As ``SessionStore`` says."""
        with self._reached(), self._redis.pipeline() as steps:
            for name in names:
                steps.set(_tries_key(name), 0, ex=self._tries_within_s, nx=True)
                steps.incrby(_tries_key(name), add)
            return max((int(counted) for counted in steps.execute()[1::2]), default=0)

    def forgive(self, names: Iterable[str]) -> None:
        """As ``SessionStore`` says."""
        with self._reached():
            self._redis.delete(*map(_tries_key, names))

    def check(self) -> None:
        """As ``SessionStore`` says."""
        with self._reached():
            self._redis.set("facelive:check", 1, ex=1)  # one that answers may still take no writes

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise StoreError(str(error)) from error


def _key(session: str) -> str:
    return f"facelive:session:{session}"


def _tries_key(name: str) -> str:
    return f"facelive:tries:{name}"


def _ms(time: Any) -> float:
    seconds, microseconds = time
    return float(seconds * 1000 + microseconds / 1000)


def _read(kept: Any) -> State:
    """What was kept; damaged, it is none, and a new visit begins."""
    try:
        state = json.loads(kept or "null")
    except (ValueError, RecursionError):
        return None
    return state if isinstance(state, dict) else None
