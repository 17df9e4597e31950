"""What an evaluation found: every rate with its count, its interval and its threshold."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from facelive.evaluation.figures import ReliabilityBin
from facelive.evaluation.operating import OperatingPoint
from facelive.evaluation.outcomes import Outcome
from facelive.metrics import Interval

__all__ = ["Listing", "Measure", "RateRow", "Report", "SourceRow"]


class Listing(NamedTuple):
    """The first or worst of many: ``total`` of them, and at most a hundred outcomes."""

    total: int
    shown: Tuple[Outcome, ...]


@dataclass(frozen=True)
class RateRow:
    """Bona fide presentations, or the attacks of one species.

    Args:
        name: ``"bona fide"`` or the species.
        judged: Units with a score.
        rejected: Units presented but not judged.
        unreadable: Units whose pictures could not be read: a fault of the set, not presented at all.
        errors: Judged on the wrong side of the threshold.
        interval: Clopper-Pearson, of the rate among the judged; ``None`` when none was.
        groups: How many subjects or recordings stand behind the judged.
        grouped: Bootstrap interval over these; ``None`` when there are fewer than two.
        is_live: Whether these are bona fide.
        histogram: Counts of the scores in 40 equal parts of [0, 1].
    """

    name: str
    judged: int
    rejected: int
    unreadable: int
    errors: int
    interval: Optional[Interval]
    groups: int
    grouped: Optional[Interval]
    is_live: bool
    histogram: Tuple[int, ...]

    @property
    def presented(self) -> int:
        """Judged or rejected."""
        return self.judged + self.rejected

    @property
    def rate(self) -> Optional[float]:
        """APCER or BPCER as the standard has it: errors among the judged."""
        return self.errors / self.judged if self.judged else None

    @property
    def non_response(self) -> Optional[float]:
        """APNRR or BPNRR: rejected among the presented."""
        return self.rejected / self.presented if self.presented else None

    @property
    def rate_of_presented(self) -> Optional[float]:
        """What a deployment sees: attacks accepted, or live faces turned away for any reason, among the presented."""
        failed = self.errors + (self.rejected if self.is_live else 0)
        return failed / self.presented if self.presented else None

    def to_dict(self) -> Dict[str, Any]:
        """Plain values for JSON."""
        derived = {name: getattr(self, name) for name in ("presented", "rate", "non_response", "rate_of_presented")}
        return {**asdict(self), **derived}


@dataclass(frozen=True)
class SourceRow:
    """The errors on the units of one source; rates are ``None`` where it has none of the kind."""

    name: str
    live: int
    attacks: int
    bpcer: Optional[float]
    worst_apcer: Optional[float]
    worst_species: str


@dataclass(frozen=True)
class Measure:
    """One figure over all units: its value, its bootstrap interval if there is one, and the threshold it is at."""

    value: float
    interval: Optional[Interval] = None
    threshold: Optional[float] = None


@dataclass(frozen=True)
class Report:
    """Everything an evaluation found; ``to_dict()`` is its JSON.

    Args:
        run: What was evaluated, with which model, settings, library and runtime.
        threshold: Where ``bona_fide``, ``species``, ``apcer``, ``bpcer`` and ``acer`` are measured.
        pictures: Pictures in the set.
        units: Pictures, or recordings when they were voted on.
        grouped_by: What the grouped intervals take for independent; empty when every unit was.
        bona_fide: The live units.
        species: The attacks, a row per species.
        measures: ``apcer`` (worst species), ``bpcer``, ``acer``, ``eer``, ``bpcer10``, ``bpcer20``, ``bpcer100`` and
            ``roc_auc`` by name; empty when one class has no score.
        sources: A row per source.
        det: ``(APCER, BPCER)`` points for the worst species and for each.
        reliability: Ten bins of the score.
        calibration_error: The mean distance between score and share of live units.
        reasons: Rejected units by reason.
        rejected: Rejected units.
        unreadable: Units with pictures that could not be read.
        accepted: Attacks judged live, the worst first.
        refused: Live units judged attacks, the worst first.
        operating_point: Chosen on these very units, if a limit was asked for and they support it.
        notes: What to know before quoting a figure, a plain sentence each.
    """

    run: Dict[str, Any]
    threshold: float
    pictures: int
    units: int
    grouped_by: str
    bona_fide: RateRow
    species: Tuple[RateRow, ...]
    measures: Dict[str, Measure]
    sources: Tuple[SourceRow, ...]
    det: Dict[str, List[Tuple[float, float]]]
    reliability: Tuple[ReliabilityBin, ...]
    calibration_error: Optional[float]
    reasons: Dict[str, int]
    rejected: Listing
    unreadable: Listing
    accepted: Listing
    refused: Listing
    operating_point: Optional[OperatingPoint]
    notes: Tuple[str, ...]

    @property
    def worst_species(self) -> Optional[RateRow]:
        """The species with the highest APCER; of equals the one with the fewest trials behind it."""
        judged = [row for row in self.species if row.judged]
        return max(judged, key=lambda row: (row.rate or 0.0, -row.judged), default=None)

    @property
    def in_plain_words(self) -> Tuple[str, ...]:
        """Two sentences for somebody who knows no measure: how many attacks pass, how many people are refused.

        Attacks are the judged ones of the worst species; refused are all live units that were not taken for live.
        """
        worst, live, sentences = self.worst_species, self.bona_fide, []
        if worst is not None and worst.interval is not None and not worst.errors:
            most = math.ceil(100 * (worst.grouped or worst.interval).high)
            tested = f"None of {worst.judged:,} {worst.name} attacks passed, the least tested species here"
            sentences.append(f"{tested}: up to {most} of 100 may.")
        elif worst is not None and worst.rate is not None:
            passed, counted = _of_hundred(worst.rate, "passes", "pass"), f"{worst.errors:,} of {worst.judged:,} did"
            sentences.append(f"Of 100 {worst.name} attacks, the worst species here, {passed} ({counted}).")
        if live.rate_of_presented is not None:
            refused = _of_hundred(live.rate_of_presented, "is refused", "are refused")
            counted = f"{live.errors + live.rejected:,} of {live.presented:,} were"
            sentences.append(f"Of 100 live people, {refused} ({counted}).")
        return tuple(sentences)

    def to_dict(self) -> Dict[str, Any]:
        """Plain values for JSON: no NaN, no class."""
        content: Dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        content.update(
            in_plain_words=self.in_plain_words,
            bona_fide=self.bona_fide.to_dict(),
            species=[row.to_dict() for row in self.species],
            measures={name: asdict(measure) for name, measure in self.measures.items()},
            sources=[asdict(row) for row in self.sources],
            reliability=[one._asdict() for one in self.reliability],
            operating_point=None if self.operating_point is None else self.operating_point.to_dict(),
        )
        for name in ("rejected", "unreadable", "accepted", "refused"):
            listing: Listing = getattr(self, name)
            content[name] = {"total": listing.total, "shown": [outcome.to_dict() for outcome in listing.shown]}
        return content


def _of_hundred(rate: float, one: str, many: str) -> str:
    """How many of 100, never rounded to none or all."""
    count = round(100 * rate)
    if count == 0 and rate > 0:
        return f"fewer than 1 {one}"
    if count == 100 and rate < 1:
        return f"more than 99 {many}"
    return f"{count or 'none'} {one if count == 1 else many}"
