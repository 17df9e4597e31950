"""From the words of a command line to the pictures that they mean."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Iterable, Iterator, List

__all__ = ["STANDARD_INPUT", "pictures"]

STANDARD_INPUT = "-"

_SUFFIXES = frozenset(
    f".{name}"
    for name in ("jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "webp", "tif", "tiff", "heic", "heif", "avif")
)  # those of formats that are not read are here too: a folder of them should say so


def pictures(words: Iterable[str]) -> List[str]:
    """The paths that are meant, in order.

    A folder stands for the pictures in it and below, by name, hidden ones left out; a pattern such as ``*.jpg`` or
    ``visits/**/*.png`` for what it matches, where the shell has not replaced it; any other word for itself.

    Raises:
        ValueError: A folder cannot be listed or holds no picture, or a pattern matches nothing.

    Example:
        >>> pictures(["examples/portrait.jpg", "-", "examples/port*.jpg"])
        ['examples/portrait.jpg', '-', 'examples/portrait.jpg']
    """
    return [path for word in words for path in _meant(word)]


def _meant(word: str) -> Iterator[str]:
    # pathlib raises where a name is too long; such a word stands for itself, and its own line says why.
    if word == STANDARD_INPUT or os.path.isfile(word):  # noqa: PTH113
        yield word
    elif os.path.isdir(word):  # noqa: PTH112
        yield from _below(word)
    elif glob.has_magic(word) and not os.path.exists(word):  # noqa: PTH110
        found = sorted(glob.glob(word, recursive=True))  # noqa: PTH207, as pathlib takes no absolute patterns
        if not found:
            raise ValueError(f"no file matches {word!r}")
        for path in found:
            if Path(path).is_file():
                yield path
            elif "**" not in word:  # which has been below already
                yield from _below(path)
    else:
        yield word


def _below(folder: str) -> Iterator[str]:
    count = 0
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in _SUFFIXES and not name.startswith("."):
                count += 1
                yield str(Path(place, name))
    if not count:
        raise ValueError(f"the folder {folder!r} holds no picture: give one whose files end in .jpg, .png or the like")


def _refuse(error: OSError) -> None:
    raise ValueError(f"cannot list the folder {error.filename!r}: {error.strerror}") from error
