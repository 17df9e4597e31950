"""The report as plain text for a terminal."""

from __future__ import annotations

from typing import List, Optional, Sequence

from facelive.evaluation.operating import OperatingPoint
from facelive.evaluation.report import Measure, RateRow, Report
from facelive.metrics import Interval

__all__ = ["MEASURES", "limit_text", "percent", "render_table", "span"]

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
_UNREADABLE_SHOWN = 5


def render_table(report: Report) -> str:
    """The report in at most 100 columns; every sentence of ``report.notes`` is under it.

    Args:
        report: What ``evaluate`` returned.
    """
    run = report.run
    units = "recordings" if run["vote"] else "pictures"
    lines = [
        f"{run['model']} {run['model_version']} at threshold {report.threshold:g}, "
        f"{report.units:,} {units}" + (f" ({report.pictures:,} pictures)" if run["vote"] else ""),
        "",
        *_aligned([_HEADER, *(_row(row) for row in report.species), _row(report.bona_fide)]),
        "",
        *_aligned([[MEASURES[name], *_measure(name, one)] for name, one in report.measures.items()]),
    ]
    if report.operating_point:
        point = report.operating_point
        worst = point.apcer[point.worst_species]
        lines += [
            "",
            f"operating point for {limit_text(point)}: threshold {point.threshold:.6g}, "
            f"APCER {percent(worst.rate)} ({point.worst_species}), BPCER {percent(point.bpcer.rate)}",
            "chosen on these very units: measure it again on others before quoting it",
        ]
    if report.reasons:
        lines += ["", "rejected: " + ", ".join(f"{count:,} {reason}" for reason, count in report.reasons.items())]
    for outcome in report.unreadable.shown[:_UNREADABLE_SHOWN]:
        lines.append(f"unreadable: {', '.join(outcome.unreadable)}")
    lines += ["", *(f"- {note}" for note in report.notes)] if report.notes else []
    return "\n".join([*lines, "", f"every outcome: {run['results']}"])


def limit_text(point: OperatingPoint) -> str:
    """What an operating point was asked to hold, in words."""
    return f"{point.limit[-5:].upper()} of at most {100 * point.limit_value:.6g} %"


def percent(rate: Optional[float]) -> str:
    """A rate in [0, 1] as per cent, a dash when there is none."""
    return "–" if rate is None else f"{100 * rate:.2f} %"


def span(interval: Optional[Interval]) -> str:
    """An interval as per cent, a dash when there is none."""
    return "–" if interval is None else f"{100 * interval.low:.2f}–{100 * interval.high:.2f} %"


_HEADER = ["", "judged", "errors", "rate", "95 % exact", "95 % grouped", "rejected", "of presented"]


def _row(row: RateRow) -> List[str]:
    return [
        f"{'BPCER' if row.is_live else 'APCER'} {row.name}",
        f"{row.judged:,}",
        f"{row.errors:,}",
        percent(row.rate),
        span(row.interval),
        span(row.grouped),
        percent(row.non_response),
        percent(row.rate_of_presented),
    ]


def _measure(name: str, measure: Measure) -> List[str]:
    plain = name == "roc_auc"
    value = f"{measure.value:.4f}" if plain else percent(measure.value)
    interval = measure.interval
    ends = f"{interval.low:.4f}–{interval.high:.4f}" if plain and interval else span(interval)
    return [value, ends, "" if measure.threshold is None else f"at {measure.threshold:.4f}"]


def _aligned(rows: Sequence[Sequence[str]]) -> List[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]).rstrip()
        for row in rows
    ]
