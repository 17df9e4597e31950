"""The terminal: what may be coloured, what can be printed, and how far the work is."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from typing import Any, TextIO

__all__ = ["Progress", "allow_any_name", "coloured"]

_COLOURS = {"live": "32", "spoof": "31", "rejected": "33"}


def allow_any_name() -> None:
    """Let output show what its encoding lacks as escapes instead of ending the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def coloured(word: str, stream: TextIO) -> str:
    """A verdict in its colour on a terminal, unless ``NO_COLOR`` is set or the terminal is a dumb one."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty()
    colour = _COLOURS.get(word.strip())
    return word if plain or colour is None else f"\033[{colour}m{word}\033[0m"


class Progress:
    """A bar on standard error once the work takes longer than a second, on a terminal only; tqdm's where it is there.

    Args:
        total: How many pictures there are.
        done: How many of them an earlier run has done.
    """

    def __init__(self, total: int, done: int = 0) -> None:
        self._total, self._done = total, done
        self._shown = sys.stderr.isatty() and total > 1
        self._since = time.monotonic()
        self._bar: Any = None
        if self._shown:
            with contextlib.suppress(ImportError):
                from tqdm import tqdm

                self._bar = tqdm(total=total, initial=done, unit=" pictures", delay=1, leave=False)

    def print(self, line: str, stream: TextIO) -> None:
        """Print a line about one more picture, above the bar."""
        if self._bar is not None:
            self._bar.write(line, file=stream)
            stream.flush()
        else:
            self.end()
            print(line, file=stream, flush=True)
        self.advance(1)

    def advance(self, pictures: int) -> None:
        """Show that so many more are done."""
        self._done += pictures
        if self._bar is not None:
            self._bar.update(pictures)
        elif self._shown and time.monotonic() - self._since > 1:
            print(f"\r{self._done} of {self._total} pictures", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
        elif self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
