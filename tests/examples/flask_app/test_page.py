"""The camera page in a real browser, against the real server, with a real film before its camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.browser import INSECURE_HOST, Browsers, require_browser
from tests.examples.flask_app.serving import free_port, serving

for module in ("flask_limiter", "waitress"):
    pytest.importorskip(module, reason=f"{module} is not installed: pip install -r examples/flask_app/requirements.txt")
require_browser()

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    scenes = {"live": scene.live(), "attack": scene.attack(), "nobody": scene.nobody(), "darkness": scene.darkness()}
    return {name: scene.mjpeg(picture, folder / f"{name}.mjpeg") for name, picture in scenes.items()}


@pytest.fixture(scope="module")
def live_browser(browsers: Browsers, films: dict[str, Path]) -> Browser:
    return browsers.start(film=films["live"])


def opened(browser: Browser, port: int, host: str = "127.0.0.1") -> Page:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"http://{host}:{port}/")
    return page


def state(page: Page, name: str) -> None:
    page.wait_for_selector(f"body[data-state={name}]")


def status(page: Page) -> str:
    return " ".join(page.inner_text("#status").split())


def test_a_live_face_gets_its_verdict_with_five_votes(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    assert status(page).startswith("Show your face")
    page.click("#verify")
    page.wait_for_selector("body[data-state=looking] .dots .live:nth-child(2)")
    state(page, "live")
    assert page.locator(".dots .live").count() == 5
    assert page.inner_text("#count") == "5 of 5 votes"
    assert page.get_attribute("#dots", "aria-label") == "5 of 5 votes: real, real, real, real, real"
    assert status(page) == "Real This is a live face."
    assert page.inner_text("#percentage").endswith("% Real")
    page.click("#stop")
    state(page, "idle")
    assert page.evaluate("document.getElementById('video').srcObject") is None
    assert {urlsplit(url).hostname for url in requests} == {"127.0.0.1"}
    assert problems == []
    page.close()


def test_a_screen_replay_is_not_taken_for_a_face(browsers: Browsers, films: dict[str, Path], port: int) -> None:
    page = opened(browsers.start(film=films["attack"]), port)
    page.click("#verify")
    state(page, "spoof")
    assert page.locator(".dots li[class]").count() == 5
    assert status(page) == "Fake This looks like a picture of a face."
    page.close()


@pytest.mark.parametrize(
    ("film", "words"), [("nobody", "No face found: look into the camera."), ("darkness", "More light: turn towards")]
)
def test_what_is_wrong_is_said_in_words(
    browsers: Browsers, films: dict[str, Path], port: int, film: str, words: str
) -> None:
    page = opened(browsers.start(film=films[film]), port)
    page.click("#verify")
    state(page, "rejected")
    assert words in status(page)
    assert page.locator(".dots li[class]").count() == 0
    assert page.inner_text("#percentage") == ""
    page.close()


def test_the_cam_can_be_changed(browsers: Browsers, port: int) -> None:
    page = opened(browsers.start(cameras=2), port)
    assert page.is_disabled("#change")
    page.click("#verify")
    page.wait_for_selector("#change:enabled")
    open_camera = "document.getElementById('video').srcObject.getVideoTracks()[0].getSettings().deviceId"
    first = page.evaluate(open_camera)
    seen = [first]
    for _ in range(2):
        page.click("#change")
        page.wait_for_selector("#change:enabled")
        seen.append(page.evaluate(open_camera))
    assert seen[1] != first
    assert seen[2] == first
    page.close()


def test_one_camera_leaves_nothing_to_change_to(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    page.click("#verify")
    state(page, "live")
    assert page.is_disabled("#change")
    page.close()


def test_a_camera_that_starts_too_late_is_off_again(live_browser: Browser, port: int) -> None:
    page = live_browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script("""
        const media = navigator.mediaDevices, lend = media.getUserMedia.bind(media);
        window.lent = [];
        media.getUserMedia = async (wish) => {
          const stream = await lend(wish);
          await new Promise((resolve) => setTimeout(resolve, 1000));
          window.lent.push(...stream.getTracks());
          return stream;
        };
    """)
    page.goto(f"http://127.0.0.1:{port}/")
    page.click("#verify")
    page.keyboard.press("Escape")
    state(page, "idle")
    for _ in range(PATIENCE_MS // 100):
        page.wait_for_timeout(100)
        if page.evaluate("lent.length"):
            break
    page.wait_for_timeout(200)
    assert page.evaluate("lent.map((track) => track.readyState)") == ["ended"]
    assert status(page).startswith("Stopped The camera is off.")
    page.close()


def test_no_camera_is_explained(browsers: Browsers, port: int) -> None:
    page = opened(browsers.start(cameras=0), port)
    page.click("#verify")
    state(page, "trouble")
    assert status(page) == "No camera found Connect a camera, then press Verify."
    assert page.is_visible("#verify")
    page.close()


def test_a_refused_camera_is_explained(browsers: Browsers, port: int) -> None:
    page = opened(browsers.start(allow=False), port)
    page.click("#verify")
    state(page, "trouble")
    assert status(page).startswith("The camera is blocked Allow the camera")
    page.close()


def test_plain_http_is_explained(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port, host=INSECURE_HOST)
    page.click("#verify")
    state(page, "trouble")
    assert status(page).startswith("A secure page is needed")
    assert f"https://{INSECURE_HOST}:{port}" in status(page)
    page.close()


def test_never_two_pictures_are_under_way(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    held: list[Route] = []
    page.route("**/upload", lambda route: held.append(route))
    page.click("#verify")
    for count in (1, 2, 3):
        while len(held) < count:
            page.wait_for_timeout(50)
        page.wait_for_timeout(1200)
        assert len(held) == count, "the next picture must wait for the answer to the last"
        held[-1].continue_()
    page.close()


def test_a_server_that_goes_away_is_waited_for(live_browser: Browser) -> None:
    port = free_port()
    with serving(port):
        page = opened(live_browser, port)
        page.click("#verify")
        state(page, "live")
    state(page, "trouble")
    assert status(page) == "No answer The server does not answer. Trying again."
    with serving(port):
        state(page, "live")
    page.close()


def test_the_keyboard_is_enough(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "verify"
    page.keyboard.press("Enter")
    state(page, "live")
    assert page.evaluate("document.activeElement.id") == "stop"
    page.keyboard.press("Escape")
    state(page, "idle")
    assert page.evaluate("document.activeElement.id") == "verify"
    page.close()


def test_a_change_is_announced(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    region = page.get_by_role("status")
    assert region.get_attribute("aria-live") == "polite"
    page.click("#verify")
    state(page, "live")
    assert "Real" in region.inner_text()
    assert "%" not in region.inner_text(), "a number that changes with every picture would be read out without end"
    page.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(
    live_browser: Browser, port: int, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = live_browser.new_page(viewport={"width": width, "height": 720}, color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"http://127.0.0.1:{port}/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("idle", "looking", "live", "spoof", "trouble"):
        page.evaluate("name => { document.body.dataset.state = name }", name)
        for selector in (".decision", ".hint", ".percentage", ".count", ".privacy", "#verify", "#change"):
            assert contrast(page, selector) >= 4.5, f"{selector} when {name} in {scheme}"
    assert page.evaluate("getComputedStyle(document.querySelector('.oval')).transitionDuration") in ("0s", "")
    page.close()


def contrast(page: Page, selector: str) -> float:
    """WCAG contrast of an element's text with the first opaque ground beneath it."""
    colours: list[str] = page.evaluate(
        """selector => {
            let element = document.querySelector(selector);
            const ink = getComputedStyle(element).color;
            while (element && getComputedStyle(element).backgroundColor === "rgba(0, 0, 0, 0)") {
                element = element.parentElement;
            }
            return [ink, getComputedStyle(element ?? document.body).backgroundColor];
        }""",
        selector,
    )
    low, high = sorted(luminance(colour) for colour in colours)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)``, as WCAG 2 defines it."""
    channels = [int(value) / 255 for value in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
