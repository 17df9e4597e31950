"""Serve the app with waitress: ``python -m examples.flask_app``."""

from __future__ import annotations

import argparse
import logging
import sys

from examples.flask_app.app import create_app
from examples.flask_app.server import serve
from examples.flask_app.settings import ConfigurationError, Settings

from facelive import FaceliveError


def main() -> int:
    """Serve until interrupted; return an exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.flask_app", description="Backend and camera page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=5000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--trusted-proxy", metavar="ADDRESS", help="a proxy whose X-Forwarded-For and -Proto headers are believed"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        settings = Settings.from_environment()
        app = create_app(settings=settings)
    except (ConfigurationError, FaceliveError) as error:
        print(f"not started: {error}", file=sys.stderr)
        return 2
    print(f"facelive is at http://{options.host}:{options.port}", flush=True)
    serve(app, settings, host=options.host, port=options.port, trusted_proxy=options.trusted_proxy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
