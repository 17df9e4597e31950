"""Serve the app with waitress: ``python -m examples.flask_app``."""

from __future__ import annotations

import argparse
import logging
import sys

from examples.flask_app.app import create_app
from examples.flask_app.server import bound
from examples.flask_app.settings import ConfigurationError, Settings

from facelive import FaceliveError


def main() -> int:
    """Serve until interrupted; return an exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.flask_app", description="Backend and camera page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=5000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--trusted-proxy", metavar="ADDRESS", help="a proxy whose X-Forwarded-For and -Proto headers are believed"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    where = f"{options.host}:{options.port}"
    try:
        settings = Settings.from_environment()
        app = create_app(settings=settings)
        server = bound(app, settings, host=options.host, port=options.port, trusted_proxy=options.trusted_proxy)
    except (ConfigurationError, FaceliveError) as error:
        print(f"not started: {error}", file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:  # the port is taken or forbidden, or the address is none
        reason = getattr(error, "strerror", None) or error
        print(
            f"not started: cannot listen on {where} ({reason}): choose another with --host and --port", file=sys.stderr
        )
        return 2
    if app.test_client().get("/healthz").status_code == 503:
        print("Redis cannot be reached: uploads are answered with 503 until it can", file=sys.stderr)
    print(f"facelive is at http://{where}", flush=True)
    server.run()
    return 0


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 2**16):
        raise argparse.ArgumentTypeError("a port is a whole number below 65536")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
