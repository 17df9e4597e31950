"""Which digits a network's answers spell, and how likely given digits are among all that they could.

The answers are read as a walk: none for a while, a digit for at least 80 ms, none, the next digit, … Digits that differ
may follow each other at once. Each digit costs something, so that a moment's doubt within one is no second.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["NONE", "lead", "likelihoods", "spelled"]

NONE = 10
"""The class beside the ten digits: silence, noise, other speech, and the time between two digits."""

Answers = npt.NDArray[np.float32]
_COST = 5.0  # of each digit, as a logarithm
_NEVER = -1e30


def spelled(answers: Answers) -> list[int]:
    """The digits on the likeliest walk.

    Args:
        answers: float32, (T, 11), logarithms of probabilities.

    Example:
        >>> spelled(np.log(np.eye(11)[[10, 10, 4, 4, 4, 10, 4, 4, 4, 1, 1, 1, 10, 7, 10]] * 0.9 + 0.01))
        [4, 4, 1]
    """
    free: dict[int, tuple[float, tuple[int, ...]]] = {NONE: (0.0, ())}  # walks that may go on to something else
    began: dict[int, tuple[float, tuple[int, ...]]] = {}
    for step in answers.tolist():
        first, *second = sorted(free, key=lambda kind: free[kind][0], reverse=True)[:2]
        free_now, began_now = {NONE: (free[first][0] + step[NONE], free[first][1])}, {}
        for digit in range(NONE):
            chance, said = free[first] if first != digit else free[second[0]]
            began_now[digit] = chance + step[digit] - _COST, (*said, digit)
            staying = [walks[digit] for walks in (began, free) if digit in walks]
            if staying:
                chance, said = max(staying)
                free_now[digit] = chance + step[digit], said
        free, began = free_now, began_now
    return list(max(free.values())[1])


def likelihoods(answers: Answers, phrases: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
    """How likely each phrase is, summed over all walks that say it.

    Args:
        answers: float32, (T, 11), logarithms of probabilities.
        phrases: Digits, in any number.

    Returns:
        float64, (len(phrases),), logarithms; very low where a phrase cannot be.
    """
    length = 3 * max(map(len, phrases)) + 1
    states = np.full((len(phrases), length), NONE)  # none, a digit that began, held, none, a digit that began, …
    for row, phrase in zip(states, phrases):
        row[1 : 3 * len(phrase) : 3] = row[2 : 3 * len(phrase) : 3] = phrase
    begins = np.arange(length) % 3 == 1
    leaps = np.zeros(states.shape, bool)  # from a digit to another one without none in between
    leaps[:, 4::3] = states[:, 4::3] != states[:, 2:-2:3]
    sums = np.full((len(phrases), length + 2), _NEVER)  # two more at the left, where nothing comes from
    sums[:, 2] = 0.0
    for number, step in enumerate(answers.astype(np.float64)):
        before = np.logaddexp(np.where(begins, _NEVER, sums[:, 2:]), sums[:, 1:-1])
        if number > 0:
            before = np.logaddexp(before, np.where(leaps, sums[:, :-2], _NEVER))
        sums[:, 2:] = np.maximum(before + step[states] - _COST * begins, _NEVER)
    sums = sums[:, 2:]
    rows, ends = np.arange(len(phrases)), 3 * np.array([len(phrase) for phrase in phrases])
    return np.asarray(np.logaddexp(sums[rows, ends], np.where(ends > 0, sums[rows, ends - 1], _NEVER)), np.float64)


def lead(answers: Answers, digits: Sequence[int]) -> float:
    """How far ``digits`` lie before the likeliest other phrase.

    Of the others these are looked at: one digit is another, missing or too many; what the answers spell; and nothing.

    Args:
        answers: float32, (T, 11), logarithms of probabilities.
        digits: What was asked for.

    Returns:
        A difference of logarithms; above 0 when no such phrase is likelier.
    """
    mine, others = list(digits), {(), tuple(spelled(answers))}
    for at in range(len(mine) + 1):
        others |= {(*mine[:at], more, *mine[at:]) for more in range(10)}
        if at < len(mine):
            others |= {(*mine[:at], other, *mine[at + 1 :]) for other in range(10)}
            others.add((*mine[:at], *mine[at + 1 :]))
    others.discard(tuple(mine))
    asked, *rest = likelihoods(answers, [mine, *others]).tolist()
    return float(asked - max(rest))
