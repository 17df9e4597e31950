"""One version everywhere, and a door that the reference shows whole."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

import facelive


def found(pattern: str, file: str) -> list[str]:
    return re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.M)


def test_one_version_everywhere() -> None:
    version = [facelive.__version__]
    assert found(r'^version = "(.+)"$', "pyproject.toml") == version
    assert found(r"^version: (.+)$", "docs/CITATION.cff") == version
    assert found(r"^copyright: facelive (\S+)", "mkdocs.yml") == version
    assert found(r"^## (\d\S*)", "CHANGELOG.md")[0] == version[0]


def test_the_reference_shows_every_name_at_the_door() -> None:
    linked = set(found(r"\[`(\w+)`\]\[facelive\.", "docs/api/index.md"))
    assert linked == set(facelive.__all__)


def test_every_page_is_in_the_navigation() -> None:
    shown = set(found(r"^ +- (?:\w+: )?(\S+\.md)$", "mkdocs.yml"))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert shown >= {page for page in pages if not page.startswith("images/")}


def test_one_command_draws_every_picture() -> None:
    from docs.redraw import STEPS

    drawn = {file for step in STEPS for file in step.files}
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in ("docs", "examples")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".png", ".jpg", ".svg", ".webp") and "site" not in path.parts
    }
    assert drawn == there - {"examples/portrait.jpg", "examples/flask_app/static/icon.svg"}
