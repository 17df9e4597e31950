"""The app: routes around ``LivenessDetector.session``; judging and deciding are the library's."""

from __future__ import annotations

from examples.flask_app import wire
from examples.flask_app.clients import client
from examples.flask_app.redis_store import RedisStore
from examples.flask_app.settings import Settings
from examples.flask_app.stores import MemoryStore, SessionStore
from examples.flask_app.visits import Account, Decided, Visits
from flask import Flask
from flask_limiter import Limiter
from werkzeug.middleware.proxy_fix import ProxyFix

from facelive import LivenessDetector, QualityPolicy

__all__ = ["create_app"]


def create_app(
    detector: LivenessDetector | None = None,
    store: SessionStore | None = None,
    *,
    settings: Settings | None = None,
    account: Account = lambda: None,
    decided: Decided = lambda account, accepted: None,
) -> Flask:
    """Build the app, for any WSGI server.

    Args:
        detector: Judges the frames; the bundled model, on one person at a time, unless given.
        store: Keeps the sessions; in Redis where the settings say so, otherwise in memory, unless given.
        settings: Read from the environment unless given.
        account: Names the account that a request wants to enter, so that its tries are counted too.
        decided: Hears how each visit ended; open the door here, not in the browser.

    Raises:
        ConfigurationError: The settings do not fit, or several workers would keep sessions in their own memory.
    """
    settings = settings or Settings.from_environment()
    app = Flask(__name__)
    wire.install(app, settings)
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    # One budget for all routes. Each worker counts for itself: a limit for all of them belongs in the proxy.
    limits = [settings.rate_limit]
    limiter = Limiter(client, app=app, application_limits=limits, storage_uri="memory://", on_breach=wire.too_many)  # type: ignore[arg-type]
    store = _store(settings) if store is None else store  # an empty one is false
    detector = detector or LivenessDetector(quality=QualityPolicy(multiple_faces="reject"))
    visits = Visits(detector, store, settings, account, decided)
    app.add_url_rule("/", "page", lambda: app.send_static_file("index.html"))
    app.add_url_rule("/openapi.json", "description", lambda: app.send_static_file("openapi.json"))
    app.add_url_rule("/upload", "upload", visits.upload, methods=["POST"])
    app.add_url_rule("/digits", "digits", visits.listen, methods=["POST"])
    app.add_url_rule("/session", "open_session", visits.open, methods=["POST"])
    app.add_url_rule("/session", "end_session", visits.end, methods=["DELETE"])
    app.add_url_rule("/healthz", "health", limiter.exempt(visits.health))  # a load balancer asks for all clients
    return app


def _store(settings: Settings) -> SessionStore:
    ttl_s, frames, within_s = settings.session_ttl_s, settings.remembered_frames, settings.tries_within_s
    if settings.redis_url:
        return RedisStore(settings.redis_url, ttl_s=ttl_s, max_frames=frames, tries_within_s=within_s)
    sessions = settings.max_sessions
    return MemoryStore(ttl_s=ttl_s, max_sessions=sessions, max_frames=frames, tries_within_s=within_s)
