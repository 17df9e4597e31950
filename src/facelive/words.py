"""The words of results, and how what a caller gave is read as a number and shown in a message."""

from __future__ import annotations

import enum
import math
from typing import Any, Callable

__all__ = ["Word", "as_number", "json_number", "printable", "quoted", "shown"]


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
    text = _said(str, value)
    return printable(text[:most]) + ("…" if len(text) > most else "")


def quoted(value: object, most: int = 60) -> str:
    """The same of a value's ``repr``, to tell a text from a number.

    Example:
        >>> quoted("0.5"), quoted(10**5000)
        ("'0.5'", '<int>')
    """
    return _said(repr, value)[:most]


def as_number(value: Any) -> float:
    """What a caller gave for a number, as a float; NaN, which no range includes, where it is none or beyond any.

    Example:
        >>> as_number("0.5"), as_number(10**400), as_number([])
        (0.5, nan, nan)
    """
    try:
        return float(value)
    except Exception:  # an integer of 400 digits, a word, an object of anybody's
        return math.nan


def json_number(value: Any) -> float:
    """What a state holds as a number: true, a text and NumPy's numbers are none.

    Raises:
        TypeError: It is none.
        OverflowError: It is beyond any float.

    Example:
        >>> json_number(1)
        1.0
    """
    if type(value) not in (int, float):
        raise TypeError(f"{quoted(value)} is no number")
    return float(value)


def _said(say: Callable[[object], str], value: object) -> str:
    try:
        return say(value)
    except Exception:  # an integer of more digits than Python prints, a list within itself, an object of anybody's
        return f"<{type(value).__name__}>"
