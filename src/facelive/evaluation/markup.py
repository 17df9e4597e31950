"""The few HTML shapes that repeat on the page."""

from __future__ import annotations

from html import escape
from typing import Any, Mapping, Sequence

__all__ = ["definitions", "table"]

_FEW = 8


def table(names: Sequence[str], body: str, *, kind: str = "") -> str:
    """A table that scrolls on its own where the page is narrow; ``body`` is HTML, the names are text."""
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in names)
    attribute = f' class="{kind}"' if kind else ""
    return f"<div class=scroll><table{attribute}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def definitions(title: str, words: Mapping[str, Any]) -> str:
    """A titled list of names and what they are; nested values are flattened, empty ones left out."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in _flat(words))
    return f"<h2>{escape(title)}</h2><dl class=card>{items}</dl>" if items else ""


def _flat(words: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(name), _value(value)) for name, value in words.items() if value not in (None, "", [], {}, ())]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _folded([f"{escape(name)}: {inner}" for name, inner in _flat(value)])
    if isinstance(value, (list, tuple)):
        sentences = any(isinstance(one, str) and " " in one for one in value)
        parts = [_value(one) for one in value]
        return "<br>".join(parts) if sentences else _folded(parts)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(f"{value:g}" if isinstance(value, float) else str(value))


def _folded(parts: Sequence[str]) -> str:
    """A few values in a row; many, such as the sources a model was trained on, one below the other and folded."""
    if len(parts) <= _FEW:
        return ", ".join(parts)
    return f"<details><summary>{len(parts)} entries</summary>{'<br>'.join(parts)}</details>"
