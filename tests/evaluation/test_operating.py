from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import Dict, List

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facelive import metrics
from facelive.errors import EvaluationError
from facelive.evaluation import choose_threshold

RNG = np.random.default_rng(8)
LIVE = RNG.beta(5, 2, 800)
ATTACKS = {"print": RNG.beta(2, 6, 600), "replay": RNG.beta(2, 4, 400)}


def test_every_species_holds_the_limit_and_bpcer_is_the_least_possible() -> None:
    point = choose_threshold(LIVE, ATTACKS, max_apcer=0.05)
    assert point.apcer[point.worst_species].rate == metrics.apcer(ATTACKS, point.threshold) <= 0.05
    assert (point.threshold, point.bpcer.rate) == (
        metrics.bpcer_at_apcer(LIVE, ATTACKS, 0.05).threshold,
        metrics.bpcer(LIVE, point.threshold),
    )
    assert (point.bpcer.low, point.bpcer.high) == metrics.clopper_pearson(point.bpcer.errors, 800)


def test_bpcer_holds_the_limit_and_apcer_is_the_least_possible() -> None:
    point = choose_threshold(LIVE, ATTACKS, max_bpcer=0.02)
    assert point.bpcer.rate <= 0.02
    assert point.apcer[point.worst_species].rate == metrics.apcer_at_bpcer(LIVE, ATTACKS, 0.02).apcer


def test_an_assured_limit_holds_the_upper_bound() -> None:
    measured = choose_threshold(LIVE, ATTACKS, max_apcer=0.05)
    assured = choose_threshold(LIVE, ATTACKS, max_apcer=0.05, assured=True)
    assert assured.threshold > measured.threshold
    for rate in assured.apcer.values():
        assert metrics.clopper_pearson(rate.errors, rate.trials, confidence=0.90).high <= 0.05 + 1e-9
    by_bpcer = choose_threshold(LIVE, ATTACKS, max_bpcer=0.05, assured=True)
    assert metrics.clopper_pearson(by_bpcer.bpcer.errors, 800, confidence=0.90).high <= 0.05 + 1e-9


@pytest.mark.parametrize("assured", [False, True])
def test_too_few_attacks_of_one_species_are_a_reason_to_refuse(assured: bool) -> None:
    few: Dict[str, List[float]] = {**{k: v.tolist() for k, v in ATTACKS.items()}, "mask": [0.1] * 58}
    with pytest.raises(EvaluationError, match=r"58 scores of 'mask' cannot show APCER at most 5 %: .* takes 59"):
        choose_threshold(LIVE, few, max_apcer=0.05, assured=assured)
    few["mask"].append(0.1)
    assert choose_threshold(LIVE, few, max_apcer=0.05, assured=assured).apcer["mask"].errors == 0
    with pytest.raises(EvaluationError, match=r"800 scores of 'bona fide' cannot show BPCER at most 0.1 %.* 2,995"):
        choose_threshold(LIVE, few, max_bpcer=0.001, assured=assured)


def test_a_threshold_that_helps_nobody_is_refused() -> None:
    same = [0.5] * 100
    with pytest.raises(EvaluationError, match=r"only a threshold that refuses every live face keeps max_apcer at 5 %"):
        choose_threshold(same, same, max_apcer=0.05)
    with pytest.raises(EvaluationError, match=r"only a threshold that accepts every attack keeps max_bpcer"):
        choose_threshold(same, same, max_bpcer=0.05)


def test_bad_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="give one limit"):
        choose_threshold(LIVE, ATTACKS)
    with pytest.raises(ValueError, match="give one limit"):
        choose_threshold(LIVE, ATTACKS, max_apcer=0.1, max_bpcer=0.1)
    with pytest.raises(ValueError, match="above 0 and below 1, not 0"):
        choose_threshold(LIVE, ATTACKS, max_bpcer=0.0)
    with pytest.raises(ValueError, match="above 0 and below 1, not 5"):
        choose_threshold(LIVE, ATTACKS, max_apcer=5)
    with pytest.raises(ValueError, match=r"1 of 2 attack \(print\) scores are NaN"):
        choose_threshold(LIVE, {"print": [0.1, np.nan]}, max_apcer=0.1)


def test_an_operating_point_is_frozen_and_json() -> None:
    point = choose_threshold(LIVE, ATTACKS, max_apcer=0.05)
    with pytest.raises(FrozenInstanceError):
        point.threshold = 0.1  # type: ignore[misc]
    content = json.loads(json.dumps(point.to_dict()))
    assert content["apcer"]["print"]["rate"] == point.apcer["print"].rate
    assert content["worst_species"] == point.worst_species


few_values = st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), min_size=20, max_size=40)


@settings(deadline=None)
@given(few_values, few_values, st.sampled_from([0.15, 0.25, 0.5]))
def test_ties_never_break_the_limit(live: List[float], attacks: List[float], limit: float) -> None:
    for name, chosen in (("max_apcer", {"max_apcer": limit}), ("max_bpcer", {"max_bpcer": limit})):
        try:
            point = choose_threshold(live, attacks, **chosen)  # type: ignore[arg-type]
        except EvaluationError:
            continue
        held = point.apcer["attack"].rate if name == "max_apcer" else point.bpcer.rate
        assert held <= limit
        assert point.apcer["attack"].rate == metrics.apcer(attacks, point.threshold)
        assert point.bpcer.rate == metrics.bpcer(live, point.threshold)
