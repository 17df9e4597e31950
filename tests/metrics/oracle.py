"""The same measures counted one score at a time, slowly and plainly."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Dict, List, Sequence, Tuple


def rates(bona_fide: Sequence[float], species: Dict[str, List[float]], threshold: float) -> Tuple[float, float]:
    refused = sum(1 for score in bona_fide if score < threshold) / len(bona_fide)
    accepted = [sum(1 for score in scores if score >= threshold) / len(scores) for scores in species.values()]
    return max(accepted), refused


def thresholds(bona_fide: Sequence[float], species: Dict[str, List[float]]) -> List[float]:
    distinct = sorted({*bona_fide, *(score for scores in species.values() for score in scores)})
    return [*distinct, math.inf]


def eer(bona_fide: Sequence[float], species: Dict[str, List[float]]) -> float:
    points = []
    for threshold in thresholds(bona_fide, species):
        refused = Fraction(sum(score < threshold for score in bona_fide), len(bona_fide))
        accepted = max(Fraction(sum(s >= threshold for s in scores), len(scores)) for scores in species.values())
        points.append((abs(accepted - refused), (accepted + refused) / 2))
    return float(min(points)[1])


def bpcer_at_apcer(bona_fide: Sequence[float], species: Dict[str, List[float]], limit: float) -> float:
    points = [rates(bona_fide, species, threshold) for threshold in thresholds(bona_fide, species)]
    return min(bpcer for apcer, bpcer in points if apcer <= limit)


def apcer_at_bpcer(bona_fide: Sequence[float], species: Dict[str, List[float]], limit: float) -> float:
    points = [rates(bona_fide, species, threshold) for threshold in thresholds(bona_fide, species)]
    return min(apcer for apcer, bpcer in points if bpcer <= limit)


def auc(bona_fide: Sequence[float], species: Dict[str, List[float]]) -> float:
    areas = []
    for scores in species.values():
        wins = sum(1.0 if live > attack else 0.5 if live == attack else 0.0 for live in bona_fide for attack in scores)
        areas.append(wins / len(bona_fide) / len(scores))
    return min(areas)
