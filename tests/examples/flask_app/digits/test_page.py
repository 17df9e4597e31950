"""The digits in a real browser: a film before its camera, a WAV before its microphone, and the real server."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Callable
from urllib.parse import urlsplit

import numpy as np
import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.browser import Browsers, require_browser
from tests.examples.flask_app.digits import speech
from tests.examples.flask_app.serving import serving

for module in ("flask_limiter", "waitress"):
    pytest.importorskip(module, reason=f"{module} is not installed: pip install -r examples/flask_app/requirements.txt")
require_browser()

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request, Route

PATIENCE_MS = 120_000
Speak = Callable[[Sequence[int]], bytes]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(environment={"FACELIVE_CHALLENGE": "digits"}) as port:
        yield port


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone hears next."""
    path = tmp_path_factory.mktemp("sound") / "heard.wav"
    path.write_bytes(speech.wav(np.zeros(16_000)))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scene.mjpeg(scene.live(), tmp_path_factory.mktemp("films") / "live.mjpeg")


@pytest.fixture(scope="module")
def browser(browsers: Browsers, film: Path, heard: Path) -> Browser:
    return browsers.start(film=film, sound=heard)


@pytest.fixture
def page(browser: Browser, port: int) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"http://127.0.0.1:{port}/")
    yield page
    page.close()


def speaks(page: Page, heard: Path, speak: Speak) -> list[str]:
    """Let somebody read each new digits from the screen; the digits so far."""
    phrases: list[str] = []

    def answered(route: Route) -> None:
        response = route.fetch()
        asked = (response.json().get("digits") or {}).get("say")
        if asked and asked not in phrases:
            phrases.append(asked)
            heard.write_bytes(speak([int(digit) for digit in asked.split()]))
        route.fulfill(response=response)

    page.route("**/upload", answered)
    page.route("**/digits", answered)
    return phrases


def microphone_is_off(page: Page) -> bool:
    return bool(page.evaluate("lent.length && lent.every((track) => track.readyState === 'ended')"))


LENT = """
    const media = navigator.mediaDevices, lend = media.getUserMedia.bind(media);
    window.lent = [];
    media.getUserMedia = async (wish) => {
      const stream = await lend(wish);
      window.lent.push(...stream.getAudioTracks());
      return stream;
    };
"""


def state(page: Page, name: str) -> None:
    page.wait_for_selector(f"body[data-state={name}]")


def status(page: Page) -> str:
    return " ".join(page.get_by_role("status").inner_text().split())


def agree(page: Page) -> None:
    page.click("#verify")
    state(page, "asking")
    page.click("#agree")


def test_the_page_asks_first_and_right_digits_are_done(browser: Browser, port: int, heard: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(LENT)
    problems, requests = [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request))
    page.goto(f"http://127.0.0.1:{port}/")
    phrases = speaks(page, heard, lambda digits: speech.wav(speech.understood(digits)))
    page.click("#verify")
    state(page, "asking")
    assert status(page).startswith("You will say four digits Read them aloud while the camera looks")
    assert page.inner_text("#agree") == "Start with digits" and page.inner_text("#refuse") == "Without speaking"
    assert page.evaluate("lent.length") == 0, "nothing is opened before the person agrees"
    page.click("#agree")
    page.wait_for_selector("#say:visible")
    assert page.inner_text("#digits") == phrases[0]
    assert page.inner_text("#decision") == f"Say {phrases[0]}"
    state(page, "live")
    assert page.is_hidden("#say") and microphone_is_off(page)
    sent = uploads(requests, "/digits")
    assert 1 <= len(sent) <= 2
    with wave.open(io.BytesIO(sound_in(sent[0]))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        assert 16_000 < file.getnframes() < 7.5 * 16_000
    assert {urlsplit(request.url).hostname for request in requests} == {"127.0.0.1"}
    while_speaking = [request.url.rsplit("/", 1)[1] for request in requests]
    assert while_speaking[while_speaking.index("upload") : while_speaking.index("digits")].count("upload") > 3
    assert problems == []
    page.close()


def uploads(requests: Sequence[Request], path: str) -> list[bytes]:
    return [request.post_data_buffer or b"" for request in requests if urlsplit(request.url).path == path]


def sound_in(form: bytes) -> bytes:
    return form[form.index(b"RIFF") :]


def test_wrong_digits_are_asked_for_once_more_and_then_refused(page: Page, heard: Path) -> None:
    phrases = speaks(page, heard, lambda digits: speech.wav(speech.said([*digits[:3], (digits[3] + 4) % 10])))
    agree(page)
    page.wait_for_selector("#hint:has-text('That was not understood')")
    state(page, "spoof")
    assert status(page).startswith("Try again That was not what was asked for: do as the screen says.")
    assert len(phrases) == 2
    assert page.is_hidden("#say")


def test_a_made_up_voice_says_no_digits(page: Page, heard: Path) -> None:
    speaks(page, heard, lambda digits: speech.wav(speech.vowels()))
    agree(page)
    state(page, "spoof")
    assert "That was not what was asked for" in status(page)


def test_silence_is_said_and_the_same_digits_stay(page: Page, heard: Path) -> None:
    phrases = speaks(page, heard, lambda digits: speech.wav(np.zeros(16_000)))
    agree(page)
    page.wait_for_selector("#hint:has-text('Nothing was heard')")
    assert page.inner_text("#digits") == phrases[0] and len(phrases) == 1
    assert page.is_visible("#say")
    page.keyboard.press("Escape")
    state(page, "idle")
    assert page.is_hidden("#say")


def test_who_would_rather_not_speak_turns_the_head(page: Page) -> None:
    page.add_init_script(LENT)
    page.reload()
    page.click("#verify")
    page.click("#refuse")
    page.wait_for_selector("body[data-guidance^=turn_]")
    assert page.evaluate("lent.length") == 0 and page.is_hidden("#say")
    page.click("#stop")
    page.click("#verify")
    state(page, "looking")
    assert page.evaluate("lent.length") == 0, "asked once"


def camera_alone(browsers: Browsers, film: Path, port: int) -> BrowserContext:
    context = browsers.start(film=film, allow=False).new_context()
    context.grant_permissions(["camera"], origin=f"http://127.0.0.1:{port}")
    context.set_default_timeout(PATIENCE_MS)
    return context


def test_a_refused_microphone_is_explained_and_there_is_another_way(browsers: Browsers, film: Path, port: int) -> None:
    page = camera_alone(browsers, film, port).new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    agree(page)
    state(page, "trouble")
    assert status(page).startswith(
        "The microphone is blocked Allow the microphone for this page beside the address bar"
    )
    assert page.is_visible("#verify") and page.inner_text("#refuse") == "Without speaking"
    page.click("#refuse")
    page.wait_for_selector("body[data-guidance^=turn_]")


def test_no_microphone_is_explained(browser: Browser, port: int) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script("""
        const media = navigator.mediaDevices, lend = media.getUserMedia.bind(media);
        media.getUserMedia = (wish) => lend(wish.audio ? { audio: { deviceId: { exact: "none" } } } : wish).catch(
          (error) => { throw error.name === "OverconstrainedError" ? new DOMException("", "NotFoundError") : error; });
    """)
    page.goto(f"http://127.0.0.1:{port}/")
    agree(page)
    state(page, "trouble")
    assert status(page) == "No microphone found Connect a microphone, or go on without speaking."
    page.close()


@pytest.mark.parametrize("size", [(844, 390), (640, 360), (390, 844), (320, 568), (1280, 800)])
def test_the_digits_and_the_face_are_in_view_together(
    browser: Browser, port: int, heard: Path, size: tuple[int, int]
) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"http://127.0.0.1:{port}/")
    speaks(page, heard, lambda digits: speech.wav(speech.hiss(7)))
    agree(page)
    page.wait_for_selector("#say:visible")
    for selector in ("#oval", "#say", "#decision", "#stop"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1], selector
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0], selector
    page.close()
