"""Measures over all thresholds: DET curve, EER, BPCER at an APCER, ROC AUC."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facelive.words import as_number, quoted

from ._scores import Attacks, Scores, checked, checked_species

__all__ = [
    "DetCurve",
    "EqualErrorRate",
    "ErrorPoint",
    "apcer_at_bpcer",
    "bpcer_at_apcer",
    "det_curve",
    "eer",
    "roc_auc",
]


_ROUNDING = 1e-12  # two gaps this close are one gap, divided by different counts


class DetCurve(NamedTuple):
    """Both error rates at every threshold that tells two scores apart, thresholds rising.

    Each field is float64, (K,): ``thresholds`` are the distinct scores and one number just above the highest;
    ``apcer`` falls to 0, ``bpcer`` rises from 0 to 1.
    """

    thresholds: Scores
    apcer: Scores
    bpcer: Scores


class EqualErrorRate(NamedTuple):
    """The equal error ``rate`` in [0, 1] and the ``threshold`` it is reached at."""

    rate: float
    threshold: float


class ErrorPoint(NamedTuple):
    """A ``threshold`` with its ``apcer`` (worst species) and ``bpcer``, both in [0, 1]."""

    threshold: float
    apcer: float
    bpcer: float


def det_curve(bona_fide: npt.ArrayLike, attacks: Attacks) -> DetCurve:
    """Detection error trade-off: APCER and BPCER at every distinct threshold.

    Between two neighbouring scores nothing changes, so the curve is exact, not sampled. Of all thresholds with
    the same errors it names the highest, the most secure one. Of several species it is the worst at each threshold.

    Example:
        >>> curve = det_curve([0.4, 0.9], [0.1, 0.4])
        >>> curve.apcer.tolist(), curve.bpcer.tolist()
        ([1.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 1.0])
    """
    live, species = checked(bona_fide, "bona fide"), checked_species(attacks)
    distinct = np.unique(np.concatenate([live, *species.values()]))
    thresholds = np.append(distinct, np.nextafter(distinct[-1], np.inf))
    refused = np.searchsorted(np.sort(live), thresholds, side="left") / live.size
    worst = np.zeros(thresholds.size)
    for scores in species.values():
        below = np.searchsorted(np.sort(scores), thresholds, side="left")
        np.maximum(worst, (scores.size - below) / scores.size, out=worst)
    return DetCurve(thresholds, worst, refused)


def eer(bona_fide: npt.ArrayLike, attacks: Attacks) -> EqualErrorRate:
    """Equal error rate: where APCER and BPCER meet.

    Rates move in steps and seldom meet exactly. The threshold is the one with the smallest ``|APCER - BPCER|``
    (of several, the one with the smaller sum), the rate is ``(APCER + BPCER) / 2`` there. Source: ISO/IEC 19795-1.

    Example:
        >>> eer([0.3, 0.6, 0.8, 0.9], [0.1, 0.2, 0.4, 0.7])
        EqualErrorRate(rate=0.25, threshold=0.6)
    """
    curve = det_curve(bona_fide, attacks)
    gap = np.abs(curve.apcer - curve.bpcer)
    nearest = np.flatnonzero(gap <= gap.min() + _ROUNDING)
    rates = (curve.apcer[nearest] + curve.bpcer[nearest]) / 2
    best = int(nearest[np.argmin(rates)])
    return EqualErrorRate(float(rates.min()), float(curve.thresholds[best]))


def bpcer_at_apcer(bona_fide: npt.ArrayLike, attacks: Attacks, max_apcer: float) -> ErrorPoint:
    """The smallest BPCER among thresholds whose APCER is at most ``max_apcer``.

    ``BPCER10``, ``BPCER20`` and ``BPCER100`` are the values at 0.10, 0.05 and 0.01. No species may pass the limit.

    Example:
        >>> bpcer_at_apcer([0.3, 0.6, 0.8, 0.9], [0.1, 0.2, 0.4, 0.7], 0.10)
        ErrorPoint(threshold=0.8, apcer=0.0, bpcer=0.5)
    """
    _check_limit(max_apcer, "max_apcer")
    curve = det_curve(bona_fide, attacks)
    return _point(curve, int(np.argmax(curve.apcer <= max_apcer)))


def apcer_at_bpcer(bona_fide: npt.ArrayLike, attacks: Attacks, max_bpcer: float) -> ErrorPoint:
    """The smallest APCER among thresholds whose BPCER is at most ``max_bpcer``.

    Example:
        >>> apcer_at_bpcer([0.3, 0.6, 0.8, 0.9], [0.1, 0.2, 0.4, 0.7], 0.25)
        ErrorPoint(threshold=0.6, apcer=0.25, bpcer=0.25)
    """
    _check_limit(max_bpcer, "max_bpcer")
    curve = det_curve(bona_fide, attacks)
    return _point(curve, int(np.searchsorted(curve.bpcer, max_bpcer, side="right")) - 1)


def roc_auc(bona_fide: npt.ArrayLike, attacks: Attacks) -> float:
    """Area under the ROC curve: how often a live face scores above an attack, ties counting half.

    ``AUC = (|{live > attack}| + |{live = attack}| / 2) / (N * M)`` over all pairs, the Mann-Whitney statistic.
    Of several species the lowest counts. Source: J. A. Hanley and B. J. McNeil, Radiology 143 (1982).

    Example:
        >>> roc_auc([0.4, 0.9], [0.1, 0.4])
        0.875
    """
    live = checked(bona_fide, "bona fide")
    return min(_area(live, scores) for scores in checked_species(attacks).values())


def _area(live: Scores, attacks: Scores) -> float:
    ranked = np.sort(attacks)
    below = int(np.searchsorted(ranked, live, side="left").sum())
    not_above = int(np.searchsorted(ranked, live, side="right").sum())
    return (below + not_above) / (2 * live.size * attacks.size)


def _point(curve: DetCurve, index: int) -> ErrorPoint:
    return ErrorPoint(float(curve.thresholds[index]), float(curve.apcer[index]), float(curve.bpcer[index]))


def _check_limit(limit: float, name: str) -> None:
    if not 0 <= as_number(limit) <= 1:
        raise ValueError(f"{name} is a rate in [0, 1], not {quoted(limit)}")
