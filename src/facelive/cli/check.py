"""``facelive check``: a line for each picture, and a last one that counts them."""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections import Counter
from typing import Any, List, Optional, Tuple
from typing import Counter as Count

from facelive import FaceliveError, LivenessDetector, LivenessResult, RuntimeUnavailableError, Verdict
from facelive.cli.pictures import STANDARD_INPUT, pictures
from facelive.cli.terminal import Progress, coloured
from facelive.pool import in_processes
from facelive.words import printable

__all__ = ["add_check_parser"]

ALL_LIVE, NOT_ALL_LIVE, UNUSABLE = 0, 1, 2
"""Exit codes: every picture is live; at least one is spoof or rejected; at least one could not be read."""

_Answer = Tuple[Optional[LivenessResult], Optional[str]]
_WIDEST = 120  # a longer name moves the rest of its own line, not of all
_UNREADABLE = "unreadable"


def add_check_parser(commands: Any) -> None:
    """Add ``check`` to what ``ArgumentParser.add_subparsers`` returned."""
    parser = commands.add_parser("check", help="judge pictures", description="Judge pictures, one line each.")
    parser.add_argument(
        "pictures", nargs="+", metavar="PICTURE", help="a picture, a folder, a pattern, or - for standard input"
    )
    parser.add_argument("--model", default="default", help="a bundled model's name or the path of a .tflite file")
    parser.add_argument("--threshold", type=float, metavar="P", help="scores from here up are live, in [0, 1]")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that judge (1)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    if options.workers > 1 and STANDARD_INPUT in options.pictures:
        raise ValueError("standard input is one picture: leave --workers away")
    paths = pictures(options.pictures)
    detector = LivenessDetector(options.model, threshold=options.threshold)
    counts: Count[str] = Counter()
    progress = Progress(len(paths))
    width = min(_WIDEST, max(len(printable(path)) for path in paths))
    try:
        answers = in_processes(functools.partial(_judge, detector), paths, workers=options.workers)
        for path, (result, problem) in zip(paths, answers):
            counts[_UNREADABLE if result is None else result.verdict.value] += 1
            if options.json:
                answer = {"error": problem} if result is None else result.to_dict()
                progress.print(json.dumps({"path": path, **answer}), sys.stdout)
            elif result is None:
                progress.print(f"facelive: {printable(path)}: {problem}", sys.stderr)
            else:
                progress.print(f"{printable(path):<{width}}  {_line(result)}", sys.stdout)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"after {sum(counts.values())} of {len(paths)} pictures") from None
    finally:
        progress.end()
    if len(paths) > 1 and not options.json:
        print(_summary(len(paths), counts))
    if counts[_UNREADABLE]:
        return UNUSABLE
    return ALL_LIVE if counts[Verdict.LIVE.value] == len(paths) else NOT_ALL_LIVE


def _judge(detector: LivenessDetector, path: str) -> _Answer:
    try:
        return detector.predict(sys.stdin.buffer if path == STANDARD_INPUT else path), None
    except RuntimeUnavailableError:
        raise
    except FaceliveError as error:
        return None, str(error)


def _line(result: LivenessResult) -> str:
    verdict = coloured(f"{result.verdict.value:<8}", sys.stdout)
    if result.score is None:
        return f"{verdict}  {result.reason.value if result.reason else ''}"
    return f"{verdict}  P(live) {result.score:.3f}, threshold {result.threshold:.2f}"


def _summary(total: int, counts: Count[str]) -> str:
    words: List[str] = [*(verdict.value for verdict in Verdict), _UNREADABLE]
    return f"{total} pictures: " + ", ".join(f"{counts[word]} {word}" for word in words)
