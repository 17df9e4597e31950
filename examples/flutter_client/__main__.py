"""Serve the client to browsers: ``python -m examples.flutter_client``."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable

import flet as ft
import uvicorn
from examples.flutter_client.app import App
from fastapi import FastAPI, Request, Response

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Flutter's engine is WebAssembly started inline
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' blob: mediastream:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",
        "frame-ancestors 'none'",
    )
)
"""Keeps the page on this server: Flet's web client asks a content network for a player that is not used here."""


def build(server: str) -> FastAPI:
    """The client as an ASGI app.

    Args:
        server: The backend's address, as this process reaches it.
    """

    async def show(page: ft.Page) -> None:
        App(page, server)

    app: FastAPI = ft.run(show, no_cdn=True, export_asgi_app=True)

    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Permissions-Policy"] = "camera=(self), microphone=()"
        return response

    app.middleware("http")(guard)
    return app


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.flutter_client", description="The Flutter client.")
    parser.add_argument("--server", default="http://127.0.0.1:5000", help="the backend (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8550, help="port to listen on (default: %(default)s)")
    options = parser.parse_args()
    print(f"the Flutter client is at http://{options.host}:{options.port}", flush=True)
    uvicorn.run(build(options.server), host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
