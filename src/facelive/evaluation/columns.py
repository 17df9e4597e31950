"""The outcomes of a run as columns of numbers: a few bytes a unit, in the order of the set, however they came."""

from __future__ import annotations

import heapq
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Set, Tuple

import numpy as np
import numpy.typing as npt

from facelive.evaluation.outcomes import Outcome

__all__ = ["LISTED", "Columns", "Listing", "read_columns"]

LISTED = 100
"""How many pictures a list of a report names; the results file has them all."""

_Codes = npt.NDArray[np.int32]
_STATUS = {"judged": 0, "rejected": 1, "unreadable": 2}


class Listing(NamedTuple):
    """The first or worst of many: ``total`` of them, and at most ``LISTED`` outcomes."""

    total: int
    shown: Tuple[Outcome, ...]


class Columns(NamedTuple):
    """Units in the order of the set.

    Args:
        scores: float64, (N,); NaN unless judged.
        status: int32, (N,): 0 judged, 1 rejected, 2 unreadable.
        kinds: int32, (N,): 0 live, then the species by ``kind_names``.
        kind_names: ``""`` for live, then the species in alphabetical order.
        sources: int32, (N,), by ``source_names``.
        source_names: In the order they first stand in the set.
        groups: int32, (N,): who or what is independent: subject, else recording, else the unit itself.
        grouped_by: ``"subject"``, ``"recording"``, a mixture, or empty when every unit stands for itself.
        pictures: Pictures in all units.
        rejected: Rejected units in the order of the set.
        unreadable: Units with unreadable pictures in the order of the set.
        reasons: How many units were rejected for each reason.
        accepted: Attacks judged live, the highest score first.
        refused: Live units judged attacks, the lowest score first.
    """

    scores: npt.NDArray[np.float64]
    status: _Codes
    kinds: _Codes
    kind_names: List[str]
    sources: _Codes
    source_names: List[str]
    groups: _Codes
    grouped_by: str
    pictures: int
    rejected: Listing
    unreadable: Listing
    reasons: Dict[str, int]
    accepted: Listing
    refused: Listing


class _Best:
    """Keeps the outcomes with the smallest keys, and counts all."""

    def __init__(self, key: Callable[[Outcome], Tuple[Any, ...]]) -> None:
        self._key = key
        self._heap: List[_Reversed] = []
        self.total = 0

    def add(self, outcome: Outcome) -> None:
        self.total += 1
        heapq.heappush(self._heap, _Reversed(self._key(outcome), outcome))
        if len(self._heap) > LISTED:
            heapq.heappop(self._heap)

    def listing(self) -> Listing:
        return Listing(self.total, tuple(entry.outcome for entry in sorted(self._heap, reverse=True)))


class _Reversed(NamedTuple):
    key: Tuple[Any, ...]
    outcome: Outcome

    def __lt__(self, other: Any) -> bool:
        return bool(self.key > other.key)


class _Names:
    """Numbers names in the order they come."""

    def __init__(self) -> None:
        self.codes: Dict[Any, int] = {}

    def code(self, name: Any) -> int:
        return self.codes.setdefault(name, len(self.codes))


def read_columns(outcomes: Iterable[Outcome], units: int, *, threshold: float) -> Columns:
    """Sort outcomes, which come in any order, into columns that do not depend on it."""
    scores = np.full(units, np.nan)
    status, kinds, sources, groups = (np.zeros(units, np.int32) for _ in range(4))
    kind_names, source_names, group_names = _Names(), _Names(), _Names()
    kind_names.code("")
    pictures = 0
    grouping: Set[str] = set()
    reasons: Dict[str, int] = {}
    rejected, unreadable = _Best(lambda outcome: (outcome.unit,)), _Best(lambda outcome: (outcome.unit,))
    accepted = _Best(lambda outcome: (-(outcome.score or 0.0), outcome.unit))
    refused = _Best(lambda outcome: (outcome.score, outcome.unit))
    for outcome in outcomes:
        unit = outcome.unit
        status[unit] = _STATUS[outcome.status]
        kinds[unit] = kind_names.code(outcome.species)
        sources[unit] = source_names.code(outcome.source)
        grouping.add("subject" if outcome.subject else "recording" if outcome.sequence else "")
        group = ("subject", outcome.subject) if outcome.subject else ("recording", outcome.sequence)
        groups[unit] = group_names.code(group) if any(group[1:]) else ~unit  # alone: a number no name has
        pictures += outcome.pictures
        if outcome.score is not None:
            scores[unit] = outcome.score
            if (outcome.score >= threshold) != (outcome.label == "live"):
                (refused if outcome.label == "live" else accepted).add(outcome)
        if outcome.status == "rejected":
            reasons[outcome.reason] = reasons.get(outcome.reason, 0) + 1
            rejected.add(outcome)
        if outcome.unreadable:
            unreadable.add(outcome)
    alphabetical = np.argsort(np.argsort(list(kind_names.codes))).astype(np.int32)
    first_come, source_order = _in_order_of_the_set(sources)
    return Columns(
        scores=scores,
        status=status,
        kinds=alphabetical[kinds],
        kind_names=sorted(kind_names.codes),
        sources=first_come,
        source_names=[list(source_names.codes)[code] for code in source_order],
        groups=_in_order_of_the_set(groups)[0],
        grouped_by=" or ".join(sorted(grouping - {""}, reverse=True)),
        pictures=pictures,
        rejected=rejected.listing(),
        unreadable=unreadable.listing(),
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        accepted=accepted.listing(),
        refused=refused.listing(),
    )


def _in_order_of_the_set(codes: _Codes) -> Tuple[_Codes, List[int]]:
    """The codes numbered anew in the order they first stand in the set, and the old code of each new one."""
    old, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return np.argsort(order).astype(np.int32)[inverse], old[order].tolist()
