"""Which digits a network's answers spell: against a sum over every way, by hand, and at its edges."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app.digits.alignment import NONE, lead, likelihoods, spelled


def answers(steps: list[int], *, sure: float = 0.97) -> npt.NDArray[np.float32]:
    """Answers that hold each step's class for likely, and all others for equally unlikely."""
    chances = np.full((len(steps), NONE + 1), (1 - sure) / NONE)
    chances[np.arange(len(steps)), steps] = sure
    return np.asarray(np.log(chances), np.float32)


def held(digits: list[int], *, steps: int = 3) -> list[int]:
    """Each digit for so many steps, none for two steps before, between and after."""
    return [NONE, NONE, *[step for digit in digits for step in [*[digit] * steps, NONE, NONE]], NONE]


def walks(given: npt.NDArray[np.float32], kinds: tuple[int, ...]) -> dict[tuple[int, ...], list[float]]:
    """Every walk of a few classes that holds each digit for two steps at least, by what it says."""
    found: dict[tuple[int, ...], list[float]] = {}
    for way in itertools.product(kinds, repeat=len(given)):
        runs = [(kind, len(list(run))) for kind, run in itertools.groupby(way)]
        if all(length >= 2 for kind, length in runs if kind != NONE):
            said = tuple(kind for kind, _ in runs if kind != NONE)
            chance = float(given[np.arange(len(given)), way].sum()) - 5.0 * len(said)
            found.setdefault(said, []).append(chance)
    return found


def test_likelihoods_are_sums_over_every_walk_and_the_likeliest_is_spelled() -> None:
    random = np.random.default_rng(0)
    for _ in range(5):
        logits = random.normal(size=(8, NONE + 1)) * 4
        logits[:, 2:NONE] = -50  # so that two digits and none are all that can be
        given = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
        found = walks(given, (0, 1, NONE))
        phrases = [*found]
        sums = [np.logaddexp.reduce(found[phrase]) for phrase in phrases]
        assert likelihoods(given, phrases) == pytest.approx(sums, abs=1e-4)
        assert tuple(spelled(given)) == max(found, key=lambda phrase: max(found[phrase]))
        (impossible,) = likelihoods(given, [(1, 0, 1, 0, 1)])  # needs ten steps
        assert impossible < -1e6


@pytest.mark.parametrize("digits", [[4, 0, 7, 1], [5, 5, 5, 5], [9, 0, 0, 2], [1, 2, 1, 2]])
def test_what_was_said_is_spelled_and_leads(digits: list[int]) -> None:
    assert spelled(answers(held(digits))) == digits
    assert lead(answers(held(digits)), digits) > 2


@pytest.mark.parametrize(
    "asked",
    [[4, 0, 7, 2], [4, 0, 7], [4, 0, 7, 1, 1], [0, 4, 7, 1], [1, 7, 0, 4], [8, 8, 8, 8]],
    ids=["another", "one less", "one more", "swapped", "backwards", "all others"],
)
def test_what_was_not_said_does_not_lead(asked: list[int]) -> None:
    assert lead(answers(held([4, 0, 7, 1])), asked) < -3


@pytest.mark.parametrize("asked", [[4, 0, 7, 1], [0, 0, 0, 0]])
def test_nothing_said_is_nothing_heard(asked: list[int]) -> None:
    assert spelled(answers([NONE] * 50)) == []
    assert lead(answers([NONE] * 50), asked) < -10


def test_a_digit_that_may_be_two_leads_for_neither_by_much() -> None:
    doubtful = answers(held([4, 0, 7, 1]))
    doubtful[2:5, 9] = doubtful[2:5, 4]  # the first may have been nine as well
    assert abs(lead(doubtful, [4, 0, 7, 1])) < 1
    assert abs(lead(doubtful, [9, 0, 7, 1])) < 1
    assert lead(doubtful, [8, 0, 7, 1]) < -3
