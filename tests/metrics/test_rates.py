from __future__ import annotations

from typing import Dict, List

import numpy as np
import pytest
from hypothesis import given, settings
from tests.metrics import oracle
from tests.metrics.strategies import score, scores, species

from facelive import metrics


def test_an_attack_exactly_on_the_threshold_is_an_error() -> None:
    assert metrics.apcer([0.5], 0.5) == 1.0
    assert metrics.bpcer([0.5], 0.5) == 0.0


def test_float32_scores_are_compared_as_they_are() -> None:
    stored = np.array([0.1], np.float32)  # 0.1 in float32 lies above 0.1 in float64
    assert metrics.apcer(stored, 0.1) == 1.0
    assert metrics.apcer(stored, float(stored[0])) == 1.0


def test_the_worst_species_is_reported_not_the_pool() -> None:
    attacks = {"print": [0.1] * 98, "mask": [0.9, 0.1]}
    assert metrics.apcer(attacks, 0.5) == 0.5
    assert metrics.apcer_by_species(attacks, 0.5) == {"print": 0.0, "mask": 0.5}
    assert metrics.acer([0.9], attacks, 0.5) == 0.25


@settings(deadline=None)
@given(scores, species, score)
def test_rates_equal_a_plain_count(live: List[float], attacks: Dict[str, List[float]], threshold: float) -> None:
    apcer, bpcer = oracle.rates(live, attacks, threshold)
    assert metrics.apcer(attacks, threshold) == apcer
    assert metrics.bpcer(live, threshold) == bpcer
    assert metrics.acer(live, attacks, threshold) == (apcer + bpcer) / 2


@settings(deadline=None)
@given(scores, species, score, score)
def test_a_higher_threshold_accepts_less(
    live: List[float], attacks: Dict[str, List[float]], a: float, b: float
) -> None:
    low, high = min(a, b), max(a, b)
    assert metrics.apcer(attacks, high) <= metrics.apcer(attacks, low)
    assert metrics.bpcer(live, high) >= metrics.bpcer(live, low)


@pytest.mark.parametrize("measure", [metrics.eer, metrics.roc_auc, metrics.det_curve])
def test_bad_scores_are_named(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="1 of 3 bona fide scores are NaN or infinite, the first at index 1"):
        measure([0.5, np.nan, 0.5], [0.1])
    with pytest.raises(ValueError, match=r"1 of 1 attack \(print\) scores are NaN"):
        measure([0.5], {"print": [np.inf]})
    with pytest.raises(ValueError, match="there are no bona fide scores"):
        measure([], [0.1])
    with pytest.raises(ValueError, match=r"there are no attack \(print\) scores"):
        measure([0.5], {"print": []})
    with pytest.raises(ValueError, match="there are no attack species"):
        measure([0.5], {})
    with pytest.raises(ValueError, match=r"one-dimensional, not of shape \(1, 1\)"):
        measure([[0.5]], [0.1])


def test_a_nan_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold is NaN"):
        metrics.bpcer([0.5], float("nan"))
