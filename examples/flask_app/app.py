"""The app: routes around ``LivenessDetector``; judging and voting are the library's."""

from __future__ import annotations

import re
import time

from examples.flask_app import wire
from examples.flask_app.answers import answer
from examples.flask_app.settings import Settings
from examples.flask_app.stores import MemoryStore, RedisStore, SessionStore
from examples.flask_app.uploads import read_upload
from flask import Flask, Response, jsonify, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from facelive import LivenessDetector, LivenessResult, StreamState

__all__ = ["create_app"]

COOKIE = "facelive_session"
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{32}")


def create_app(
    detector: LivenessDetector | None = None, store: SessionStore | None = None, *, settings: Settings | None = None
) -> Flask:
    """Build the app, for any WSGI server.

    Args:
        detector: Judges the frames; the bundled model with five votes to a verdict unless given.
        store: Keeps the sessions; in Redis where the settings say so, otherwise in memory, unless given.
        settings: Read from the environment unless given.

    Raises:
        ConfigurationError: The settings do not fit, or several workers would keep sessions in their own memory.
    """
    settings = settings or Settings.from_environment()
    app = Flask(__name__)
    wire.install(app, settings)
    # Each worker counts for itself: a limit for all of them belongs in the proxy before them.
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", on_breach=wire.too_many)
    backend = _Backend(detector or LivenessDetector(min_frames=5), store or _store(settings), settings)
    app.add_url_rule("/", "page", lambda: app.send_static_file("index.html"))
    app.add_url_rule("/upload", "upload", limiter.limit(settings.rate_limit)(backend.upload), methods=["POST"])
    app.add_url_rule("/session", "end_session", backend.end_session, methods=["DELETE"])
    app.add_url_rule("/healthz", "health", backend.health)
    return app


def _store(settings: Settings) -> SessionStore:
    if settings.redis_url:
        return RedisStore(settings.redis_url, ttl_s=settings.session_ttl_s)
    return MemoryStore(ttl_s=settings.session_ttl_s, max_sessions=settings.max_sessions)


class _Backend:
    """What the routes do."""

    def __init__(self, detector: LivenessDetector, store: SessionStore, settings: Settings) -> None:
        self._detector = detector
        self._store = store
        self._settings = settings

    def upload(self) -> Response:
        """Judge the field ``picture`` and vote in the client's session, or in a new one."""
        result = self._detector.predict(read_upload(request, max_pixels=self._settings.max_pixels))

        def vote(state: StreamState | None) -> tuple[LivenessResult, StreamState]:
            stream = self._detector.stream(max_age_ms=self._settings.vote_age_ms, state=state)
            # Two machines' clocks differ, and a stream does not run backwards.
            now_ms = max([time.time() * 1000, *(state["timestamps_ms"][-1:] if state else ())])
            return stream.vote(result, timestamp_ms=now_ms), stream.state

        session, result_of_vote = self._store.change(_session_sent(), vote)
        told = answer(result_of_vote, window=self._detector.window, session=session)
        response = jsonify(told)
        response.status_code = 200 if told["status"] == "success" else 422
        response.set_cookie(
            COOKIE,
            session,
            max_age=self._settings.session_ttl_s,
            httponly=True,
            secure=request.is_secure,
            samesite="Strict",
        )
        return response

    def end_session(self) -> Response:
        """Forget the client's votes."""
        self._store.forget(_session_sent())
        response = jsonify(status="success", message="The session is forgotten.")
        response.delete_cookie(COOKIE, httponly=True, secure=request.is_secure, samesite="Strict")
        return response

    def health(self) -> Response:
        """Whether the next upload can be answered."""
        self._store.check()
        return jsonify(status="success", message="Ready.", model=self._detector.model.card.name)


def _session_sent() -> str | None:
    """The session id of the form field or the cookie, if it looks like one; only the store knows whether it is."""
    sent = request.form.get("session") or request.cookies.get(COOKIE, "")
    return sent if _SESSION_ID.fullmatch(sent) else None
