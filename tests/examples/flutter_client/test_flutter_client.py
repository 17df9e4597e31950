"""The Flutter client in a real browser, against the real backend, with a real film before its camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.browser import Browsers, require_browser
from tests.examples.flask_app.serving import free_port, serving
from tests.examples.flutter_client.driving import client, opened, says

for module in ("flask_limiter", "waitress", "flet", "flet_camera", "flet_web"):
    pytest.importorskip(
        module, reason=f"{module} is not installed: pip install -r examples/flutter_client/requirements.txt"
    )
require_browser()

if TYPE_CHECKING:
    from playwright.sync_api import Request

PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as backend, client(backend) as port:
        yield port


def film(picture: object, folder: Path) -> Path:
    return scene.mjpeg(picture, folder / "film.mjpeg")  # type: ignore[arg-type]


def test_a_live_face_is_done_and_the_camera_is_off(browsers: Browsers, port: int, tmp_path: Path) -> None:
    browser = browsers.start(film=film(scene.live(), tmp_path))
    page = opened(browser, port)
    page.get_by_role("button", name="Verify").click()
    says(page, "Looking. Still looking")
    assert page.locator("video").count() > 0
    says(page, "Done. This is a live face.")
    page.get_by_role("button", name="Verify").wait_for()
    page.wait_for_selector("video", state="detached")
    page.close()


def test_a_screen_is_refused(browsers: Browsers, port: int, tmp_path: Path) -> None:
    page = opened(browsers.start(film=film(scene.attack(), tmp_path)), port)
    page.get_by_role("button", name="Verify").click()
    says(page, "Try again. This looks like a picture of a face.")
    page.close()


def test_no_face_says_so_and_stop_turns_the_camera_off(browsers: Browsers, port: int, tmp_path: Path) -> None:
    page = opened(browsers.start(film=film(scene.nobody(), tmp_path)), port)
    page.get_by_role("button", name="Verify").click()
    says(page, "Not yet. No face found: come closer")
    page.get_by_role("button", name="Stop").click()
    says(page, "Stopped. The camera is off.")
    page.wait_for_selector("video", state="detached")
    page.close()


def test_the_cam_can_be_changed(browsers: Browsers, port: int) -> None:
    page = opened(browsers.start(cameras=2), port)
    change = page.get_by_role("button", name="Change the Cam")
    assert change.is_disabled()
    page.get_by_role("button", name="Verify").click()
    says(page, "Not yet.")
    camera = "video => video.srcObject.getVideoTracks()[0].label"
    seen = [page.locator("video").last.evaluate(camera)]
    for _ in range(2):
        change.click()
        says(page, "One moment.")
        says(page, "Not yet.")
        seen.append(page.locator("video").last.evaluate(camera))
    assert seen[0] != seen[1]
    assert seen[0] == seen[2]
    page.close()


def test_no_camera_is_explained(browsers: Browsers, port: int) -> None:
    page = opened(browsers.start(cameras=0), port)
    page.get_by_role("button", name="Verify").click()
    says(page, "No camera found. Connect a camera")
    page.get_by_role("button", name="Verify").wait_for()
    page.close()


def test_a_backend_that_is_not_there_is_said(browsers: Browsers) -> None:
    with client(free_port()) as port:
        page = opened(browsers.start(), port)
        page.get_by_role("button", name="Verify").click()
        says(page, "No answer. The server does not answer.")
        page.get_by_role("button", name="Verify").wait_for()
        page.close()


def test_no_request_leaves_the_machine(browsers: Browsers, port: int, tmp_path: Path) -> None:
    page = browsers.start(film=film(scene.live(), tmp_path)).new_page()
    outside: list[Request] = []
    page.on("request", lambda request: outside.append(request) if _is_outside(request.url) else None)
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("flt-semantics-placeholder", state="attached", timeout=PATIENCE_MS)
    # Flet's own web client asks for one script that is not used here; the page's policy stops it in the browser.
    assert {request.failure for request in outside} <= {"csp"}
    page.close()


def _is_outside(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1"
