"""The pages of the documentation, as the tests beside this file read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

__all__ = ["PAGES", "ROOT", "Snippet", "prose", "snippets"]

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^( *)(`{3,}|~{3,})(.*?)^ *\2 *$", re.M | re.S)
_BLOCK = re.compile(
    r"(?:^<!-- needs: (?P<needs>.+?) -->\n)?"
    r"^```python[^\n]*\n(?P<code>.*?)^```$"
    r"(?:\n+```text\n(?P<output>.*?)^```$)?",
    re.M | re.S,
)


@dataclass(frozen=True)
class Snippet:
    """A block of Python on a page.

    Args:
        line: Where its code starts on the page, counted from 1.
        code: The code.
        output: What the page says it prints, when a ``text`` block follows; ``…`` stands for anything.
        needs: Packages it needs beyond the library, from a comment ``<!-- needs: flask -->`` above it.
    """

    line: int
    code: str
    output: Optional[str]
    needs: tuple[str, ...]


def snippets(page: Path) -> Iterator[Snippet]:
    """The Python blocks of a page, in order; recipes are pulled in from files and have tests of their own."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("code")) + 1
        yield Snippet(line, block["code"], block["output"], tuple((block["needs"] or "").replace(",", " ").split()))


def prose(page: Path) -> str:
    """A page without its fenced blocks and inline code."""
    return re.sub(r"`[^`\n]+`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
