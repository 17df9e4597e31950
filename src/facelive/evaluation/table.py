"""The report as plain text for a terminal: 80 columns, and ASCII but for names from the data."""

from __future__ import annotations

import textwrap
from typing import List, Optional, Sequence

from facelive.evaluation.operating import OperatingPoint
from facelive.evaluation.report import Measure, RateRow, Report
from facelive.metrics import Interval
from facelive.words import printable

__all__ = ["MEASURES", "figure", "limit_text", "percent", "render_table", "span"]

MEASURES = {
    "apcer": "APCER, worst species",
    "bpcer": "BPCER",
    "acer": "ACER",
    "eer": "EER",
    "bpcer10": "BPCER10 (at APCER 10 %)",
    "bpcer20": "BPCER20 (at APCER 5 %)",
    "bpcer100": "BPCER100 (at APCER 1 %)",
    "roc_auc": "ROC AUC, worst species",
}
_HEADER = ["per cent", "judged", "errors", "rate", "95 %", "rejected", "of all"]
_LEGEND = (
    "rate: errors of the judged. rejected: of the presented. of all: errors of the presented, where a live face "
    "rejected is one. 95 %: an interval of the rate"
)
_UNREADABLE_SHOWN = 5
_WIDTH = 80


def render_table(report: Report) -> str:
    """The report in 80 columns, but for longer paths; every sentence of ``report.notes`` is under it."""
    run, point = report.run, report.operating_point
    recordings = f"{report.units:,} recordings, " if run["vote"] else ""
    grouped = f", by {report.grouped_by} where there are several" if report.grouped_by else ""
    model = f"{run['model']} {run['model_version']} at threshold {report.threshold:g}"
    lines = [
        *(line for sentence in report.in_plain_words for line in _wrapped(sentence)),
        "",
        f"{model}, {recordings}{report.pictures:,} pictures",
        "",
        *_aligned([_HEADER, *(_row(row) for row in report.species), _row(report.bona_fide)]),
        *_wrapped(f"{_LEGEND}{grouped}."),
        "",
        *_aligned([_measure(name, one) for name, one in report.measures.items()]),
    ]
    if point:
        worst = point.apcer[point.worst_species]
        text = (
            f"operating point for {limit_text(point)}: threshold {point.threshold:.6g}, "
            f"APCER {percent(worst.rate)} ({point.worst_species}), BPCER {percent(point.bpcer.rate)}; "
            "chosen on these very units: measure it again on others before quoting it"
        )
        lines += ["", *_wrapped(text)]
    if report.reasons:
        lines += ["", *_wrapped("rejected: " + ", ".join(f"{n:,} {reason}" for reason, n in report.reasons.items()))]
    for outcome in report.unreadable.shown[:_UNREADABLE_SHOWN]:
        lines.append(f"unreadable: {', '.join(outcome.unreadable)}")
    if report.notes:
        lines += ["", *(line for note in report.notes for line in _wrapped(note, bullet="- "))]
    if run["results"]:
        lines += ["", f"every outcome: {run['results']}"]
    return "\n".join(map(printable, lines))


def limit_text(point: OperatingPoint) -> str:
    """What an operating point was asked to hold, in words."""
    return f"{point.limit[-5:].upper()} of at most {100 * point.limit_value:.6g} %"


def percent(rate: Optional[float]) -> str:
    """A rate in [0, 1] as per cent, a dash when there is none."""
    return "–" if rate is None else f"{100 * rate:.2f} %"


def span(interval: Optional[Interval]) -> str:
    """An interval as per cent, a dash when there is none."""
    return "–" if interval is None else f"{100 * interval.low:.2f}–{100 * interval.high:.2f} %"


def figure(name: str, measure: Measure) -> List[str]:
    """A measure's value and its interval, which is empty when there is none; all but the AUC are per cent."""
    ends = measure.interval
    if name == "roc_auc":
        return [f"{measure.value:.4f}", f"{ends.low:.4f}–{ends.high:.4f}" if ends else ""]
    return [percent(measure.value), span(ends) if ends else ""]


def _row(row: RateRow) -> List[str]:
    rates = (
        percent(row.rate),
        span(row.grouped or row.interval),
        percent(row.non_response),
        percent(row.rate_of_presented),
    )
    name = f"{'BPCER' if row.is_live else 'APCER'} {row.name}"
    return [name, f"{row.judged:,}", f"{row.errors:,}", *(rate.replace(" %", "") for rate in rates)]


def _measure(name: str, measure: Measure) -> List[str]:
    at = "" if measure.threshold is None else f"at {measure.threshold:.4f}"
    return [MEASURES[name], *figure(name, measure), at]


def _aligned(rows: Sequence[Sequence[str]]) -> List[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    room = _WIDTH - sum(width + 2 for width in widths[1:])
    lines = []
    for name, *numbers in rows:
        cells = [number.replace("–", "-") for number in numbers]
        short = name if len(name) <= room else f"{name[: room - 3]}..."
        lines.append("  ".join([short.ljust(min(widths[0], room)), *map(str.rjust, cells, widths[1:])]).rstrip())
    return lines


def _wrapped(text: str, *, bullet: str = "") -> List[str]:
    return textwrap.wrap(bullet + text, _WIDTH, subsequent_indent=" " * len(bullet), break_on_hyphens=False)
