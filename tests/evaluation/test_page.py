"""The page as a customer opens it: complete, self-contained, readable in light and dark, narrow and wide."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from tests.evaluation.conftest import MakePicture

from facelive import LivenessDetector
from facelive.evaluation import Report, evaluate, render_page

pytest.importorskip("jinja2", reason='pip install "facelive[report]"')

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def report(folder: Path, detector: LivenessDetector, picture: MakePicture, tmp_path: Path) -> Report:
    for number in range(7):
        picture(folder / "spoof" / f"<b>species {number}" / "0.png", 0.2 + 0.07 * number, seed=number)
    return evaluate(folder, detector, results=tmp_path / "r.jsonl", limit={"max_bpcer": 0.4})


@pytest.fixture
def page(report: Report, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(render_page(report), encoding="utf-8")
    return path


class _Balance(HTMLParser):
    """Counts open elements."""

    VOID = ("meta", "br", "wbr", "img", "line", "rect", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.open: List[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_every_part_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for heading in (
        "Before quoting a figure",
        "Errors by species",
        "Detection error trade-off",
        "Reliability",
        "Scores",
        "Attacks judged live",
        "Live faces judged attacks",
        "Not judged",
        "Model card",
        "Run",
    ):
        assert heading in text
    for value in ("Judges brightness.", "spoof/print/0.png", "live/tiny.png", "spoof/print/broken.jpg", "12.50 %"):
        assert value in text
    assert "Operating point for BPCER of at most 40 %" in text


def test_the_page_is_well_formed_and_names_from_the_data_stay_text(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    balance = _Balance()
    balance.feed(text)
    assert not balance.open
    assert "<b>species" not in text
    assert "&lt;b&gt;species 0" in text


def test_the_page_needs_nothing_else(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//|<script|<img|<link|url\(|@import|\bsrc=|\bhref=", text)
    assert "default-src 'none'" in text


def test_the_page_shows_the_worst_mistakes_only_when_asked(report: Report, folder: Path) -> None:
    shown = re.findall(r'<img src="data:image/jpeg;base64,[A-Za-z0-9+/=]+"', render_page(report, thumbnails=True))
    assert len(shown) == report.accepted.total + report.refused.total == 5
    (folder / "live" / "0.png").unlink()
    assert render_page(report, thumbnails=True).count("<img") == 4


def test_the_page_begins_with_two_plain_sentences(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "Of 100 live people, 23 are refused (3 of 13 were)." in text
    assert "the worst species here, 100 pass (1 of 1 did)" in text


def test_a_report_without_measures_is_a_page_too(
    tmp_path: Path, detector: LivenessDetector, picture: MakePicture
) -> None:
    picture(tmp_path / "set" / "live" / "tiny.png", 0.8, side=16)
    picture(tmp_path / "set" / "spoof" / "print" / "a.png", 0.2)
    text = render_page(evaluate(tmp_path / "set", detector, results=tmp_path / "r.jsonl"))
    assert "One class has no score at all" in text
    assert "Detection error trade-off" not in text


@pytest.fixture
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser(page: Path, browser: Any, scheme: str, width: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    requests: List[str] = []
    problems: List[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: problems.append(message.text))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.goto(page.as_uri())
    assert requests == [page.as_uri()]
    assert not problems
    # Only tables scroll sideways, each in its own box.
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = tab.evaluate("getComputedStyle(document.body).color")
    assert (_brightness(ground) > _brightness(ink)) == (scheme == "light")
    assert abs(_brightness(ground) - _brightness(ink)) > 180
    curves = tab.eval_on_selector_all("svg.det polyline", "all => all.map(one => one.getTotalLength())")
    assert len(curves) == 1 + 1 + 9  # the diagonal, the worst of all, nine species
    assert all(length > 20 for length in curves)
    assert tab.locator("svg.histogram").count() == 10
    assert tab.evaluate("[...document.querySelectorAll('svg text')].every(one => one.getBBox().width > 0)")
    tab.close()


def _brightness(colour: str) -> float:
    red, green, blue = map(float, re.findall(r"[\d.]+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
