from __future__ import annotations

import math
from random import Random
from typing import Dict, List

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.metrics import oracle
from tests.metrics.strategies import rate, scores, species

from facelive import metrics


@settings(deadline=None)
@given(scores, species, rate)
def test_curves_equal_a_plain_count(live: List[float], attacks: Dict[str, List[float]], limit: float) -> None:
    curve = metrics.det_curve(live, attacks)
    for threshold, apcer, bpcer in zip(*curve):
        assert (apcer, bpcer) == oracle.rates(live, attacks, threshold)
    equal = metrics.eer(live, attacks)
    assert equal.rate == pytest.approx(oracle.eer(live, attacks), abs=1e-15)
    assert equal.rate == sum(oracle.rates(live, attacks, equal.threshold)) / 2
    secure = metrics.bpcer_at_apcer(live, attacks, limit)
    assert secure.bpcer == oracle.bpcer_at_apcer(live, attacks, limit)
    assert (secure.apcer, secure.bpcer) == oracle.rates(live, attacks, secure.threshold)
    easy = metrics.apcer_at_bpcer(live, attacks, limit)
    assert easy.apcer == oracle.apcer_at_bpcer(live, attacks, limit)
    assert (easy.apcer, easy.bpcer) == oracle.rates(live, attacks, easy.threshold)
    assert math.isclose(metrics.roc_auc(live, attacks), oracle.auc(live, attacks), abs_tol=1e-12)


@settings(deadline=None)
@given(scores, species)
def test_the_curve_runs_from_all_accepted_to_none(live: List[float], attacks: Dict[str, List[float]]) -> None:
    thresholds, apcer, bpcer = metrics.det_curve(live, attacks)
    assert (np.diff(thresholds) > 0).all()
    assert (np.diff(apcer) <= 0).all() and (np.diff(bpcer) >= 0).all()
    assert (apcer[0], bpcer[0], apcer[-1], bpcer[-1]) == (1.0, 0.0, 0.0, 1.0)


@settings(deadline=None)
@given(scores, scores, rate)
def test_mirrored_scores_swap_the_errors(live: List[float], attacks: List[float], limit: float) -> None:
    mirrored_live, mirrored_attacks = [-score for score in attacks], [-score for score in live]
    assert metrics.eer(live, attacks).rate == metrics.eer(mirrored_live, mirrored_attacks).rate
    assert metrics.roc_auc(live, attacks) == metrics.roc_auc(mirrored_live, mirrored_attacks)
    secure = metrics.bpcer_at_apcer(live, attacks, limit)
    mirrored = metrics.apcer_at_bpcer(mirrored_live, mirrored_attacks, limit)
    assert secure.bpcer == mirrored.apcer
    assert metrics.roc_auc(live, attacks) + metrics.roc_auc(attacks, live) == pytest.approx(1, abs=1e-12)


@settings(deadline=None)
@given(scores, species, st.randoms(use_true_random=False))
def test_the_order_of_scores_is_nothing(live: List[float], attacks: Dict[str, List[float]], random: Random) -> None:
    before = metrics.eer(live, attacks), metrics.roc_auc(live, attacks), metrics.bpcer_at_apcer(live, attacks, 0.1)
    for values in (live, *attacks.values()):
        random.shuffle(values)
    names = list(attacks)
    random.shuffle(names)
    attacks = {name: attacks[name] for name in names}
    after = metrics.eer(live, attacks), metrics.roc_auc(live, attacks), metrics.bpcer_at_apcer(live, attacks, 0.1)
    assert before == after


@settings(deadline=None)
@given(scores, species)
def test_only_the_order_among_scores_matters(live: List[float], attacks: Dict[str, List[float]]) -> None:
    def moved(values: List[float]) -> List[float]:
        return [2 * score for score in values]  # a power of two keeps every tie

    moved_attacks = {name: moved(values) for name, values in attacks.items()}
    assert metrics.eer(moved(live), moved_attacks).rate == metrics.eer(live, attacks).rate
    assert metrics.roc_auc(moved(live), moved_attacks) == metrics.roc_auc(live, attacks)


def test_all_scores_equal_is_chance() -> None:
    same = [0.5] * 4
    assert metrics.roc_auc(same, same) == 0.5
    assert metrics.eer(same, same).rate == 0.5
    assert metrics.bpcer_at_apcer(same, same, 0.05).bpcer == 1.0
    assert metrics.apcer_at_bpcer(same, same, 0.05).apcer == 1.0


def test_separated_scores_have_no_error_and_name_the_most_secure_threshold() -> None:
    assert metrics.eer([0.8, 0.9], [0.1, 0.2]) == (0.0, 0.8)
    assert metrics.bpcer_at_apcer([0.8, 0.9], [0.1, 0.2], 0.01) == (0.8, 0.0, 0.0)


@pytest.mark.parametrize("limit", [-0.1, 1.1, float("nan")])
def test_a_limit_is_a_rate(limit: float) -> None:
    with pytest.raises(ValueError, match=r"max_apcer is a rate in \[0, 1\]"):
        metrics.bpcer_at_apcer([0.9], [0.1], limit)
    with pytest.raises(ValueError, match=r"max_bpcer is a rate in \[0, 1\]"):
        metrics.apcer_at_bpcer([0.9], [0.1], limit)


def test_agrees_with_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed here")
    rng = np.random.default_rng(5)
    live, attacks = rng.normal(1, 1, 700).round(1), rng.normal(-1, 1, 900).round(1)
    is_live, values = np.repeat([1, 0], [700, 900]), np.concatenate([live, attacks])
    assert metrics.roc_auc(live, attacks) == pytest.approx(sklearn.roc_auc_score(is_live, values), abs=1e-12)
    false_accepts, false_rejects, thresholds = sklearn.det_curve(is_live, values)
    ours = metrics.det_curve(live, attacks)
    at = np.searchsorted(ours.thresholds, thresholds[np.isfinite(thresholds)])
    np.testing.assert_allclose(ours.apcer[at], false_accepts[np.isfinite(thresholds)], atol=1e-12)
    np.testing.assert_allclose(ours.bpcer[at], false_rejects[np.isfinite(thresholds)], atol=1e-12)
    accepts, hits, _ = sklearn.roc_curve(is_live, values, drop_intermediate=False)
    for limit in (0.1, 0.05, 0.01):
        expected = 1 - hits[accepts <= limit].max()
        assert metrics.bpcer_at_apcer(live, attacks, limit).bpcer == pytest.approx(expected, abs=1e-12)
