"""Every link of the documentation to a file or a heading leads somewhere; no network needed."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.docs.pages import PAGES, ROOT, prose

CHECKED = [*PAGES, ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
_INLINE = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.M)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)(?:\s+\{[^}]*?#([\w-]+)[^}]*\})?\s*$", re.M)


def links(page: Path) -> list[str]:
    text = prose(page)
    return _INLINE.findall(text) + _REFERENCE.findall(text)


def anchors(page: Path) -> set[str]:
    """The ids that the headings and the explicit anchors of a page get."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = set(re.findall(r'\b(?:id|name)="([^"]+)"', text))
    for title, own in _HEADING.findall(text):
        found.add(own or _slug(title))
    for name in re.findall(r"^::: ([\w.]+)", text, re.M):
        found.add(name)
    return found


def _slug(title: str) -> str:
    """As Python-Markdown makes it, and GitHub for the titles used here."""
    plain = unicodedata.normalize("NFKD", re.sub(r"[`*]", "", title)).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


@pytest.mark.parametrize("page", CHECKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_outside_links_are_encrypted() -> None:
    for page in CHECKED:
        assert not [link for link in links(page) if link.startswith("http:")]
