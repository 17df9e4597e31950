from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelive import LogAverageVoter, log_average

scores = st.floats(0, 1)
windows = st.lists(scores, min_size=1, max_size=12)


def test_the_formula_of_origin() -> None:
    values = [0.97, 0.2, 0.55, 1.0, 0.0]
    by_hand = math.exp(sum(math.log(1 + value) for value in values) / 5) - 1
    assert log_average(values) == pytest.approx(by_hand, abs=1e-15)


@given(windows)
def test_the_vote_stays_within_its_window(values: list[float]) -> None:
    assert min(values) <= log_average(values) <= max(values)


@given(windows)
def test_the_vote_never_exceeds_the_arithmetic_mean(values: list[float]) -> None:
    assert log_average(values) <= math.fsum(values) / len(values) + 1e-12


@given(windows, st.randoms())
def test_order_does_not_matter_to_the_last_bit(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert log_average(shuffled) == log_average(values)


@given(windows, st.data())
def test_a_higher_score_never_lowers_the_vote(values: list[float], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(values) - 1))
    raised = list(values)
    raised[index] = data.draw(st.floats(values[index], 1))
    assert log_average(raised) >= log_average(values) - 1e-15


@given(st.lists(scores, min_size=1, max_size=30), st.integers(1, 8))
def test_streaming_equals_the_batch_of_the_last_window(values: list[float], window: int) -> None:
    voter = LogAverageVoter(window)
    for count, value in enumerate(values, start=1):
        vote = voter.update(value)
        assert vote == voter.score == log_average(values[max(0, count - window) : count])
        assert voter.frames == min(count, window)


@given(windows, windows)
def test_reset_is_a_new_voter(before: list[float], after: list[float]) -> None:
    used = LogAverageVoter()
    for value in before:
        used.update(value)
    used.reset()
    fresh = LogAverageVoter()
    assert used.score is None and used.frames == 0
    assert [used.update(value) for value in after] == [fresh.update(value) for value in after]


@pytest.mark.parametrize("bad", [math.nan, -0.001, 1.001, math.inf, -math.inf])
def test_a_score_that_is_no_probability_raises_and_changes_nothing(bad: float) -> None:
    voter = LogAverageVoter()
    voter.update(0.7)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        voter.update(bad)
    assert voter.score == pytest.approx(0.7)
    assert voter.frames == 1


def test_no_scores_no_vote() -> None:
    assert LogAverageVoter().score is None
    with pytest.raises(ValueError, match="at least one"):
        log_average([])


@pytest.mark.parametrize("window", [0, -1, 2.5])
def test_a_window_without_whole_frames_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match="a whole number from 1 up"):
        LogAverageVoter(window)


def test_old_scores_fall_out_by_age() -> None:
    voter = LogAverageVoter(max_age_ms=1000)
    voter.update(1.0, timestamp_ms=0)
    voter.update(1.0, timestamp_ms=500)
    assert voter.update(0.0, timestamp_ms=1400) == pytest.approx(log_average([1.0, 0.0]))
    assert voter.update(0.0, timestamp_ms=9000) == 0.0
    assert voter.frames == 1


@given(st.lists(st.tuples(scores, st.integers(0, 400)), min_size=1, max_size=30))
def test_only_scores_within_the_age_vote(frames: list[tuple[float, int]]) -> None:
    voter = LogAverageVoter(window=4, max_age_ms=1000)
    now, seen = 0, []
    for score, gap in frames:
        now += gap
        seen.append((now, score))
        young = [value for taken, value in seen if now - taken <= 1000][-4:]
        assert voter.update(score, timestamp_ms=now) == log_average(young)


@pytest.mark.parametrize("timestamp", [None, math.nan, math.inf, 400.0])
def test_a_clock_that_is_missing_or_runs_backwards_raises_and_changes_nothing(timestamp: float | None) -> None:
    voter = LogAverageVoter(max_age_ms=1000)
    voter.update(0.7, timestamp_ms=500)
    with pytest.raises(ValueError, match="timestamp_ms"):
        voter.update(0.9, timestamp_ms=timestamp)
    assert voter.score == pytest.approx(0.7)
    assert voter.frames == 1


@pytest.mark.parametrize("age", [0, -5, math.nan])
def test_an_age_must_be_positive(age: float) -> None:
    with pytest.raises(ValueError, match="max_age_ms"):
        LogAverageVoter(max_age_ms=age)
