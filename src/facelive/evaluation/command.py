"""``facelive evaluate``: the command line of an evaluation."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, TextIO

from facelive.detector import LivenessDetector
from facelive.errors import FaceliveError
from facelive.evaluation.page import render_page
from facelive.evaluation.report import Report
from facelive.evaluation.run import evaluate
from facelive.evaluation.samples import Samples
from facelive.evaluation.table import render_table

__all__ = ["Progress", "add_evaluate_parser", "run_evaluate"]

_INTERRUPTED = 130


def add_evaluate_parser(subparsers: Any) -> None:
    """Add ``evaluate`` to the object that ``ArgumentParser.add_subparsers`` returned; ``args.run(args)`` runs it."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a model on labelled pictures",
        description="Score labelled pictures and report APCER, BPCER and the rest of ISO/IEC 30107-3. "
        "An interrupted run goes on where it stopped when the same command is given again.",
    )
    parser.add_argument(
        "data", type=Path, help="a folder with live/ and spoof/<species>/, or a CSV or JSONL with path and label"
    )
    parser.add_argument("--model", default="default", help="a bundled model or the path of a .tflite file")
    parser.add_argument("--threshold", type=float, help="scores from here up are live (the model card's)")
    parser.add_argument("--vote", action="store_true", help="score recordings by the vote over their frames")
    parser.add_argument("--window", type=int, default=5, help="how many frames vote (5)")
    parser.add_argument("--crops", action="store_true", help="the pictures are face crops already")
    parser.add_argument("--workers", type=int, default=1, help="processes that score (1)")
    parser.add_argument("--images", type=Path, help="the folder that relative paths start from")
    parser.add_argument(
        "--where", action="append", default=[], metavar="COLUMN=VALUE", type=_condition, help="count only these rows"
    )
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument("--max-apcer", type=float, metavar="RATE", help="also choose a threshold for this APCER")
    limits.add_argument("--max-bpcer", type=float, metavar="RATE", help="also choose a threshold for this BPCER")
    parser.add_argument("--results", type=Path, help="JSONL file of outcomes to write and to go on with")
    parser.add_argument("--report", type=Path, help="write a self-contained HTML page")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of a table")
    parser.set_defaults(run=run_evaluate)


def run_evaluate(args: argparse.Namespace) -> int:
    """Evaluate as the arguments say; return the exit code: 0 done, 2 refused, 130 interrupted."""
    progress = Progress(sys.stderr)
    try:
        report = _evaluate(args, progress)
        if args.report:
            args.report.write_text(render_page(report), encoding="utf-8")
    except KeyboardInterrupt:
        progress.end()
        print("interrupted: the same command goes on from here", file=sys.stderr)
        return _INTERRUPTED
    except (FaceliveError, ValueError, OSError) as error:
        progress.end()
        print(f"facelive evaluate: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.to_dict(), indent=2, ensure_ascii=False) if args.json else render_table(report))
    return 0


def _evaluate(args: argparse.Namespace, progress: Progress) -> Report:
    limit = {name: value for name in ("max_apcer", "max_bpcer") if (value := getattr(args, name)) is not None}
    options: Dict[str, Any] = {"faces": None} if args.crops else {}
    detector = LivenessDetector(args.model, threshold=args.threshold, window=args.window, **options)
    report = evaluate(
        Samples(args.data, images=args.images, where=dict(args.where)),
        detector,
        vote=args.vote,
        workers=args.workers,
        results=args.results,
        limit=limit,
        progress=progress,
    )
    progress.end()
    return report


def _condition(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=VALUE")
    return name, value


class Progress:
    """A line with a bar, the rate and the time left: redrawn on a terminal, a new line every ten seconds elsewhere.

    Args:
        stream: Where to write, most often ``sys.stderr``.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._start_time = self._shown_at = time.monotonic()
        self._start_done = -1
        self._open = False

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` pictures are done; quick to call, most calls write nothing."""
        now = time.monotonic()
        if self._start_done < 0:
            self._start_done, self._start_time = done, now
            if done > 0:
                self._stream.write(f"going on after {done:,} of {total:,} pictures\n")
        elif done < total and now - self._shown_at < (0.2 if self._terminal else 10):
            return
        self._shown_at = now
        rate = (done - self._start_done) / max(now - self._start_time, 1e-9)
        left = f"{_duration((total - done) / rate)} left" if rate and done < total else ""
        bar = "#" * (24 * done // max(total, 1))
        line = f"[{bar:<24}] {done:,} of {total:,} pictures  {rate:.1f} a second  {left}"
        self._stream.write(f"\r{line:<78}" if self._terminal else f"{line.rstrip()}\n")
        self._stream.flush()
        self._open = self._terminal

    def end(self) -> None:
        """Leave the line, so that what follows starts on its own."""
        if self._open:
            self._stream.write("\n")
            self._open = False


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
