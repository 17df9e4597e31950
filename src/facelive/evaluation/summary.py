"""From the outcomes of a run to its report: counts, rates, intervals, and what to know before quoting them."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
import numpy.typing as npt

from facelive import metrics
from facelive.evaluation import figures
from facelive.evaluation.columns import Columns
from facelive.evaluation.operating import OperatingPoint
from facelive.evaluation.report import Measure, RateRow, Report, SourceRow
from facelive.metrics import Interval

__all__ = ["build_report", "split_scores"]

_Scores = npt.NDArray[np.float64]
_JUDGED, _REJECTED, _UNREADABLE = 0, 1, 2
_FEW = 30


def build_report(
    columns: Columns,
    run: Mapping[str, Any],
    *,
    threshold: float,
    operating_point: Optional[OperatingPoint] = None,
    notes: Tuple[str, ...] = (),
) -> Report:
    """Measure everything there is to measure.

    Args:
        columns: The outcomes.
        run: What was evaluated and how, ready for JSON.
        threshold: Scores at or above it are live.
        operating_point: Chosen on these very scores.
        notes: Sentences to put before those found here.
    """
    rows = [_row(columns, kind, threshold) for kind in range(len(columns.kind_names))]
    live, species = split_scores(columns)
    complete = bool(live.size and species)
    curves: Dict[str, List[Tuple[float, float]]] = {}
    if complete:
        curves["worst species"] = figures.det_points(live, species)
        curves.update({name: figures.det_points(live, scores) for name, scores in species.items()})
    bins = figures.reliability(live, species) if complete else []
    return Report(
        run=dict(run),
        threshold=threshold,
        pictures=columns.pictures,
        units=columns.scores.size,
        grouped_by=columns.grouped_by,
        bona_fide=rows[0],
        species=tuple(rows[1:]),
        measures=_measures(columns, rows[0], live, species, threshold) if complete else {},
        sources=_sources(columns, threshold),
        det=curves,
        reliability=tuple(bins),
        calibration_error=figures.expected_calibration_error(bins) if bins else None,
        reasons=columns.reasons,
        rejected=columns.rejected,
        unreadable=columns.unreadable,
        accepted=columns.accepted,
        refused=columns.refused,
        operating_point=operating_point,
        notes=(*notes, *_notes(columns, rows, complete)),
    )


def split_scores(columns: Columns) -> Tuple[_Scores, Dict[str, _Scores]]:
    """The scores of the judged live units, and of each species that has any."""
    return columns.scores[_judged(columns, 0)], {
        name: columns.scores[_judged(columns, kind)] for kind, name in _species(columns)
    }


def _judged(columns: Columns, kind: int) -> npt.NDArray[np.bool_]:
    judged: npt.NDArray[np.bool_] = (columns.status == _JUDGED) & (columns.kinds == kind)
    return judged


def _species(columns: Columns) -> List[Tuple[int, str]]:
    named = list(enumerate(columns.kind_names))[1:]
    return [(kind, name) for kind, name in named if _judged(columns, kind).any()]


def _row(columns: Columns, kind: int, threshold: float) -> RateRow:
    mask = _judged(columns, kind)
    scores, groups = columns.scores[mask], columns.groups[mask]
    wrong = scores < threshold if kind == 0 else scores >= threshold
    errors, judged, group_count = int(wrong.sum()), scores.size, np.unique(groups).size
    of_kind = columns.status[columns.kinds == kind]
    return RateRow(
        name=columns.kind_names[kind] or "bona fide",
        judged=judged,
        rejected=int((of_kind == _REJECTED).sum()),
        unreadable=int((of_kind == _UNREADABLE).sum()),
        errors=errors,
        interval=metrics.clopper_pearson(errors, judged) if judged else None,
        groups=group_count,
        grouped=_grouped(wrong, groups, group_count) if 1 < group_count < judged else None,
        is_live=kind == 0,
        histogram=tuple(figures.histogram(scores)),
    )


def _grouped(wrong: npt.NDArray[np.bool_], groups: npt.NDArray[np.int32], count: int) -> Interval:
    if 0 < wrong.sum() < wrong.size:
        return metrics.bootstrap_rate(wrong, groups)
    # All groups agree, so resampling them shows no variation: count them as trials.
    return metrics.clopper_pearson(count if wrong.any() else 0, count)


def _measures(
    columns: Columns, bona_fide: RateRow, live: _Scores, species: Dict[str, _Scores], threshold: float
) -> Dict[str, Measure]:
    equal = metrics.eer(live, species)
    points = {"bpcer10": 0.10, "bpcer20": 0.05, "bpcer100": 0.01}
    at_limits = {name: metrics.bpcer_at_apcer(live, species, limit) for name, limit in points.items()}
    values: Dict[str, Tuple[float, Optional[float]]] = {
        "apcer": (metrics.apcer(species, threshold), threshold),
        "bpcer": (metrics.bpcer(live, threshold), threshold),
        "acer": (metrics.acer(live, species, threshold), threshold),
        "eer": (equal.rate, equal.threshold),
        **{name: (point.bpcer, point.threshold) for name, point in at_limits.items()},
        "roc_auc": (metrics.roc_auc(live, species), None),
    }
    intervals = _bootstrap(columns, live, species, threshold)
    if bona_fide.grouped:
        intervals["bpcer"] = bona_fide.grouped  # one rate, one interval, wherever it is printed
    return {name: Measure(value, intervals.get(name), at) for name, (value, at) in values.items()}


def _bootstrap(columns: Columns, live: _Scores, species: Dict[str, _Scores], threshold: float) -> Dict[str, Interval]:
    live_groups = columns.groups[_judged(columns, 0)]
    attack_groups = {name: columns.groups[_judged(columns, kind)] for kind, name in _species(columns)}
    if any(np.unique(groups).size < 2 for groups in (live_groups, *attack_groups.values())):
        return {}  # a species seen with one person says nothing about the next person
    intervals = metrics.bootstrap_measures(
        live, species, threshold=threshold, bona_fide_groups=live_groups, attack_groups=attack_groups
    )
    # Where every round gave the same, resampling has shown no variation, not that there is none.
    return {name: interval for name, interval in intervals.items() if interval.low < interval.high}


def _sources(columns: Columns, threshold: float) -> Tuple[SourceRow, ...]:
    if len(columns.source_names) < 2:
        return ()
    rows = []
    for source, name in enumerate(columns.source_names):
        here = columns.sources == source
        live = columns.scores[here & _judged(columns, 0)]
        attacks = {species: columns.scores[here & _judged(columns, kind)] for kind, species in _species(columns)}
        rates = {species: float((scores >= threshold).mean()) for species, scores in attacks.items() if scores.size}
        worst = max(rates, key=lambda species: rates[species], default="")
        rows.append(
            SourceRow(
                name=name or "unnamed",
                live=live.size,
                attacks=sum(scores.size for scores in attacks.values()),
                bpcer=float((live < threshold).mean()) if live.size else None,
                worst_apcer=rates.get(worst),
                worst_species=worst,
            )
        )
    return tuple(rows)


def _notes(columns: Columns, rows: List[RateRow], complete: bool) -> List[str]:
    notes = []
    if not complete:
        notes.append("One class has no score at all, so no rate over both can be given.")
    scores = columns.scores[columns.status == _JUDGED]
    if scores.size > 1 and (scores == scores[0]).all():
        notes.append(f"All {scores.size:,} scores are equal ({scores[0]:.4g}): the model tells nothing apart.")
    for row in rows:
        error = "BPCER" if row.is_live else "APCER"
        if row.judged and not row.errors:
            counted = f"{row.judged:,}" + (f" from {row.groups:,} groups" if row.grouped else "")
            bound = 100 * metrics.rule_of_three(row.groups if row.grouped else row.judged)
            notes.append(
                f"{row.name}: no error in {counted} does not make the {error} zero; with 95 % confidence it is below "
                f"{bound:.2g} % (rule of three)."
            )
        elif 0 < row.judged < _FEW:
            notes.append(f"{row.name}: {row.judged} units are few; read the interval, not the rate.")
        if row.presented and not row.judged:
            notes.append(f"{row.name}: every unit was rejected, so there is no {error}.")
    alone = [row.name for row in rows if row.groups == 1 and row.judged > 1]
    if alone:
        notes.append(
            f"{', '.join(alone)}: one {columns.grouped_by} only, so nothing is known about the next, and measures over "
            "all species have no interval."
        )
    if columns.rejected.total:
        notes.append(
            f"{columns.rejected.total:,} units were rejected and have no score: they are in no APCER or BPCER, but in "
            "the non-response rates and in the rates of all presented."
        )
    if columns.unreadable.total:
        notes.append(f"{columns.unreadable.total:,} units have pictures that could not be read; they are listed.")
    if not columns.grouped_by:
        notes.append("No subject or sequence is given: pictures count as independent, and intervals may be too narrow.")
    return notes
