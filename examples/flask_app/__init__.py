"""A backend and a camera page around facelive: ``python -m examples.flask_app``, then http://127.0.0.1:5000."""

from examples.flask_app.app import create_app

__all__ = ["create_app"]
