"""What an operator may set, read from the environment once, at the start."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields

import limits

__all__ = ["ConfigurationError", "Settings"]

CHALLENGES = ("off", "turn", "light", "digits", "turn+digits", "light+digits")

_RANGES = {  # whole numbers, from ... to; beyond them a server would start and then fail, or limit nothing
    "max_bytes": (1_000, 2**25),
    "max_pixels": (10_000, 64_000_000),
    "session_ttl_s": (5, 86_400),
    "max_sessions": (1, 1_000_000),
    "remembered_frames": (0, 10_000_000),
    "visit_s": (2, 600),
    "tries": (1, 1_000),
    "tries_within_s": (1, 86_400),
    "scores": (0, 1),
    "decodes": (1, 64),
    "threads": (1, 64),
    "connections": (1, 20_000),
    "request_timeout_s": (1, 3_600),
    "workers": (1, 1_000),
    "proxies": (0, 10),
}


class ConfigurationError(Exception):
    """The app must not start like this; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every field can be set as ``FACELIVE_<NAME>``; ``workers`` is ``WEB_CONCURRENCY``, which gunicorn reads too.

    Args:
        redis_url: Where sessions live when several workers share them; in this process's memory when empty.
        rate_limit: How often one client may ask, all routes together, in the notation of Flask-Limiter.
        max_bytes: Largest upload.
        max_pixels: Largest picture, width times height.
        session_ttl_s: A session unused for this long is forgotten.
        max_sessions: The memory store forgets the session unused for longest beyond this many.
        remembered_frames: How many judged frames are remembered, to refuse their bytes a second time; 0 for none.
        challenge: ``turn`` asks for a turn of the head, ``light`` lights the face with colours, ``digits``
            has four digits said, after one of the others as ``turn+digits`` or ``light+digits``; ``off`` asks nothing.
        visit_s: How long one visit may take.
        tries: How many visits of one client, and for one account, may be refused before another way in is offered.
        tries_within_s: A refused visit is forgotten after this long.
        scores: 1 sends exact scores, votes and boxes to clients: to find faults, never for strangers.
        decodes: Pictures decoded and judged at the same time.
        threads: Requests handled at the same time.
        connections: Beyond this many open connections, further ones wait.
        request_timeout_s: A request that has not arrived whole by then is cut off.
        workers: How many processes serve this app, on this machine and all others.
        proxies: How many proxies stand before the app, whose X-Forwarded-For and -Proto headers are believed.
    """

    redis_url: str = ""
    rate_limit: str = "20 per second; 900 per minute"
    max_bytes: int = 10 * 2**20
    max_pixels: int = 16_000_000
    session_ttl_s: int = 120
    max_sessions: int = 10_000
    remembered_frames: int = 100_000
    challenge: str = "off"
    visit_s: int = 20
    tries: int = 3
    tries_within_s: int = 600
    scores: int = 0
    decodes: int = 3
    threads: int = 4
    connections: int = 500
    request_timeout_s: int = 30
    workers: int = 1
    proxies: int = 0

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= most:
                raise ConfigurationError(f"{_variable(name)} must be a whole number from {least} to {most}")
        try:
            if not all(limit.amount > 0 for limit in limits.parse_many(self.rate_limit)):
                raise ValueError("nobody could ask at all")
        except ValueError as error:
            raise ConfigurationError(f"FACELIVE_RATE_LIMIT must read like {Settings.rate_limit!r}") from error
        if self.challenge not in CHALLENGES:
            raise ConfigurationError(f"FACELIVE_CHALLENGE must be one of {', '.join(CHALLENGES)}")
        if self.redis_url and not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            raise ConfigurationError("FACELIVE_REDIS_URL must read like redis://127.0.0.1:6379/0")
        if self.workers > 1 and not self.redis_url:
            raise ConfigurationError(
                f"{self.workers} workers cannot share sessions that live in the memory of one: set FACELIVE_REDIS_URL, "
                "or serve with one worker (WEB_CONCURRENCY=1)"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings.

        Raises:
            ConfigurationError: A value does not fit, or sessions would live in the memory of several workers.
        """
        given: dict[str, str | int] = {}
        for field in fields(cls):
            text = environment.get(_variable(field.name), "").strip()
            if text:
                number = -1 if not (text.isascii() and text.isdigit() and len(text) < 12) else int(text)
                given[field.name] = number if field.name in _RANGES else text
        if "workers" not in given and not given.get("redis_url") and _forks(environment):
            raise ConfigurationError(
                "this server may start several workers, and sessions would live in the memory of each: set "
                "FACELIVE_REDIS_URL, or WEB_CONCURRENCY=1 if there is only one"
            )
        return cls(**given)  # type: ignore[arg-type]


def _variable(name: str) -> str:
    return "WEB_CONCURRENCY" if name == "workers" else f"FACELIVE_{name.upper()}"


def _forks(environment: Mapping[str, str]) -> bool:
    """Whether a server that starts several processes from its own command line loads this app."""
    return environment.get("SERVER_SOFTWARE", "").startswith("gunicorn") or "uwsgi" in sys.modules
