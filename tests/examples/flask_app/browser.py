"""A real browser whose camera films what a test puts before it, and that reaches this machine alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

INSECURE_HOST = "facelive.test"
"""A name for this machine that a browser does not count as this machine."""


def require_browser() -> str:
    """The path of Chromium; skips the calling module when it or Playwright is missing."""
    pytest.importorskip("playwright", reason="Playwright is not installed: pip install --group browser")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium", allow_module_level=True)
    return path


def hold_after(page: Page, uploads: int) -> None:
    """Answer so many uploads of a page and no more: it stays in the middle of its visit."""
    passed = iter(range(uploads))
    page.route("**/upload", lambda route: route.continue_() if next(passed, None) is not None else None)


class Browsers:
    """Starts Chromium as often as a test module needs it; close it with the module."""

    def __init__(self) -> None:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self._started: list[Browser] = []

    def start(
        self, *, film: Optional[Path] = None, sound: Optional[Path] = None, cameras: int = 1, allow: bool = True
    ) -> Browser:
        """Start one.

        Args:
            film: What its one camera shows; without it, each camera shows the browser's own test picture.
            sound: What its microphone hears, once: a WAV that is read anew whenever the microphone is opened.
            cameras: How many cameras it has.
            allow: Whether the person allows the page to use them.
        """
        options = [
            "--no-sandbox",
            f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--use-fake-ui-for-media-stream" if allow else "--deny-permission-prompts",
        ]
        if cameras:
            options.append(f"--use-fake-device-for-media-stream=device-count={cameras}")
        if film is not None:
            options.append(f"--use-file-for-fake-video-capture={film}")
        if sound is not None:
            options.append(f"--use-file-for-fake-audio-capture={sound}%noloop")
        browser = self._playwright.chromium.launch(executable_path=require_browser(), args=options)
        self._started.append(browser)
        return browser

    def close(self) -> None:
        """End every browser that was started."""
        for browser in self._started:
            browser.close()
        self._playwright.stop()
