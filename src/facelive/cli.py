"""The ``facelive`` command: check pictures, list the models, and hand over to evaluation."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import sys
from typing import Iterator, Optional, Sequence

from facelive import (
    FaceliveError,
    LivenessDetector,
    LivenessModel,
    LivenessResult,
    RuntimeUnavailableError,
    __version__,
    bundled_models,
)
from facelive.bench import measure, print_table
from facelive.evaluation.command import add_evaluate_parser
from facelive.pool import in_processes

__all__ = ["main"]

ALL_LIVE, NOT_ALL_LIVE, UNUSABLE = 0, 1, 2
"""Exit codes of ``facelive check``: every picture is live; at least one is spoof or rejected; bad usage, or at
least one picture or the model could not be read."""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="facelive", description="Tells a live face from a picture of one.")
    parser.add_argument("--version", action="version", version=f"facelive {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="judge pictures", description="Judge pictures, one line each.")
    check.add_argument("photos", nargs="+", metavar="PHOTO", help="path of a picture, or - for standard input")
    check.add_argument("--model", default="default", help="a bundled model's name or the path of a .tflite file")
    check.add_argument("--threshold", type=float, metavar="P", help="scores from here up are live, in [0, 1]")
    check.add_argument("--workers", type=int, default=1, metavar="N", help="processes that judge (1)")
    check.add_argument("--json", action="store_true", help="one JSON object a line")
    check.set_defaults(run=_check)

    models = commands.add_parser("models", help="list the bundled models")
    models.add_argument("--json", action="store_true", help="the whole cards")
    models.set_defaults(run=_models)

    add_evaluate_parser(commands)

    bench = commands.add_parser("bench", help="time every step on this machine")
    bench.add_argument("--model", default="default", help="a bundled model's name or the path of a .tflite file")
    bench.add_argument("--repeats", type=int, default=50, metavar="N", help="rounds per line (50)")
    bench.add_argument("--json", action="store_true", help="one JSON object a line")
    bench.set_defaults(run=_bench)

    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except BrokenPipeError:  # the reader of the output, `head` for one, has left
        sys.stderr.close()
        return UNUSABLE
    except (FaceliveError, ValueError) as error:
        print(f"facelive: {error}", file=sys.stderr)
        return UNUSABLE
    return code


def _check(options: argparse.Namespace) -> int:
    if options.workers > 1 and "-" in options.photos:
        raise ValueError("standard input is one picture: leave --workers away")
    with _native_messages_hidden():
        detector = LivenessDetector(options.model, threshold=options.threshold)
    code = ALL_LIVE
    judged = in_processes(functools.partial(_judge, detector), options.photos, workers=options.workers)
    for photo, (result, problem) in zip(options.photos, judged):
        if options.json:
            print(json.dumps({"path": photo, **(result.to_dict() if result else {"error": problem})}), flush=True)
        elif result:
            print(f"{photo}  {_line(result)}", flush=True)
        else:
            print(f"facelive: {photo}: {problem}", file=sys.stderr, flush=True)
        if result is None:
            code = UNUSABLE
        elif not result.is_live:
            code = max(code, NOT_ALL_LIVE)
    return code


def _judge(detector: LivenessDetector, photo: str) -> tuple[Optional[LivenessResult], Optional[str]]:
    try:
        return detector.predict(sys.stdin.buffer if photo == "-" else photo), None
    except RuntimeUnavailableError:
        raise
    except FaceliveError as error:
        return None, str(error)


def _line(result: LivenessResult) -> str:
    if result.score is None:
        return f"{result.verdict.value}  {result.reason.value if result.reason else ''}"
    return f"{result.verdict.value}  P(live) {result.score:.3f}, threshold {result.threshold:.2f}"


def _models(options: argparse.Namespace) -> int:
    cards = bundled_models()
    if options.json:
        print(json.dumps({name: card.to_dict() for name, card in cards.items()}, indent=2))
    else:
        for name, card in cards.items():
            print(f"{name:<14}{card.version:<8}{card.description}")
    return 0


def _bench(options: argparse.Namespace) -> int:
    with _native_messages_hidden():
        model = LivenessModel.load(options.model)
    timings = measure(model, repeats=options.repeats)
    if options.json:
        for timing in timings:
            print(json.dumps(timing.to_dict()), flush=True)
    else:
        print_table(timings)
    return 0


@contextlib.contextmanager
def _native_messages_hidden() -> Iterator[None]:
    """The runtimes announce their kernels on the first interpreter, past Python, and have no switch for it."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
