"""The ``facelive`` command: check pictures, list the models, time the steps, and hand over to evaluation."""

from __future__ import annotations

import os
import sys
from typing import Callable, Optional, Sequence

from facelive.cli.parser import make_parser
from facelive.cli.terminal import allow_any_name
from facelive.errors import FaceliveError
from facelive.words import shown

__all__ = ["main"]

UNUSABLE, INTERRUPTED = 2, 130


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line and return its exit code: the command's own, 2 for what cannot be done, 130 for Ctrl-C.

    Args:
        arguments: The words after ``facelive``, by default those of this process.
    """
    allow_any_name()
    try:
        code = _run(arguments)
        sys.stdout.flush()  # here, where a full disk can still be said and counted
    except BrokenPipeError:  # the reader of the output, `head` for one, has left
        _drop_output()
        return UNUSABLE
    except KeyboardInterrupt as stop:
        _drop_output()
        print(f"facelive: interrupted{f' {stop}' if stop.args else ''}", file=sys.stderr)
        return INTERRUPTED
    except (FaceliveError, ValueError) as error:
        print(f"facelive: {error}", file=sys.stderr)
        return UNUSABLE
    except OSError as error:
        if error.filename is None:
            _drop_output()
            print(f"facelive: cannot write the output: {error.strerror or error}", file=sys.stderr)
        else:
            print(f"facelive: cannot use '{shown(error.filename)}': {error.strerror}", file=sys.stderr)
        return UNUSABLE
    return code


def _run(arguments: Optional[Sequence[str]]) -> int:
    parser = make_parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as done:  # --help, --version or bad usage, already printed
        return int(done.code or 0)
    run: Optional[Callable[..., int]] = options.run
    if run is None:
        parser.print_help()
        return 0
    return run(options)


def _drop_output() -> None:
    """What is still buffered has nowhere to go; Python would try again on its way out, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
