from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facelive import metrics

counts = st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
confidence = st.sampled_from([0.5, 0.9, 0.95, 0.99])


def _tail(errors: int, trials: int, rate: float) -> float:
    """P(X >= errors), summed term by term in exact integers and floats."""
    terms = (math.comb(trials, i) * rate**i * (1 - rate) ** (trials - i) for i in range(errors, trials + 1))
    return math.fsum(terms)


@settings(deadline=None)
@given(counts, confidence)
def test_bounds_solve_the_binomial_tails(count: tuple[int, int], confidence: float) -> None:
    errors, trials = count
    low, high = metrics.clopper_pearson(errors, trials, confidence=confidence)
    assert 0 <= low <= errors / trials <= high <= 1
    if errors:
        assert _tail(errors, trials, low) == pytest.approx((1 - confidence) / 2, rel=1e-8)
    if errors < trials:
        assert 1 - _tail(errors + 1, trials, high) == pytest.approx((1 - confidence) / 2, rel=1e-8)


@settings(deadline=None)
@given(counts, confidence)
def test_swapping_errors_and_hits_mirrors_the_interval(count: tuple[int, int], confidence: float) -> None:
    errors, trials = count
    low, high = metrics.clopper_pearson(errors, trials, confidence=confidence)
    mirrored = metrics.clopper_pearson(trials - errors, trials, confidence=confidence)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(
    ("errors", "trials"),
    [
        (0, 1),
        (1, 1),
        (1, 2),
        (5, 10),
        (0, 10**6),
        (1, 10**6),
        (50_000, 10**6),
        (999_999, 10**6),
        (3, 10**9),
        (123_456_789, 10**9),
    ],
)
def test_agrees_with_scipy(errors: int, trials: int) -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed here")
    low = 0.0 if errors == 0 else stats.beta.ppf(0.025, errors, trials - errors + 1)
    high = 1.0 if errors == trials else stats.beta.ppf(0.975, errors + 1, trials - errors)
    assert metrics.clopper_pearson(errors, trials) == pytest.approx((low, high), rel=1e-7)


def test_no_error_is_not_a_rate_of_zero() -> None:
    assert metrics.rule_of_three(300) == pytest.approx(3 / 300, rel=0.01)
    one_sided = metrics.clopper_pearson(0, 300, confidence=0.90).high
    assert metrics.rule_of_three(300) == pytest.approx(one_sided)


@settings(deadline=None)
@given(st.floats(0.001, 0.5), confidence)
def test_the_smallest_sample_is_the_smallest(rate: float, confidence: float) -> None:
    trials = metrics.smallest_sample(rate, confidence=confidence)
    assert metrics.rule_of_three(trials, confidence=confidence) <= rate * (1 + 1e-12)
    if trials > 1:
        assert metrics.rule_of_three(trials - 1, confidence=confidence) > rate


@settings(deadline=None)
@given(st.integers(1, 2000), st.floats(0.01, 0.5))
def test_the_largest_error_count_is_the_largest(trials: int, rate: float) -> None:
    errors = metrics.largest_error_count(trials, rate)
    one_sided = [metrics.clopper_pearson(max(0, n), trials, confidence=0.90).high for n in (errors, errors + 1)]
    assert errors == -1 or one_sided[0] <= rate + 1e-9
    assert one_sided[1] > rate - 1e-9


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="5 errors in 4 trials"):
        metrics.clopper_pearson(5, 4)
    with pytest.raises(ValueError, match="0 errors in 0 trials"):
        metrics.clopper_pearson(0, 0)
    with pytest.raises(ValueError, match="confidence"):
        metrics.clopper_pearson(1, 4, confidence=1.0)
    with pytest.raises(ValueError, match="confidence"):
        metrics.rule_of_three(4, confidence=95)
    with pytest.raises(ValueError, match="at least one trial"):
        metrics.rule_of_three(0)
    with pytest.raises(ValueError, match="above 0 and below 1"):
        metrics.smallest_sample(0.0)
