"""The words of results, and how a caller's text is shown in a message."""

from __future__ import annotations

import enum

__all__ = ["Word", "printable", "shown"]


class Word(str, enum.Enum):
    """A word that formats as itself on every Python; 3.11 changed what ``f"{member}"`` gives."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)


def printable(text: str) -> str:
    r"""A text with escapes for what would move the cursor, start a line or is no character at all.

    Example:
        >>> print(printable("caf\udce9\n.jpg"))
        caf\udce9\n.jpg
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def shown(value: object, most: int = 60) -> str:
    """A short, printable beginning of what a caller handed in or a library said: never the whole of it.

    Example:
        >>> shown("a path\\nof two lines", 9)
        'a path\\\\nof…'
    """
    text = str(value)
    return printable(text[:most]) + ("…" if len(text) > most else "")
