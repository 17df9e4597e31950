"""``facelive evaluate``: a labelled set in, a table, JSON or an HTML page out."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from facelive import LivenessDetector
from facelive.cli.terminal import Progress
from facelive.errors import EvaluationError
from facelive.evaluation.page import page_template, render_page
from facelive.evaluation.run import evaluate
from facelive.evaluation.samples import Samples
from facelive.evaluation.table import render_table

__all__ = ["add_evaluate_parser"]


def add_evaluate_parser(commands: Any) -> None:
    """Add ``evaluate`` to what ``ArgumentParser.add_subparsers`` returned."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a model on labelled pictures",
        description="Score labelled pictures and report APCER, BPCER and the rest of ISO/IEC 30107-3.",
    )
    add = parser.add_argument
    add("data", type=Path, help="a folder with live/ and spoof/<species>/, or a CSV or JSONL with path and label")
    add("--model", default="default", help="a bundled model or the path of a .tflite file")
    add("--threshold", type=float, metavar="P", help="scores from here up are live (the model card's)")
    add("--vote", action="store_true", help="score recordings by the vote over their frames")
    add("--window", type=int, default=5, metavar="N", help="how many frames vote (5)")
    add("--crops", action="store_true", help="the pictures are face crops already")
    add("--workers", type=int, default=1, metavar="N", help="processes that score (1)")
    add("--images", type=Path, metavar="FOLDER", help="where relative paths start")
    add("--where", action="append", default=[], metavar="COLUMN=VALUE", type=_condition, help="count only these rows")
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument("--max-apcer", type=float, metavar="RATE", help="also choose a threshold for this APCER")
    limits.add_argument("--max-bpcer", type=float, metavar="RATE", help="also choose a threshold for this BPCER")
    add("--results", type=Path, metavar="FILE", help="JSONL file of outcomes; the same command goes on with it")
    add("--report", type=Path, metavar="FILE", help="write a self-contained HTML page")
    add("--thumbnails", action="store_true", help="show the worst mistakes on the page: it then holds the pictures")
    add("--json", action="store_true", help="print the report as JSON instead of a table")
    parser.set_defaults(run=_evaluate)


def _evaluate(args: argparse.Namespace) -> int:
    if args.report:
        _check_report(args.report)
    options: Dict[str, Any] = {"faces": None} if args.crops else {}
    detector = LivenessDetector(args.model, threshold=args.threshold, window=args.window, **options)
    limit = {name: value for name in ("max_apcer", "max_bpcer") if (value := getattr(args, name)) is not None}
    samples = Samples(args.data, images=args.images, where=dict(args.where))
    progress = _Progress()
    try:
        report = evaluate(
            samples,
            detector,
            vote=args.vote,
            workers=args.workers,
            results=args.results,
            limit=limit,
            progress=progress,
        )
    except KeyboardInterrupt:
        again = "the same command goes on from here" if args.results else "with --results FILE a run can be continued"
        raise KeyboardInterrupt(f"after {progress.done:,} of {progress.total:,} pictures; {again}") from None
    finally:
        progress.end()
    print(json.dumps(report.to_dict(), indent=2) if args.json else render_table(report), flush=True)
    if args.report:
        page = render_page(report, thumbnails=args.thumbnails)
        try:
            args.report.write_text(page, encoding="utf-8")
        except OSError as error:
            raise EvaluationError(f"cannot write the report to {str(args.report)!r}: {error.strerror}") from error
    return 0


def _check_report(path: Path) -> None:
    """Refuse what could not be written, before an hour is spent on it."""
    page_template()
    try:
        if path.is_dir() or not path.parent.is_dir():
            why = "it is a folder" if path.is_dir() else f"there is no folder {str(path.parent)!r}"
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            why = "it is not allowed there"
        else:
            return
    except OSError as error:  # too long a name
        why = str(error.strerror)
    raise EvaluationError(f"cannot write the report to {str(path)!r}: {why}")


def _condition(text: str) -> Tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=VALUE")
    return name, value


class _Progress:
    """Says what an earlier run has done, shows a bar, and says what this run did."""

    def __init__(self) -> None:
        self.done = self.total = self._first = 0
        self._since = time.monotonic()
        self._bar: Optional[Progress] = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            if 0 < done < total:
                print(f"going on after {done:,} of {total:,} pictures", file=sys.stderr)
            self._bar, self._since = Progress(total, done), time.monotonic()
            self.done, self.total, self._first = done, total, done
        self._bar.advance(done - self.done)
        self.done = done

    def end(self) -> None:
        if self._bar is not None:
            self._bar.end()
            if self.done == self.total:
                seconds = time.monotonic() - self._since
                print(f"scored {self.done - self._first:,} pictures in {seconds:.0f} s", file=sys.stderr)
