"""The app: routes around ``LivenessDetector``; judging and voting are the library's."""

from __future__ import annotations

import re
import time
from typing import Any

from examples.flask_app import challenge, wire
from examples.flask_app.answers import answer
from examples.flask_app.light import face_light
from examples.flask_app.settings import Settings
from examples.flask_app.stores import MemoryStore, RedisStore, SessionState, SessionStore
from examples.flask_app.uploads import RepeatedFrame, digest, read_upload
from flask import Flask, Response, jsonify, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.middleware.proxy_fix import ProxyFix

from facelive import LivenessDetector

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
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    # Each worker counts for itself: a limit for all of them belongs in the proxy before them.
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", on_breach=wire.too_many)
    store = _store(settings) if store is None else store  # an empty one is false
    backend = _Backend(detector or LivenessDetector(min_frames=5), store, settings)
    app.add_url_rule("/", "page", lambda: app.send_static_file("index.html"))
    app.add_url_rule("/openapi.json", "description", lambda: app.send_static_file("openapi.json"))
    app.add_url_rule("/upload", "upload", limiter.limit(settings.rate_limit)(backend.upload), methods=["POST"])
    open_session = limiter.limit(settings.rate_limit)(backend.open_session)
    app.add_url_rule("/session", "open_session", open_session, methods=["POST"])
    app.add_url_rule("/session", "end_session", backend.end_session, methods=["DELETE"])
    app.add_url_rule("/healthz", "health", backend.health)
    return app


def _store(settings: Settings) -> SessionStore:
    if settings.redis_url:
        return RedisStore(settings.redis_url, ttl_s=settings.session_ttl_s, max_frames=settings.remembered_frames)
    return MemoryStore(
        ttl_s=settings.session_ttl_s, max_sessions=settings.max_sessions, max_frames=settings.remembered_frames
    )


class _Backend:
    """What the routes do."""

    def __init__(self, detector: LivenessDetector, store: SessionStore, settings: Settings) -> None:
        self._detector = detector
        self._store = store
        self._settings = settings
        self._asks = settings.challenge != "off"

    def upload(self) -> Response:
        """Judge the field ``picture`` and vote in the client's session, or in a new one."""
        picture = read_upload(request, max_pixels=self._settings.max_pixels)
        result = self._detector.predict(picture)
        if result.score is not None and not self._store.remember(digest(picture)):  # a camera that is dark may repeat
            raise RepeatedFrame
        light = face_light(picture, result.face) if self._asks and result.face is not None else None
        nonce = request.form.get("nonce", "")

        def vote(state: SessionState | None) -> tuple[challenge.Outcome, SessionState]:
            stream = self._detector.stream(max_age_ms=self._settings.vote_age_ms, state=state)
            # Two machines' clocks differ, and a stream does not run backwards.
            now_ms = max([time.time() * 1000, *(state["timestamps_ms"][-1:] if state else ())])
            if self._asks:
                asked = state.get("challenge") if state else None
                ttl_s = self._settings.nonce_ttl_s
                outcome = challenge.judge(stream, asked, nonce, result, light, now_ms=now_ms, ttl_s=ttl_s)
            else:
                outcome = challenge.Outcome(stream.vote(result, timestamp_ms=now_ms), True, None)
            return outcome, SessionState(**stream.state, challenge=outcome.challenge)

        session, outcome = self._store.change(_session_sent(), vote)
        told = answer(outcome, window=self._detector.window, session=session, now_ms=time.time() * 1000)
        return self._with_session(told, session, status=200 if told["status"] == "success" else 422)

    def open_session(self) -> Response:
        """Open a session, in place of the client's last one, and say what its first frame must answer."""
        ttl_s = self._settings.nonce_ttl_s
        now_ms = time.time() * 1000
        asked = challenge.pose(now_ms=now_ms, ttl_s=ttl_s) if self._asks else None
        fresh = SessionState(**self._detector.stream().state, challenge=asked)
        self._store.forget(_session_sent())
        session, _ = self._store.change(None, lambda _: (None, fresh))
        told = {"status": "success", "message": "Ready.", "session": session}
        return self._with_session({**told, "challenge": challenge.told(asked, now_ms=now_ms)}, session)

    def _with_session(self, told: dict[str, Any], session: str, *, status: int = 200) -> Response:
        response = jsonify(told)
        response.status_code = status
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
