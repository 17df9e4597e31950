"""The measured part of the page: tables and charts."""

from __future__ import annotations

from html import escape
from typing import Iterable, Sequence

from facelive.evaluation import charts
from facelive.evaluation.markup import table
from facelive.evaluation.report import RateRow, Report
from facelive.evaluation.table import MEASURES, limit_text, percent, span

__all__ = ["curves", "histograms", "limits", "rates", "sources"]


def rates(report: Report) -> str:
    rows = [*sorted(report.species, key=lambda row: -(row.rate or 0)), report.bona_fide]
    ends = [row.grouped or row.interval for row in rows]
    highest = max((interval.high for interval in ends if interval), default=1.0) or 1.0
    names = ["", "judged", "errors", "rate", "95 % exact", "95 % grouped", "interval", "rejected", "of presented"]
    body = "".join(_rate_row(row, highest) for row in rows)
    by = f" Grouped by {report.grouped_by}." if report.grouped_by else ""
    text = f"APCER of each attack species and BPCER of live faces at threshold {report.threshold:g}.{by}"
    return f"<h2>Errors by species</h2><p class=soft>{escape(text)}</p>{table(names, body)}"


def _rate_row(row: RateRow, highest: float) -> str:
    cells = [f"{row.judged:,}", f"{row.errors:,}", f"<b>{percent(row.rate)}</b>", span(row.interval), span(row.grouped)]
    cells += [charts.interval_chart(row, highest), f"{row.rejected:,} ({percent(row.non_response)})"]
    cells.append(percent(row.rate_of_presented))
    inside = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr{' class=live' if row.is_live else ''}><th scope=row>{escape(row.name)}</th>{inside}</tr>"


def curves(report: Report) -> str:
    if not report.det:
        return ""
    coloured = sorted((row for row in report.species if row.name in report.det), key=lambda row: -(row.rate or 0))
    order = ["worst species", *(row.name for row in coloured)]
    measures = report.measures
    det = charts.det_chart(
        {name: report.det[name] for name in order}, (measures["apcer"].value, measures["bpcer"].value)
    )
    keys = [("worst", "worst species at each threshold")]
    keys += [(f"series s{n}", name) for n, name in enumerate(order[1 : charts.COLOURED + 1], start=1)]
    keys += [("series other", f"{len(order) - 1 - charts.COLOURED} others")] if len(order) - 1 > charts.COLOURED else []
    calibration = f"{report.calibration_error:.3f}" if report.calibration_error is not None else "–"
    return (
        "<h2>Curves</h2><div class=pair>"
        f"<figure><h3>Detection error trade-off</h3><figcaption>Both errors at every threshold, lower left is better; "
        f"the ring is the threshold in use.</figcaption>{det}{_legend(keys)}</figure>"
        f"<figure><h3>Reliability</h3><figcaption>Mean score against the share of live units in ten bins; on the "
        f"diagonal a score is the share of live units among these data. Mean distance {calibration}.</figcaption>"
        f"{charts.reliability_chart(report.reliability)}</figure></div>"
    )


def _legend(keys: Iterable[Sequence[str]]) -> str:
    items = "".join(
        f'<li><svg viewBox="0 0 26 10" aria-hidden="true"><line class="key {kind}" x1="0" x2="26" y1="5" y2="5"/>'
        f"</svg>{escape(name)}</li>"
        for kind, name in keys
    )
    return f"<ul class=legend>{items}</ul>"


def histograms(report: Report) -> str:
    rows = [report.bona_fide, *sorted(report.species, key=lambda row: -(row.rate or 0))]
    figures = "".join(
        f"<figure><h3>{escape(row.name)}</h3><figcaption>{row.judged:,} judged, {percent(row.rate)} wrong</figcaption>"
        f"{charts.histogram_chart(row, report.threshold)}</figure>"
        for row in rows
        if row.judged
    )
    return (
        "<h2>Scores</h2><p class=soft>P(bona fide) from 0 to 1, a chart per species, each on its own scale. The dashed "
        f"line is the threshold; strong bars lie on its wrong side.</p><div class=many>{figures}</div>"
    )


def limits(report: Report) -> str:
    names = [name for name in ("bpcer10", "bpcer20", "bpcer100") if name in report.measures]
    if not names:
        return ""
    body = ""
    for name in names:
        measure = report.measures[name]
        cells = (percent(measure.value), span(measure.interval), f"{measure.threshold:.6g}")
        body += f"<tr><th scope=row>{MEASURES[name]}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    chosen = ""
    if report.operating_point:
        point = report.operating_point
        worst = point.apcer[point.worst_species]
        chosen = (
            f"<p>Operating point for {limit_text(point)}: threshold "
            f"<b>{point.threshold:.6g}</b>, APCER {percent(worst.rate)} ({escape(point.worst_species)}, "
            f"{worst.errors:,} of {worst.trials:,}), BPCER {percent(point.bpcer.rate)}. "
            "It was chosen on these very units: measure it again on others before quoting it.</p>"
        )
    rows = table(["", "BPCER", "95 % grouped", "threshold"], body)
    return f"<h2>BPCER where every species is held to a limit</h2>{rows}{chosen}"


def sources(report: Report) -> str:
    if not report.sources:
        return ""
    body = ""
    for row in report.sources:
        cells = [f"{row.live:,}", percent(row.bpcer), f"{row.attacks:,}", percent(row.worst_apcer)]
        inside = "".join(f"<td>{cell}</td>" for cell in [*cells, escape(row.worst_species)])
        body += f"<tr><th scope=row>{escape(row.name)}</th>{inside}</tr>"
    names = ["", "live", "BPCER", "attacks", "APCER, worst species", "which"]
    return f"<h2>Errors by source</h2>{table(names, body)}"
