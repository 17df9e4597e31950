from __future__ import annotations

from typing import Dict

import numpy as np
import pytest

from facelive import metrics

RNG = np.random.default_rng(11)
LIVE = RNG.normal(1, 1, 60).round(1)
ATTACKS = {"print": RNG.normal(-1, 1, 50).round(1), "replay": RNG.normal(-0.5, 1, 40).round(1)}
LIVE_PEOPLE = np.arange(60) // 4
PEOPLE = {"print": np.arange(50) // 5, "replay": np.arange(40) % 9}


def _resampled_by_copying(rounds: int, seed: int) -> Dict[str, metrics.Interval]:
    """The textbook bootstrap: copy the scores of every drawn group, and measure."""
    rng = np.random.default_rng(seed)

    def draw(scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
        names = np.unique(groups)
        return np.concatenate([scores[groups == name] for name in rng.choice(names, names.size)])

    rows = []
    for _ in range(rounds):
        live = draw(LIVE, LIVE_PEOPLE)
        attacks = {name: draw(scores, PEOPLE[name]) for name, scores in ATTACKS.items()}
        row = [metrics.apcer(attacks, 0.2), metrics.bpcer(live, 0.2), metrics.acer(live, attacks, 0.2)]
        row += [metrics.eer(live, attacks).rate, metrics.roc_auc(live, attacks)]
        row += [metrics.bpcer_at_apcer(live, attacks, limit).bpcer for limit in (0.10, 0.05, 0.01)]
        rows.append(row)
    names = ["apcer", "bpcer", "acer", "eer", "roc_auc", "bpcer10", "bpcer20", "bpcer100"]
    low, high = np.quantile(rows, [0.025, 0.975], axis=0)
    return {name: metrics.Interval(*ends) for name, *ends in zip(names, low, high)}


def test_weights_give_the_intervals_that_copying_gives() -> None:
    ours = metrics.bootstrap_measures(
        LIVE, ATTACKS, threshold=0.2, bona_fide_groups=LIVE_PEOPLE, attack_groups=PEOPLE, rounds=4000
    )
    expected = _resampled_by_copying(2000, seed=3)
    assert list(ours) == list(expected)
    for name, interval in ours.items():
        assert interval == pytest.approx(expected[name], abs=0.035), name


def test_one_round_that_draws_everything_once_is_the_measure_itself() -> None:
    """Groups with the same scores cannot change a draw, so every round must equal the plain measures."""
    live, attacks = np.tile([0.2, 0.6, 0.9], 2), {"print": np.tile([0.1, 0.7], 2), "mask": np.tile([0.3, 0.3], 2)}
    intervals = metrics.bootstrap_measures(
        live,
        attacks,
        threshold=0.6,
        bona_fide_groups=np.repeat(["a", "b"], 3),
        attack_groups={"print": np.repeat(["a", "b"], 2), "mask": np.repeat(["c", "d"], 2)},
        rounds=7,
    )
    expected = {
        "apcer": metrics.apcer(attacks, 0.6),
        "bpcer": metrics.bpcer(live, 0.6),
        "acer": metrics.acer(live, attacks, 0.6),
        "eer": metrics.eer(live, attacks).rate,
        "roc_auc": metrics.roc_auc(live, attacks),
        "bpcer10": metrics.bpcer_at_apcer(live, attacks, 0.10).bpcer,
        "bpcer20": metrics.bpcer_at_apcer(live, attacks, 0.05).bpcer,
        "bpcer100": metrics.bpcer_at_apcer(live, attacks, 0.01).bpcer,
    }
    for name, value in expected.items():
        assert intervals[name] == pytest.approx((value, value), abs=1e-12), name


def test_many_distinct_scores_fall_into_bins_too_fine_to_see() -> None:
    rng = np.random.default_rng(2)
    live, attacks = rng.normal(1, 1, 30_000), rng.normal(-1, 1, 30_000)
    intervals = metrics.bootstrap_measures(live, attacks, threshold=0.1, rounds=200)
    for name, value in [
        ("eer", metrics.eer(live, attacks).rate),
        ("roc_auc", metrics.roc_auc(live, attacks)),
        ("bpcer20", metrics.bpcer_at_apcer(live, attacks, 0.05).bpcer),
        ("apcer", metrics.apcer(attacks, 0.1)),
        ("bpcer", metrics.bpcer(live, 0.1)),
    ]:
        assert intervals[name].low < value < intervals[name].high, name
        assert intervals[name].high - intervals[name].low < 0.03, name


def test_a_rate_of_independent_trials_agrees_with_the_exact_interval() -> None:
    errors = np.arange(2000) < 100
    assert metrics.bootstrap_rate(errors, rounds=4000) == pytest.approx(metrics.clopper_pearson(100, 2000), abs=0.002)


def test_people_who_always_fail_widen_the_interval() -> None:
    errors = np.arange(2000) < 100
    grouped = metrics.bootstrap_rate(errors, np.arange(2000) // 100)
    assert grouped.low == 0.0
    assert grouped.high > 2 * metrics.clopper_pearson(100, 2000).high - 0.05


def test_the_seed_decides() -> None:
    errors = np.arange(500) < 20
    assert metrics.bootstrap_rate(errors, seed=4) == metrics.bootstrap_rate(errors, seed=4)
    first, second = (metrics.bootstrap_measures(LIVE, ATTACKS, threshold=0.2, seed=1, rounds=50) for _ in range(2))
    assert first == second


def test_what_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(ValueError, match="one group says nothing"):
        metrics.bootstrap_rate([True, False], ["a", "a"])
    with pytest.raises(ValueError, match="no trials"):
        metrics.bootstrap_rate([])
    with pytest.raises(ValueError, match="2 trials need as many group labels"):
        metrics.bootstrap_rate([True, False], ["a"])
    with pytest.raises(ValueError, match="at least one bootstrap round"):
        metrics.bootstrap_rate([True, False], rounds=0)
    with pytest.raises(ValueError, match="confidence"):
        metrics.bootstrap_rate([True, False], confidence=2)
    with pytest.raises(ValueError, match="bona fide scores are NaN"):
        metrics.bootstrap_measures([np.nan], [0.1], threshold=0.5)
