"""The numbers behind a report's pictures, few enough to print and to draw."""

from __future__ import annotations

from typing import Any, List, Mapping, NamedTuple, Tuple

import numpy as np
import numpy.typing as npt

from facelive import metrics

__all__ = ["BINS", "ReliabilityBin", "det_points", "expected_calibration_error", "histogram", "reliability"]

BINS = 40
"""Bars of a score histogram over [0, 1]."""

_Scores = npt.NDArray[np.float64]
_DET_POINTS = 240
_RELIABILITY_BINS = 10


class ReliabilityBin(NamedTuple):
    """Scores from ``low`` to ``high``: how many, their mean, and which share of them was live."""

    low: float
    high: float
    units: int
    mean_score: float
    live_share: float


def histogram(scores: _Scores) -> List[int]:
    """How many scores fall into each of ``BINS`` equal parts of [0, 1]; 1 belongs to the last."""
    counts: List[int] = np.histogram(scores, bins=BINS, range=(0, 1))[0].tolist()
    return counts


def det_points(bona_fide: _Scores, attacks: Any) -> List[Tuple[float, float]]:
    """``(APCER, BPCER)`` along the DET curve: its corners, thinned evenly along its length."""
    _, apcer, bpcer = metrics.det_curve(bona_fide, attacks)
    moves = np.flatnonzero((np.diff(apcer) != 0) | (np.diff(bpcer) != 0))
    corners = np.unique(np.concatenate([[0], moves, moves + 1]))
    if corners.size > _DET_POINTS:
        # Even steps in the rates would lose the small ones, where a DET curve is read.
        travelled = np.cumsum(_steps(apcer[corners]) + _steps(bpcer[corners]))
        wanted = np.linspace(0, travelled[-1], _DET_POINTS)
        corners = np.unique(corners[np.searchsorted(travelled, wanted).clip(max=corners.size - 1)])
    return list(zip(apcer[corners].tolist(), bpcer[corners].tolist()))


def reliability(bona_fide: _Scores, attacks: Mapping[str, _Scores]) -> List[ReliabilityBin]:
    """Ten equal bins of the score and the share of live units in each; empty bins are left out."""
    scores = np.concatenate([bona_fide, *attacks.values()])
    is_live = np.arange(scores.size) < bona_fide.size
    which = np.minimum((scores * _RELIABILITY_BINS).astype(np.int64), _RELIABILITY_BINS - 1)
    count = np.bincount(which, minlength=_RELIABILITY_BINS)
    total = np.bincount(which, scores, _RELIABILITY_BINS)
    live = np.bincount(which, is_live, _RELIABILITY_BINS)
    return [
        ReliabilityBin(
            low=number / _RELIABILITY_BINS,
            high=(number + 1) / _RELIABILITY_BINS,
            units=int(count[number]),
            mean_score=float(total[number] / count[number]),
            live_share=float(live[number] / count[number]),
        )
        for number in np.flatnonzero(count).tolist()
    ]


def expected_calibration_error(bins: List[ReliabilityBin]) -> float:
    """``sum(n * |mean score - live share|) / N`` over the bins, in [0, 1]."""
    total = sum(one.units for one in bins)
    return sum(one.units * abs(one.mean_score - one.live_share) for one in bins) / total


def _steps(rates: _Scores) -> _Scores:
    """How far apart neighbouring rates lie on a logit scale, which a DET plot's axes resemble."""
    inside = np.clip(rates, 1e-4, 1 - 1e-4)
    return np.abs(np.diff(np.log(inside / (1 - inside)), prepend=np.log(inside[0] / (1 - inside[0]))))
