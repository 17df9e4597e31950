"""Chooses a threshold that holds a limit, or says why the data cannot."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Dict, Mapping, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from facelive import metrics
from facelive.errors import EvaluationError

__all__ = ["MeasuredRate", "OperatingPoint", "choose_threshold"]

Attacks = Union[npt.ArrayLike, Mapping[str, npt.ArrayLike]]
_Array = npt.NDArray[np.float64]


class MeasuredRate(NamedTuple):
    """An error rate as counted: ``errors`` of ``trials`` and the two-sided Clopper-Pearson interval."""

    errors: int
    trials: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """``errors / trials``, in [0, 1]."""
        return self.errors / self.trials

    @classmethod
    def counted(cls, errors: int, trials: int, confidence: float) -> MeasuredRate:
        """The rate with its interval."""
        return cls(errors, trials, *metrics.clopper_pearson(errors, trials, confidence=confidence))


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with the errors that were measured at it.

    Args:
        threshold: Scores at or above it are live.
        limit: ``"max_apcer"`` or ``"max_bpcer"``, whichever was asked for.
        limit_value: The rate asked for, in [0, 1].
        assured: Whether the upper confidence bound, not just the measured rate, keeps the limit.
        confidence: Of every interval here.
        bpcer: Of the bona fide scores.
        apcer: Of each species.
    """

    threshold: float
    limit: str
    limit_value: float
    assured: bool
    confidence: float
    bpcer: MeasuredRate
    apcer: Dict[str, MeasuredRate]

    @property
    def worst_species(self) -> str:
        """The species with the highest APCER."""
        return max(self.apcer, key=lambda name: self.apcer[name].rate)

    def to_dict(self) -> Dict[str, Any]:
        """Plain values for JSON."""
        rates = {name: {**rate._asdict(), "rate": rate.rate} for name, rate in self.apcer.items()}
        bpcer = {**self.bpcer._asdict(), "rate": self.bpcer.rate}
        return {**asdict(self), "worst_species": self.worst_species, "bpcer": bpcer, "apcer": rates}


def choose_threshold(
    bona_fide: npt.ArrayLike,
    attacks: Attacks,
    *,
    max_apcer: Optional[float] = None,
    max_bpcer: Optional[float] = None,
    assured: bool = False,
    confidence: float = 0.95,
) -> OperatingPoint:
    """Choose the operating point that holds one limit and has the least of the other error.

    With ``max_apcer`` no species may pass it, and the BPCER is as small as that allows; with ``max_bpcer`` the
    APCER is as small as that allows. Scores must be independent: one per recording, as ``--vote`` gives them, not
    one per frame. Measure the errors again on pictures that did not choose the threshold before quoting them.

    Args:
        bona_fide: float, (N,), higher is more live.
        attacks: The scores of one species, or a mapping of species to scores.
        max_apcer: The APCER that no species may exceed, above 0 and below 1.
        max_bpcer: The BPCER not to exceed; give one limit of the two.
        assured: Hold the one-sided upper confidence bound of the rate, not just the measured rate, to the limit.
        confidence: Of the claim and of the intervals.

    Raises:
        EvaluationError: So few scores that even no error at all would not show the limit (the rule of three), or
            only refusing or accepting everyone holds it.
        ValueError: Both limits or none, or a score is not finite.

    Example:
        >>> live, printed = np.linspace(0.4, 1, 200), np.linspace(0, 0.6, 100)
        >>> point = choose_threshold(live, {"print": printed}, max_apcer=0.05)
        >>> round(point.threshold, 2), point.apcer["print"].errors, round(point.bpcer.rate, 2)
        (0.57, 5, 0.28)
        >>> choose_threshold(live, {"print": printed}, max_apcer=0.001)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        facelive.errors.EvaluationError: 100 scores of 'print' cannot show APCER at most 0.1 %: ...
    """
    if (max_apcer is None) == (max_bpcer is None):
        raise ValueError("give one limit: max_apcer or max_bpcer")
    curve = metrics.det_curve(bona_fide, attacks)
    live = np.sort(np.asarray(bona_fide, dtype=np.float64))
    named = attacks if isinstance(attacks, Mapping) else {"attack": attacks}
    species = {name: np.sort(np.asarray(scores, dtype=np.float64)) for name, scores in named.items()}
    if max_apcer is not None:
        limit, value = "max_apcer", _checked_limit(max_apcer)
        threshold = max(
            _above(curve.thresholds, scores, _allowed(scores, name, "APCER", value, assured, confidence))
            for name, scores in species.items()
        )
    else:
        limit, value = "max_bpcer", _checked_limit(max_bpcer or 0.0)
        threshold = float(live[_allowed(live, "bona fide", "BPCER", value, assured, confidence)])
    point = OperatingPoint(
        threshold=threshold,
        limit=limit,
        limit_value=value,
        assured=assured,
        confidence=confidence,
        bpcer=MeasuredRate.counted(_below(live, threshold), live.size, confidence),
        apcer={
            name: MeasuredRate.counted(scores.size - _below(scores, threshold), scores.size, confidence)
            for name, scores in species.items()
        },
    )
    if point.bpcer.rate == 1 or all(rate.rate == 1 for rate in point.apcer.values()):
        whom = "refuses every live face" if point.bpcer.rate == 1 else "accepts every attack"
        raise EvaluationError(f"only a threshold that {whom} keeps {limit} at {_percent(value)}")
    return point


def _allowed(scores: _Array, name: str, error: str, limit: float, assured: bool, confidence: float) -> int:
    """How many errors the limit allows."""
    needed = metrics.smallest_sample(limit, confidence=confidence)
    if scores.size < needed:
        raise EvaluationError(
            f"{scores.size:,} scores of {name!r} cannot show {error} at most {_percent(limit)}: even without an error, "
            f"{_percent(confidence)} confidence takes {needed:,} (the rule of three)"
        )
    if assured:
        return metrics.largest_error_count(scores.size, limit, confidence=confidence)
    errors = math.ceil(limit * scores.size)
    return errors if errors / scores.size <= limit else errors - 1


def _above(thresholds: _Array, ascending: _Array, errors: int) -> float:
    """The highest threshold with the lowest number of refusals that accepts at most ``errors`` of the scores."""
    barred = ascending[ascending.size - 1 - errors]
    return float(thresholds[np.searchsorted(thresholds, barred, side="right")])


def _below(ascending: _Array, threshold: float) -> int:
    return int(np.searchsorted(ascending, threshold, side="left"))


def _checked_limit(limit: float) -> float:
    if not 0 < limit < 1:
        raise ValueError(f"a limit is a rate above 0 and below 1, not {limit}")
    return limit


def _percent(rate: float) -> str:
    return f"{100 * rate:.6g} %"
