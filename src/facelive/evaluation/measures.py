"""From the outcomes of a run to its report: counts, rates, intervals, and what to know before quoting them."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from facelive import metrics
from facelive.errors import EvaluationError
from facelive.evaluation import figures
from facelive.evaluation.notes import find_notes
from facelive.evaluation.operating import choose_threshold
from facelive.evaluation.outcomes import Outcome
from facelive.evaluation.report import Listing, Measure, RateRow, Report, SourceRow
from facelive.metrics import Interval

__all__ = ["LISTED", "build_report"]

LISTED = 100
"""How many pictures a list of a report names; the results file has them all."""

_Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Kind:
    """The live units (``name`` is empty) or the attacks of one species; arrays are of the judged, (N,)."""

    name: str
    outcomes: List[Outcome]
    judged: List[Outcome]
    scores: _Scores
    groups: npt.NDArray[np.int64]

    def count(self, status: str) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)

    def wrong(self, threshold: float) -> npt.NDArray[np.bool_]:
        return self.scores >= threshold if self.name else self.scores < threshold


def build_report(
    outcomes: Sequence[Outcome],
    run: Mapping[str, Any],
    *,
    threshold: float,
    max_apcer: Optional[float] = None,
    max_bpcer: Optional[float] = None,
) -> Report:
    """Measure everything there is to measure; with one of the limits choose an operating point, or say why not."""
    live, *attacks = _kinds(outcomes)
    rows = [_row(kind, threshold) for kind in (live, *attacks)]
    attacks = [kind for kind in attacks if kind.scores.size]
    species = {kind.name: kind.scores for kind in attacks}
    complete = bool(live.scores.size and species)
    grouped_by = " or ".join(sorted({name for name, _ in map(_group, outcomes) if name}, reverse=True))
    rejected = [outcome for outcome in outcomes if outcome.status == "rejected"]
    unreadable = [outcome for outcome in outcomes if outcome.unreadable]
    scores = np.concatenate([live.scores, *species.values()])
    notes = find_notes(rows, scores, grouped_by=grouped_by, rejected=len(rejected), unreadable=len(unreadable))
    point = None
    if complete and (max_apcer is not None or max_bpcer is not None):
        try:
            point = choose_threshold(live.scores, species, max_apcer=max_apcer, max_bpcer=max_bpcer)
        except EvaluationError as error:
            name, limit = ("max_apcer", max_apcer) if max_apcer is not None else ("max_bpcer", max_bpcer)
            notes.insert(0, f"No operating point for {name} {100 * (limit or 0):.6g} %: {error}.")
    curves = {"worst species": species, **species} if complete else {}
    bins = figures.reliability(live.scores, species) if complete else []
    reasons = Counter(outcome.reason for outcome in rejected)
    return Report(
        run=dict(run),
        threshold=threshold,
        pictures=sum(outcome.pictures for outcome in outcomes),
        units=len(outcomes),
        grouped_by=grouped_by,
        bona_fide=rows[0],
        species=tuple(rows[1:]),
        measures=_measures(live, attacks, rows[0], threshold) if complete else {},
        sources=_sources(outcomes, threshold),
        det={name: figures.det_points(live.scores, scores) for name, scores in curves.items()},
        reliability=tuple(bins),
        calibration_error=figures.expected_calibration_error(bins) if bins else None,
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        rejected=_listing(rejected, lambda outcome: outcome.unit),
        unreadable=_listing(unreadable, lambda outcome: outcome.unit),
        accepted=_listing(_wrong(attacks, threshold), lambda outcome: (-(outcome.score or 0), outcome.unit)),
        refused=_listing(_wrong([live], threshold), lambda outcome: (outcome.score, outcome.unit)),
        operating_point=point,
        notes=tuple(notes),
    )


def _kinds(outcomes: Sequence[Outcome]) -> List[_Kind]:
    """The live units, then the species in alphabetical order; the units of each stay in the order of the set."""
    numbers: Dict[Any, int] = {}
    kinds: Dict[str, List[Outcome]] = {"": []}
    for outcome in outcomes:
        kinds.setdefault(outcome.sample.species, []).append(outcome)
        numbers.setdefault(_group(outcome), len(numbers))
    return [_kind(name, kinds[name], numbers) for name in sorted(kinds)]


def _kind(name: str, outcomes: List[Outcome], numbers: Mapping[Any, int]) -> _Kind:
    judged = [outcome for outcome in outcomes if outcome.score is not None]
    scores = np.array([outcome.score for outcome in judged], np.float64)
    return _Kind(name, outcomes, judged, scores, np.array([numbers[_group(outcome)] for outcome in judged], np.int64))


def _group(outcome: Outcome) -> Tuple[str, Any]:
    """Who or what is independent: the subject, else the recording, else the unit itself."""
    sample = outcome.sample
    if sample.subject:
        return "subject", sample.subject
    return ("recording", sample.sequence) if sample.sequence else ("", outcome.unit)


def _wrong(kinds: Iterable[_Kind], threshold: float) -> List[Outcome]:
    return [outcome for kind in kinds for outcome, wrong in zip(kind.judged, kind.wrong(threshold)) if wrong]


def _listing(outcomes: List[Outcome], key: Callable[[Outcome], Any]) -> Listing:
    return Listing(len(outcomes), tuple(heapq.nsmallest(LISTED, outcomes, key=key)))


def _row(kind: _Kind, threshold: float) -> RateRow:
    wrong = kind.wrong(threshold)
    errors, judged, groups = int(wrong.sum()), wrong.size, np.unique(kind.groups).size
    grouped = None
    if 1 < groups < judged:
        # Where all groups agree, resampling them would show no variation: count them as trials.
        varied = 0 < errors < judged
        counted = groups if errors else 0
        grouped = metrics.bootstrap_rate(wrong, kind.groups) if varied else metrics.clopper_pearson(counted, groups)
    return RateRow(
        name=kind.name or "bona fide",
        judged=judged,
        rejected=kind.count("rejected"),
        unreadable=kind.count("unreadable"),
        errors=errors,
        interval=metrics.clopper_pearson(errors, judged) if judged else None,
        groups=groups,
        grouped=grouped,
        is_live=not kind.name,
        histogram=tuple(figures.histogram(kind.scores)),
    )


def _measures(live: _Kind, attacks: List[_Kind], bona_fide: RateRow, threshold: float) -> Dict[str, Measure]:
    species = {kind.name: kind.scores for kind in attacks}
    equal = metrics.eer(live.scores, species)
    values: Dict[str, Tuple[float, Optional[float]]] = {
        "apcer": (metrics.apcer(species, threshold), threshold),
        "bpcer": (metrics.bpcer(live.scores, threshold), threshold),
        "acer": (metrics.acer(live.scores, species, threshold), threshold),
        "eer": (equal.rate, equal.threshold),
    }
    for name, limit in (("bpcer10", 0.10), ("bpcer20", 0.05), ("bpcer100", 0.01)):
        point = metrics.bpcer_at_apcer(live.scores, species, limit)
        values[name] = (point.bpcer, point.threshold)
    values["roc_auc"] = (metrics.roc_auc(live.scores, species), None)
    intervals = _intervals(live, attacks, threshold)
    if bona_fide.grouped:
        intervals["bpcer"] = bona_fide.grouped  # one rate, one interval, wherever it is printed
    return {name: Measure(value, intervals.get(name), at) for name, (value, at) in values.items()}


def _intervals(live: _Kind, attacks: List[_Kind], threshold: float) -> Dict[str, Interval]:
    if any(np.unique(kind.groups).size < 2 for kind in (live, *attacks)):
        return {}  # a species seen with one person says nothing about the next person
    intervals = metrics.bootstrap_measures(
        live.scores,
        {kind.name: kind.scores for kind in attacks},
        threshold=threshold,
        bona_fide_groups=live.groups,
        attack_groups={kind.name: kind.groups for kind in attacks},
    )
    # Where every round gave the same, resampling has shown no variation, not that there is none.
    return {name: interval for name, interval in intervals.items() if interval.low < interval.high}


def _sources(outcomes: Sequence[Outcome], threshold: float) -> Tuple[SourceRow, ...]:
    sources: Dict[str, List[Outcome]] = {}
    for outcome in outcomes:
        sources.setdefault(outcome.sample.source, []).append(outcome)
    return tuple(_source(name, here, threshold) for name, here in sources.items()) if len(sources) > 1 else ()


def _source(name: str, outcomes: Sequence[Outcome], threshold: float) -> SourceRow:
    live, *attacks = _kinds(outcomes)
    rates = {kind.name: float(kind.wrong(threshold).mean()) for kind in attacks if kind.scores.size}
    worst = max(rates, key=lambda species: rates[species], default="")
    return SourceRow(
        name=name or "unnamed",
        live=live.scores.size,
        attacks=sum(kind.scores.size for kind in attacks),
        bpcer=float(live.wrong(threshold).mean()) if live.scores.size else None,
        worst_apcer=rates.get(worst),
        worst_species=worst,
    )
