"""Starts the Flutter client as a person would, and reads it as a screen reader does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.examples.flask_app.serving import free_port, serving_process

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE_MS = 120_000


@contextmanager
def client(backend: int) -> Iterator[int]:
    """Run ``python -m examples.flutter_client`` and yield its port."""
    port = free_port()
    options = f"--server http://127.0.0.1:{backend}"
    with serving_process(port, module="examples.flutter_client", options=options):
        yield port


def opened(browser: Browser, port: int) -> Page:
    """Open the client and have it describe itself, as it does for a screen reader: Flutter paints on a canvas."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("flt-semantics-placeholder", state="attached")
    page.locator("flt-semantics-placeholder").dispatch_event("click")
    page.get_by_role("button", name="Verify").wait_for()
    return page


def says(page: Page, words: str) -> None:
    """Wait until the client shows some words."""
    page.locator("flt-semantics-host").get_by_text(words).first.wait_for(state="attached")
