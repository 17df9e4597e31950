"""The camera page in a real browser, against the real server, with a real film before its camera."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

import pytest
from tests.examples.flask_app import lit, scene
from tests.examples.flask_app.browser import INSECURE_HOST, Browsers, hold_after, require_browser
from tests.examples.flask_app.serving import free_port, serving
from tests.examples.flask_app.turning import Surface, turned

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
    scenes = {
        "live": scene.live(),
        "attack": scene.attack(),
        "nobody": scene.nobody(),
        "darkness": scene.darkness(),
        "far": scene.far(),
        "two": scene.two(),
        "aside": scene.aside(),
    }
    return {name: scene.mjpeg(picture, folder / f"{name}.mjpeg") for name, picture in scenes.items()}


@pytest.fixture(scope="module")
def live_browser(browsers: Browsers, films: dict[str, Path]) -> Browser:
    return browsers.start(film=films["live"])


@pytest.fixture(scope="module")
def canvas_browser(browsers: Browsers) -> Browser:
    return browsers.start()


def opened(
    browser: Browser,
    port: int,
    host: str = "127.0.0.1",
    *,
    size: tuple[int, int] = (390, 844),
    camera: str | None = None,
    before: str = "",
) -> Page:
    """The page; with ``camera`` it films what that script draws instead of the browser's film."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(PATIENCE_MS)
    if camera is not None:
        page.add_init_script(CAMERA.replace("DRAW", camera))
        page.route("**/scene/*.jpg", lambda route: route.fulfill(body=filmed(route.request.url)))
    if before:
        page.add_init_script(before)
    page.goto(f"http://{host}:{port}/")
    return page


# A camera of the test's own: it films what a script draws, and may know which colour the page shows.
CAMERA = """
navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const context = canvas.getContext("2d");
    const load = async (name) => createImageBitmap(await (await fetch(`/scene/${name}.jpg`)).blob());
    const draw = await (DRAW)(load);
    const film = () => {
        const lamp = document.getElementById("light");
        draw(context, lamp.hidden ? "255-255-255" : lamp.firstChild.style.backgroundColor.match(/\\d+/g).join("-"));
        context.fillStyle = `rgb(${Math.random() * 255}, 0, 0)`; // what noise is to a camera
        context.fillRect(Math.random() * 600, 2, 2, 2);
    };
    film();
    setInterval(film, 40);
    return canvas.captureStream(25);
};
"""

SWAPPED = """async (load) => {
    const [live, attack] = [await load("live"), await load("attack")];
    return (context) => context.drawImage(document.getElementById("progress").value < 0.5 ? live : attack, 0, 0);
}"""

LIT = """async (load) => {
    const lit = {};
    for (const code of [1, 2, 3, 4, 5, 6, 7]) {
        const name = [code & 1, code & 2, code & 4].map((part) => (part ? 255 : 0)).join("-");
        lit[name] = await load(`lit-${name}`);
    }
    return (context, colour) => context.drawImage(lit[colour], 0, 0);
}"""

LIVE = """async (load) => {
    const live = await load("live");
    return (context) => context.drawImage(live, 0, 0);
}"""


# Somebody who does what the page says: SURFACE is the head, its picture or a mask of it; WAY 1 turns to the asked side.
TURNING = """async (load) => {
    const [right, straight, left] = await Promise.all([-40, 0, 40].map((degrees) => load(`SURFACE_${degrees}`)));
    return (context) => {
        const asked = { turn_left: 1, turn_right: -1 }[document.body.dataset.guidance] ?? 0;
        context.drawImage([right, straight, left][1 + asked * WAY], 0, 0);
    };
}"""


def filmed(url: str) -> bytes:
    name = url.rpartition("/")[2][:-4]
    if "_" in name:
        surface, degrees = name.split("_")
        return scene.jpeg(turned(cast(Surface, surface), float(degrees)))
    if name.startswith("lit-"):
        red, green, blue = (int(part) for part in name[4:].split("-"))
        return lit.frame((red, green, blue), lit.Room(0.4), seed=red + 2 * green + 4 * blue)
    return scene.jpeg({"live": scene.live, "attack": scene.attack}[name]())


def state(page: Page, name: str) -> None:
    page.wait_for_selector(f"body[data-state={name}]")


def status(page: Page) -> str:
    return " ".join(page.inner_text("#status").split())


def camera_is_off(page: Page) -> bool:
    return bool(page.evaluate("document.getElementById('video').srcObject === null"))


def test_a_live_face_is_done_and_the_camera_is_off(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    assert status(page).startswith("Show your face")
    page.click("#verify")
    page.wait_for_selector("body.filming")
    filming = time.monotonic()
    state(page, "live")
    print(f"the decision came {time.monotonic() - filming:.1f} s after the camera")
    assert status(page) == "Done This is a live face."
    assert page.get_by_role("progressbar").evaluate("bar => bar.value") == 1
    assert camera_is_off(page)
    assert page.is_visible("#verify") and page.is_hidden("#stop")
    page.wait_for_timeout(500)
    assert sum(url.endswith("/upload") for url in requests) == 5, "nothing is sent after the end"
    assert {urlsplit(url).hostname for url in requests} == {"127.0.0.1"}
    assert problems == []
    page.close()


def test_the_ring_shows_how_far_it_is(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    hold_after(page, 2)
    page.click("#verify")
    state(page, "looking")
    page.wait_for_timeout(300)
    assert page.is_visible(".ring") and page.is_hidden("#change")
    assert 0 < page.get_by_role("progressbar").evaluate("bar => bar.value") <= 0.4
    assert status(page) == "Looking Hold still."
    page.close()


def test_a_screen_may_try_again_twice_and_then_takes_another_way(browsers: Browsers, films: dict[str, Path]) -> None:
    with serving(environment={"FACELIVE_TRIES": "3"}) as port:
        page = opened(browsers.start(film=films["attack"]), port)
        page.click("#verify")
        for left in ("2 tries are", "1 try is"):
            page.wait_for_selector(f"#hint:has-text('{left} left')")
            assert status(page) == f"Try again This looks like a picture of a face. {left} left."
            assert camera_is_off(page)
            assert page.inner_text("#verify") == "Try again"
            page.click("#verify")
        state(page, "out")
        assert status(page).startswith("No more tries") and status(page).endswith("Please take the other way in.")
        assert camera_is_off(page) and page.is_hidden("#verify")
        page.reload()
        page.click("#verify")
        state(page, "out")
        page.close()


def test_a_picture_in_the_place_of_a_live_face_is_refused(canvas_browser: Browser, port: int) -> None:
    page = opened(canvas_browser, port, camera=SWAPPED)
    page.click("#verify")
    state(page, "spoof")
    assert status(page).startswith("Try again This looks like a picture of a face.")
    page.close()


@pytest.mark.parametrize(
    ("film", "guidance", "words", "shape"),
    [
        ("nobody", "face_the_camera", "No face found: come closer and look into the camera.", ".size"),
        ("darkness", "more_light", "More light: turn towards a window or a lamp.", ""),
        ("far", "come_closer", "Come closer.", ".size"),
        ("two", "one_person_only", "One person only, please.", ""),
        ("aside", "move_left", "A little to your left.", ".arrow"),
    ],
)
def test_a_face_is_guided_into_the_oval_in_words_and_in_shape(
    browsers: Browsers, films: dict[str, Path], port: int, film: str, guidance: str, words: str, shape: str
) -> None:
    page = opened(browsers.start(film=films[film]), port)
    page.click("#verify")
    page.wait_for_selector(f"body[data-guidance={guidance}]")
    assert status(page) == f"Not yet {words}"
    assert page.is_hidden(".ring")
    for mark in (".size", ".arrow"):
        assert page.is_visible(mark) is (mark == shape)
    page.keyboard.press("Escape")
    state(page, "idle")
    page.close()


def test_time_runs_out_and_the_camera_is_off(browsers: Browsers, films: dict[str, Path], port: int) -> None:
    page = browsers.start(film=films["nobody"]).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.clock.install()
    page.goto(f"http://127.0.0.1:{port}/")
    page.click("#verify")
    page.wait_for_selector("body[data-guidance=face_the_camera]")
    page.clock.fast_forward(61_000)
    page.wait_for_selector("#decision:has-text('Time is up')")
    assert camera_is_off(page) and page.is_visible("#verify")
    page.close()


@pytest.fixture(scope="module")
def lamp_port() -> Iterator[int]:
    with serving(environment={"FACELIVE_CHALLENGE": "light"}) as port:
        yield port


def test_the_page_asks_before_it_flashes_and_a_lit_face_is_done(canvas_browser: Browser, lamp_port: int) -> None:
    page = opened(canvas_browser, lamp_port, camera=LIT)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.click("#verify")
    state(page, "asking")
    assert status(page).startswith("The screen will change colours")
    assert page.is_hidden("#light") and camera_is_off(page)
    page.click("#agree")
    page.wait_for_selector("#light:visible")
    assert page.locator("#light").bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    inside = page.evaluate(
        "['video', 'status', 'stop'].map((id) => {"
        " const box = document.getElementById(id).getBoundingClientRect();"
        " const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);"
        " return box.top >= 0 && box.bottom <= innerHeight && !top.closest('#light'); })"
    )
    assert inside == [True, True, True], "the preview, the words and the way out lie on the light"
    state(page, "live")
    assert page.is_hidden("#light") and camera_is_off(page)
    assert problems == []
    page.close()


def test_a_film_does_not_follow_the_light(canvas_browser: Browser, lamp_port: int) -> None:
    page = opened(canvas_browser, lamp_port, camera=LIVE)
    page.click("#verify")
    page.click("#agree")
    state(page, "spoof")
    assert "That was not what was asked for" in status(page)
    assert page.is_hidden("#light") and camera_is_off(page)
    page.close()


def test_whom_light_disturbs_turns_the_head_instead(canvas_browser: Browser, lamp_port: int) -> None:
    page = opened(canvas_browser, lamp_port, camera=LIVE)
    page.click("#verify")
    page.click("#refuse")
    page.wait_for_selector("body[data-guidance^=turn_]")
    assert status(page).startswith("Turn your head Turn your head to your ")
    assert page.is_visible(".arrow") and page.is_hidden("#light")
    page.click("#stop")
    state(page, "idle")
    page.click("#verify")
    state(page, "looking")
    assert page.is_hidden("#light"), "asked once"
    page.close()


@pytest.fixture(scope="module")
def turn_port() -> Iterator[int]:
    with serving(environment={"FACELIVE_CHALLENGE": "turn", "FACELIVE_VISIT_S": "40"}) as port:
        yield port


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)])
def test_a_head_that_turns_to_the_asked_side_is_done(
    canvas_browser: Browser, turn_port: int, size: tuple[int, int]
) -> None:
    page = opened(canvas_browser, turn_port, size=size, camera=turning("head", 1))
    page.click("#verify")
    page.wait_for_selector("body[data-guidance^=turn_]")
    assert status(page).startswith("Turn your head Turn your head to your ")
    assert page.is_visible(".arrow") and page.is_visible(".ring")
    state(page, "live")
    assert camera_is_off(page)
    page.close()


@pytest.mark.parametrize(
    ("surface", "way", "words"),
    [
        ("head", -1, "That was not what was asked for"),
        ("flat", 1, "That took too long: turn your head further."),
        ("bent", 1, "That took too long: turn your head further."),
        ("mask", 1, "That took too long: turn your head further."),
    ],
)
def test_the_wrong_side_and_a_picture_that_turns_are_refused(
    canvas_browser: Browser, turn_port: int, surface: Surface, way: int, words: str
) -> None:
    page = opened(canvas_browser, turn_port, camera=turning(surface, way))
    page.click("#verify")
    page.wait_for_selector("body[data-guidance^=turn_]")
    state(page, "spoof")
    assert status(page).startswith(f"Try again {words}")
    assert camera_is_off(page)
    page.close()


def turning(surface: Surface, way: int) -> str:
    return TURNING.replace("SURFACE", surface).replace("WAY", str(way))


def test_an_apps_own_browser_without_a_camera_is_explained(live_browser: Browser, port: int) -> None:
    gone = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
    page = opened(live_browser, port, before=gone)
    page.click("#verify")
    state(page, "trouble")
    assert status(page).startswith("This browser lends no camera")
    assert "Open this page in your phone's own browser" in status(page)
    page.close()


@pytest.mark.parametrize("size", [(844, 390), (640, 360), (390, 844), (320, 568), (1280, 800)])
def test_the_face_and_the_words_are_in_view_together(live_browser: Browser, port: int, size: tuple[int, int]) -> None:
    """Phones on either side, and a laptop's page at 100 % and 200 %."""
    page = opened(live_browser, port, size=size)
    page.route("**/upload", lambda route: None)
    page.click("#verify")
    page.wait_for_selector("body.filming")
    for selector in ("#oval", "#decision", "#hint", "#stop"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1], selector
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0], selector
    page.close()


def test_the_cam_can_be_changed(browsers: Browsers, port: int) -> None:
    page = opened(browsers.start(cameras=2), port)
    assert page.is_hidden("#change")
    page.click("#verify")
    page.wait_for_selector("#change:visible")
    open_camera = "document.getElementById('video').srcObject.getVideoTracks()[0].getSettings().deviceId"
    first = page.evaluate(open_camera)
    seen = [first]
    for _ in range(2):
        page.click("#change")
        page.wait_for_selector("#change", state="hidden")
        page.wait_for_selector("#change:visible")
        seen.append(page.evaluate(open_camera))
    assert seen[1] != first
    assert seen[2] == first
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


def test_a_server_that_goes_away_is_waited_for(browsers: Browsers, films: dict[str, Path]) -> None:
    port = free_port()
    browser = browsers.start(film=films["nobody"])
    with serving(port):
        page = opened(browser, port)
        page.click("#verify")
        state(page, "guiding")
    state(page, "trouble")
    assert status(page) == "No answer The server does not answer. Trying again."
    with serving(port):
        state(page, "guiding")
    page.close()


def test_a_server_that_is_not_there_is_said(live_browser: Browser) -> None:
    port = free_port()
    with serving(port):
        page = opened(live_browser, port)
    page.click("#verify")
    state(page, "trouble")
    assert status(page) == "No answer The server does not answer: try again soon."
    page.close()


def test_the_keyboard_is_enough(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    page.route("**/upload", lambda route: None)
    focus = "document.activeElement.id"
    page.keyboard.press("Tab")
    assert page.evaluate(focus) == "verify"
    page.keyboard.press("Enter")
    page.wait_for_selector("body.filming")
    assert page.evaluate(focus) == "stop"
    page.keyboard.press("Escape")
    state(page, "idle")
    assert page.evaluate(focus) == "verify"
    page.close()


def test_a_change_is_announced(live_browser: Browser, port: int) -> None:
    page = opened(live_browser, port)
    region = page.get_by_role("status")
    assert region.get_attribute("aria-live") == "polite"
    page.click("#verify")
    state(page, "live")
    assert "Done" in region.inner_text()
    page.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(
    live_browser: Browser, port: int, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = live_browser.new_page(viewport={"width": width, "height": 720}, color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"http://127.0.0.1:{port}/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("idle", "asking", "guiding", "looking", "live", "spoof", "out", "trouble"):
        page.evaluate("name => { document.body.dataset.state = name }", name)
        for selector in (".decision", ".hint", ".privacy", "#verify", "#refuse"):
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
