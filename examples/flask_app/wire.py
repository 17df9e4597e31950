"""What every request gets: an id, limits, a log line, headers, and errors as JSON."""

from __future__ import annotations

import io
import json
import logging
import secrets
import time
from typing import IO

from examples.flask_app.clients import refuse_other_sites
from examples.flask_app.settings import Settings
from examples.flask_app.stores import StoreError
from flask import Flask, Request, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_limiter import RequestLimit
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from facelive import ImageError
from facelive.errors import ImageTooLargeError

__all__ = ["install", "log", "too_many"]

log = logging.getLogger("facelive.example")

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob: mediastream:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class InMemoryRequest(Request):
    """Parses a form without the temporary files that larger uploads otherwise land in: no face touches the disk."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return io.BytesIO()


def install(app: Flask, settings: Settings) -> None:
    """Give an app its limits, log and errors."""
    app.request_class = InMemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = settings.max_bytes
    app.config["MAX_FORM_PARTS"] = 8
    app.config["MICROPHONE"] = "(self)" if "digits" in settings.challenge else "()"
    app.before_request(_start)
    app.before_request(refuse_other_sites)
    app.after_request(_finish)
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(ImageError, _not_a_picture)
    app.register_error_handler(StoreError, _no_store)
    app.register_error_handler(Exception, _break)


def _start() -> None:
    g.request_id = secrets.token_hex(8)
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers.update(HEADERS)
    microphone = current_app.config["MICROPHONE"]
    response.headers["Permissions-Policy"] = f"camera=(self), microphone={microphone}, geolocation=()"
    response.headers["X-Request-Id"] = g.request_id
    line = {
        "request_id": g.request_id,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "bytes_in": request.content_length or 0,
        "duration_ms": round((time.perf_counter() - g.started) * 1000, 1),
    }
    if "decision" in g:
        line["decision"] = g.decision
    log.info(json.dumps(line))
    return response


def too_many(limit: RequestLimit) -> Response:
    """The answer to a client that sends more than its rate."""
    response = _error(429, "Too many requests at once: wait a moment.")
    response.headers["Retry-After"] = str(max(1, limit.reset_at - int(time.time())))
    return response


def _error(status: int, message: str, **more: str) -> Response:
    response = jsonify(status="error", message=message, request_id=g.request_id, **more)
    response.status_code = status
    return response


def _refuse(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:  # answered already, or a redirect
        return error
    if error.code == 413 and error.description == RequestEntityTooLarge.description:
        message = "The upload is too large, or has too many fields: send one picture, and a smaller one."
    else:
        message = error.description or error.name
    response = _error(error.code, message, **({"reason": error.reason} if hasattr(error, "reason") else {}))
    response.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    if error.code == 503:
        response.headers["Retry-After"] = "1"
    return response


def _not_a_picture(error: Exception) -> Response:
    status = 413 if isinstance(error, ImageTooLargeError) else 400
    return _error(status, f"The picture cannot be read: {error}")


def _no_store(error: Exception) -> Response:
    log.error(json.dumps({"request_id": g.request_id, "store": str(error)}))
    response = _error(503, "Votes cannot be kept at the moment: try again soon.")
    response.headers["Retry-After"] = "2"
    return response


def _break(error: Exception) -> Response:
    log.error("request %s failed", g.request_id, exc_info=error)
    return _error(500, "Something broke here. The request id helps to find out what.")
