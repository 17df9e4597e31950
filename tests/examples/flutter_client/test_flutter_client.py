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


def test_a_live_face_gets_its_verdict_with_five_votes(browsers: Browsers, port: int, tmp_path: Path) -> None:
    browser = browsers.start(film=film(scene.live(), tmp_path))
    page = opened(browser, port)
    says(page, "0 of 5 votes")
    page.get_by_role("button", name="Verify").click()
    says(page, "Real. This is a live face.")
    says(page, "5 of 5 votes")
    says(page, "% Real")
    page.get_by_role("button", name="Stop").click()
    says(page, "Stopped. The camera is off.")
    page.get_by_role("button", name="Verify").wait_for()
    page.close()


def test_a_screen_replay_is_not_taken_for_a_face(browsers: Browsers, port: int, tmp_path: Path) -> None:
    page = opened(browsers.start(film=film(scene.attack(), tmp_path)), port)
    page.get_by_role("button", name="Verify").click()
    says(page, "Fake. This looks like a picture of a face.")
    page.close()


def test_no_face_says_so(browsers: Browsers, port: int, tmp_path: Path) -> None:
    page = opened(browsers.start(film=film(scene.nobody(), tmp_path)), port)
    page.get_by_role("button", name="Verify").click()
    says(page, "Not yet. No face found: look into the camera.")
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


def test_a_backend_that_is_not_there_is_waited_for(browsers: Browsers, tmp_path: Path) -> None:
    backend = free_port()
    with client(backend) as port:
        page = opened(browsers.start(film=film(scene.live(), tmp_path)), port)
        page.get_by_role("button", name="Verify").click()
        says(page, "No answer. The server does not answer.")
        with serving(backend):
            says(page, "Real. This is a live face.")
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
