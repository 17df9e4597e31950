"""The report as one HTML page that needs nothing else: inline style and SVG, no script, no address."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any, Mapping, Sequence

from facelive.evaluation import sections
from facelive.evaluation.columns import Listing
from facelive.evaluation.markup import definitions, table
from facelive.evaluation.report import Report
from facelive.evaluation.table import MEASURES, percent, span

__all__ = ["render_page"]

_STYLE = Path(__file__).with_name("style.css")
_TILES = ("apcer", "bpcer", "acer", "eer", "bpcer20", "roc_auc")
_OPEN = 10
"""How many paths a list shows before the reader unfolds it."""
_WORDS = {
    "APCER": "share of attacks judged live, per species; the worst species counts",
    "BPCER": "share of live faces judged attacks",
    "ACER": "mean of APCER and BPCER; not in the standard, kept because papers report it",
    "EER": "the error where APCER and BPCER meet",
    "APNRR, BPNRR": "share of attacks and of live faces that were rejected without a score",
    "of presented": "attacks accepted, or live faces turned away for any reason, among all that were presented",
    "exact": "Clopper-Pearson interval, as if every unit were independent",
    "grouped": "bootstrap over subjects or recordings, whose pictures resemble each other",
}


def render_page(report: Report) -> str:
    """One self-contained page, light or dark as the reader's system asks.

    Args:
        report: What ``evaluate`` returned.

    Returns:
        HTML to write to a UTF-8 file.
    """
    title = f"{report.run['model']} {report.run['model_version']}: liveness evaluation"
    body = "".join(
        [
            _head(report, title),
            _tiles(report),
            _notes(report.notes),
            sections.rates(report),
            sections.curves(report),
            sections.histograms(report),
            sections.limits(report),
            sections.sources(report),
            _mistakes("Attacks judged live", report.accepted),
            _mistakes("Live faces judged attacks", report.refused),
            _unjudged(report),
            _run(report),
            definitions("Words", _WORDS),
        ]
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"  # a browser fetches nothing, whatever the data hold
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _head(report: Report, title: str) -> str:
    run = report.run
    kind = f"{report.units:,} recordings, {report.pictures:,} pictures" if run["vote"] else f"{report.units:,} pictures"
    chosen = "".join(f", {name} = {value}" for name, value in run["where"].items())
    return (
        f"<header><h1>{escape(title)}</h1><p class=soft>{escape(Path(run['data']).name)}{escape(chosen)}: {kind}, "
        f"threshold {report.threshold:g}, {escape(run['started_utc'][:10])}</p></header>"
    )


def _tiles(report: Report) -> str:
    tiles = []
    for name in _TILES:
        measure = report.measures.get(name)
        if measure is None:
            continue
        plain = name == "roc_auc"
        value = f"{measure.value:.4f}" if plain else percent(measure.value)
        ends = measure.interval
        between = "" if ends is None else f"{ends.low:.4f}–{ends.high:.4f}" if plain else span(ends)
        under = f"at {measure.threshold:.4g}" if name == "eer" and measure.threshold is not None else ""
        worst = report.worst_species
        if name == "apcer" and worst:
            under = f"{worst.name}, {worst.errors:,} of {worst.judged:,}"
        elif name == "bpcer":
            under = f"{report.bona_fide.errors:,} of {report.bona_fide.judged:,}"
        rows = "".join(f"<span>{escape(line)}</span>" for line in (under, between) if line)
        tiles.append(f"<div class=tile><span class=name>{MEASURES[name]}</span><b>{value}</b>{rows}</div>")
    return f"<div class=tiles>{''.join(tiles)}</div>" if tiles else ""


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<section class=notes><h3>Before quoting a figure</h3><ul>{items}</ul></section>"


def _mistakes(title: str, listing: Listing) -> str:
    if not listing.total:
        return ""
    rows = [
        f"<tr><td class=text><code>{escape(outcome.path)}</code></td><td>{outcome.score:.4f}</td>"
        f"<td class=text>{escape(outcome.species or 'bona fide')}</td><td class=text>{escape(outcome.source)}</td></tr>"
        for outcome in listing.shown
    ]
    text = f"{listing.total:,} in all, the worst first."
    return f"<h2>{title}</h2><p class=soft>{text}</p>{_folded(['picture', 'score', 'species', 'source'], rows)}"


def _unjudged(report: Report) -> str:
    parts = []
    if report.rejected.total:
        reasons = ", ".join(f"{count:,} {escape(reason)}" for reason, count in report.reasons.items())
        parts.append(f"<p>Rejected: {reasons}.</p>{_paths(report.rejected)}")
    if report.unreadable.total:
        parts.append(f"<p>Unreadable: {report.unreadable.total:,}.</p>{_paths(report.unreadable)}")
    return f"<h2>Not judged</h2>{''.join(parts)}" if parts else ""


def _paths(listing: Listing) -> str:
    rows = [
        f"<tr><td class=text><code>{escape(', '.join(outcome.unreadable) or outcome.path)}</code></td>"
        f"<td class=text>{escape(outcome.species or 'bona fide')}</td><td class=text>{escape(outcome.reason)}</td></tr>"
        for outcome in listing.shown
    ]
    return _folded(["picture", "species", "reason"], rows)


def _folded(names: Sequence[str], rows: Sequence[str]) -> str:
    shown = table(names, "".join(rows[:_OPEN]), kind="list")
    if len(rows) <= _OPEN:
        return shown
    rest = table(names, "".join(rows[_OPEN:]), kind="list")
    return f"{shown}<details><summary>{len(rows) - _OPEN} more</summary>{rest}</details>"


def _run(report: Report) -> str:
    run = dict(report.run)
    card: Mapping[str, Any] = run.pop("card")
    for name in ("model", "model_version", "model_sha256"):
        run.pop(name)
    return definitions("Model card", card) + definitions("Run", run)
