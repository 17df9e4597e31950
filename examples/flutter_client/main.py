"""The app on a phone: ``flet build apk examples/flutter_client``."""

from __future__ import annotations

import os

import flet as ft
from examples.flutter_client.app import App

__all__ = ["show"]

SERVER = os.environ.get("FACELIVE_SERVER", "http://127.0.0.1:5000")


async def show(page: ft.Page) -> None:
    """Show the client on a page."""
    App(page, SERVER)


if __name__ == "__main__":
    ft.run(show)
