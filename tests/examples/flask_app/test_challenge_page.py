"""The page's challenge in a real browser: a face that its screen lights passes, a film does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.examples.flask_app import lit, scene
from tests.examples.flask_app.browser import Browsers, require_browser
from tests.examples.flask_app.serving import serving

for module in ("flask_limiter", "waitress"):
    pytest.importorskip(module, reason=f"{module} is not installed: pip install -r examples/flask_app/requirements.txt")
require_browser()

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

PATIENCE_MS = 120_000

# A camera whose picture follows the page's own light: no film that a browser can be given does.
CAMERA = """
navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const context = canvas.getContext("2d");
    const pictures = {};
    for (const code of [3, 5, 6, 1, 2, 4, 7]) {
        const name = [code & 1, code & 2, code & 4].map((part) => (part ? 255 : 0)).join("-");
        pictures[name] = await createImageBitmap(await (await fetch(`/lit/${name}.jpg`)).blob());
    }
    const film = () => {
        const light = document.getElementById("light");
        const shown = light.hidden ? "rgb(255, 255, 255)" : light.style.backgroundColor;
        context.drawImage(pictures[shown.match(/\\d+/g).join("-")], 0, 0);
        context.fillStyle = `rgb(${Math.random() * 255}, 0, 0)`; // what noise is to a camera
        context.fillRect(Math.random() * 600, 2, 2, 2);
    };
    film();
    setInterval(film, 40);
    return canvas.captureStream(25);
};
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(environment={"FACELIVE_CHALLENGE": "colour", "FACELIVE_NONCE_TTL_S": "120"}) as port:
        yield port


def opened(browser: Browser, port: int, *, follows: bool) -> Page:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE_MS)
    if follows:
        page.add_init_script(CAMERA)
        page.route("**/lit/*.jpg", light)
    page.goto(f"http://127.0.0.1:{port}/")
    return page


def light(route: Route) -> None:
    red, green, blue = (int(part) for part in route.request.url.rpartition("/")[2][:-4].split("-"))
    picture = lit.frame((red, green, blue), lit.Room(0.4), seed=red + 2 * green + 4 * blue)
    route.fulfill(body=picture, content_type="image/jpeg")


def test_a_face_that_the_page_lights_gets_its_verdict(browsers: Browsers, port: int) -> None:
    page = opened(browsers.start(), port, follows=True)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    assert page.is_hidden("#light")
    page.click("#verify")
    page.wait_for_selector("#light:visible")
    box = page.locator("#light").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}, "the whole screen lights the face"
    page.wait_for_selector("body[data-state=live]")
    page.wait_for_selector("#light", state="hidden")
    assert page.inner_text("#count") == "5 of 5 votes"
    assert page.inner_text("#decision") == "Real"
    assert page.evaluate("document.getElementById('video').srcObject") is None, "one challenge, one verdict"
    assert page.is_visible("#verify")
    assert problems == []
    page.close()


def test_a_film_does_not_follow_and_the_person_is_told(browsers: Browsers, port: int, tmp_path: Path) -> None:
    browser = browsers.start(film=scene.mjpeg(scene.live(), tmp_path / "film.mjpeg"))
    page = opened(browser, port, follows=False)
    page.click("#verify")
    for _ in range(2):
        page.wait_for_selector("body[data-state=rejected]")
        assert "did not follow the screen" in page.inner_text("#hint")
        assert page.is_hidden("#light"), "what went wrong can be read"
        assert page.inner_text("#count") == "0 of 5 votes"
        page.wait_for_selector("body[data-state=looking]")
    page.keyboard.press("Escape")
    page.wait_for_selector("body[data-state=idle]")
    assert page.is_hidden("#light")
    page.close()
