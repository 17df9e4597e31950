"""What an operator may set, read from the environment once, at the start."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields

import limits

__all__ = ["ConfigurationError", "Settings"]


class ConfigurationError(Exception):
    """The app must not start like this; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every field can be set as ``FACELIVE_<NAME>``; ``workers`` is ``WEB_CONCURRENCY``, which gunicorn reads too.

    Args:
        redis_url: Where sessions live when several workers share them; in this process's memory when empty.
        rate_limit: How often one address may upload, in the notation of Flask-Limiter.
        max_bytes: Largest upload.
        max_pixels: Largest picture, width times height.
        session_ttl_s: A session unused for this long is forgotten.
        max_sessions: The memory store forgets the session unused for longest beyond this many.
        vote_age_ms: Votes older than this, counted from the newest, do not count.
        remembered_frames: How many judged frames are remembered, to refuse their bytes a second time; 0 for none.
        challenge: ``colour`` asks each frame to reflect a colour that the page shows; ``off`` asks for nothing.
        nonce_ttl_s: How soon a challenge must be answered.
        threads: Requests judged at the same time.
        connections: Beyond this many open connections, further ones wait.
        request_timeout_s: A request that has not arrived whole by then is cut off.
        workers: How many processes serve this app, on this machine and all others.
        proxies: How many proxies stand before the app, whose X-Forwarded-For and -Proto headers are believed.
    """

    redis_url: str = ""
    rate_limit: str = "20 per second; 900 per minute"
    max_bytes: int = 10 * 2**20
    max_pixels: int = 50_000_000
    session_ttl_s: int = 120
    max_sessions: int = 10_000
    vote_age_ms: int = 60_000
    remembered_frames: int = 100_000
    challenge: str = "off"
    nonce_ttl_s: int = 10
    threads: int = 4
    connections: int = 500
    request_timeout_s: int = 30
    workers: int = 1
    proxies: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name in ("remembered_frames", "proxies") else 1
            if isinstance(value, int) and value < least:
                raise ConfigurationError(f"{_variable(field.name)} must be at least {least}, not {value}")
        try:
            limits.parse_many(self.rate_limit)
        except ValueError as error:
            raise ConfigurationError(f"FACELIVE_RATE_LIMIT must read like {Settings.rate_limit!r}: {error}") from error
        if self.challenge not in ("off", "colour"):
            raise ConfigurationError(f"FACELIVE_CHALLENGE must be off or colour, not {self.challenge!r}")
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
                given[field.name] = text if isinstance(field.default, str) else _whole_number(field.name, text)
        if "workers" not in given and not given.get("redis_url") and _forks(environment):
            raise ConfigurationError(
                "this server may start several workers, and sessions would live in the memory of each: set "
                "FACELIVE_REDIS_URL, or WEB_CONCURRENCY=1 if there is only one"
            )
        return cls(**given)  # type: ignore[arg-type]


def _variable(name: str) -> str:
    return "WEB_CONCURRENCY" if name == "workers" else f"FACELIVE_{name.upper()}"


def _whole_number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{_variable(name)} must be a whole number, not {text!r}") from None


def _forks(environment: Mapping[str, str]) -> bool:
    """Whether a server that starts several processes from its own command line loads this app."""
    return environment.get("SERVER_SOFTWARE", "").startswith("gunicorn") or "uwsgi" in sys.modules
