"""The built site: strict, whole, and quiet, which means that reading it asks nobody else for anything."""

from __future__ import annotations

import functools
import importlib
import re
import shutil
import subprocess
import sys
import threading
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from tests.docs.pages import ROOT

# What a browser fetches by itself, as against links that a reader may follow.
FETCHED = {
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "use": "href",
}


class Page(HTMLParser):
    """The links, ids and fetched files of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: List[str] = []
        self.ids: set[str] = set()
        self.fetched: List[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        given: Dict[str, str] = {name: value or "" for name, value in attrs}
        self.ids.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if given.get(FETCHED.get(tag, ""), "") and given.get("rel") not in ("canonical", "prev", "next"):
            self.fetched.append(given[FETCHED[tag]])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("material", "mkdocstrings_handlers"):
        pytest.importorskip(package, reason="the documentation tools are not installed: pip install -e . --group docs")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert not re.search(r"^WARNING", built.stderr, re.M), built.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> Dict[str, Page]:
    """Every page by its path from the root of the site."""
    return {
        "/" + path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    }


def test_every_link_leads_somewhere(site: Path, pages: Dict[str, Page]) -> None:
    broken = []
    for name, page in pages.items():
        if name == "/404.html":  # its links start from the root of the server
            continue
        for link in page.links + page.fetched:
            target = urlsplit(urljoin(f"http://here{name}", link))
            if target.netloc != "here" or target.scheme == "data":
                continue
            path = unquote(target.path)
            path += "index.html" if path.endswith("/") else ""
            if not (site / path[1:]).is_file() or (target.fragment and target.fragment not in pages[path].ids):
                broken.append(f"{name} -> {link}")
    assert not broken


def test_the_site_may_stand_in_any_folder(pages: Dict[str, Page]) -> None:
    """As one of several versions does."""
    for name, page in pages.items():
        if name != "/404.html":
            assert not [link for link in page.links + page.fetched if link.startswith("/")], name


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: Dict[str, Page]) -> None:
    for name, page in pages.items():
        assert not [file for file in page.fetched if re.match(r"(?:https?:)?//", file)], name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_examples_are_shown_as_code(site: Path) -> None:
    reference = (site / "api" / "index.html").read_text(encoding="utf-8")
    assert "&gt;&gt;&gt;" in reference
    assert "<blockquote>" not in reference


def test_only_pages_and_their_files_are_published(site: Path) -> None:
    assert not [path for path in site.rglob("*") if path.suffix in (".py", ".cff", ".md", ".tflite")]


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Silent, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_no_page_is_wider_than_a_phone(address: str, pages: Dict[str, Page]) -> None:
    pytest.importorskip("playwright", reason="playwright is not installed: no browser looked at the site")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium is installed: no browser looked at the site")
    wide = []
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(120_000)
        for name in pages:
            page.goto(address + name)
            if page.evaluate("document.documentElement.scrollWidth") > 390:
                wide.append(name)
        browser.close()
    assert not wide


def test_a_browser_asks_nobody_else(address: str) -> None:
    pytest.importorskip("playwright", reason="playwright is not installed: no browser looked at the site")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium is installed: no browser looked at the site")
    asked: set[str] = set()
    failed: List[str] = []
    said: List[str] = []
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(120_000)  # a busy machine is no failure
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
        page.on("pageerror", lambda error: failed.append(str(error)))
        for name in ("streaming/", "scores/", "deployment/", "api/", "glossary/", ""):
            page.goto(f"{address}/{name}")
        page.goto(f"{address}/threshold/")
        page.locator("#threshold-plot input").fill("0.8")
        said.append(page.locator("#threshold-plot .said").inner_text())
        page.click(".md-search__input", force=True)
        page.keyboard.type("threshold")
        page.wait_for_selector(".md-search-result__item")
        browser.close()
    assert asked <= {urlsplit(address).netloc, ""}
    assert not failed
    assert re.fullmatch(
        r"At a threshold of 0\.80: [\d.]+ % of attacks pass, [\d.]+ % of live people are refused\.", said[0]
    )
