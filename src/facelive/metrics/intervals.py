"""How sure a counted error rate is: exact binomial intervals and the rule of three."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from facelive.words import as_number, quoted

__all__ = ["Interval", "clopper_pearson", "largest_error_count", "rule_of_three", "smallest_sample"]

_MOST_TRIALS = 10**12


class Interval(NamedTuple):
    """A confidence interval of a rate: ``low`` and ``high`` in [0, 1]."""

    low: float
    high: float


def clopper_pearson(errors: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Exact two-sided interval of a rate, from independent trials.

    ``low`` is the rate at which ``errors`` or more had a chance of ``(1 - confidence) / 2``, ``high`` the rate at
    which ``errors`` or fewer had; 0 and 1 where no error and nothing but errors were seen. It covers at least the
    stated confidence, and it takes trials for independent: frames of one recording are not.
    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934).

    Example:
        >>> low, high = clopper_pearson(0, 300)
        >>> low, round(high, 4)
        (0.0, 0.0122)
    """
    if not 0 <= as_number(errors) <= as_number(trials) <= _MOST_TRIALS or not trials >= 1:
        raise ValueError(f"{quoted(errors)} errors in {quoted(trials)} trials is not a rate")
    chance = (1 - _checked_confidence(confidence)) / 2
    return Interval(_lower_bound(errors, trials, chance), 1 - _lower_bound(trials - errors, trials, chance))


def rule_of_three(trials: int, *, confidence: float = 0.95) -> float:
    """The rate that ``trials`` without a single error rule out: about ``3 / trials``.

    Exactly ``1 - (1 - confidence) ** (1 / trials)``, the one-sided bound, which the rule rounds to ``3 / trials``
    at 95 %. Source: J. A. Hanley and A. Lippman-Hand, JAMA 249 (1983).

    Example:
        >>> round(rule_of_three(300), 4)
        0.0099
    """
    if not 1 <= as_number(trials) <= _MOST_TRIALS:
        raise ValueError(f"the rule of three needs at least one trial, not {quoted(trials)}")
    return -math.expm1(math.log1p(-_checked_confidence(confidence)) / trials)


def smallest_sample(rate: float, *, confidence: float = 0.95) -> int:
    """The smallest number of trials whose ``rule_of_three`` is at most ``rate``: about ``3 / rate``.

    Example:
        >>> smallest_sample(0.01)
        299
    """
    if not 1 / _MOST_TRIALS <= as_number(rate) < 1:
        raise ValueError(f"a rate above 0 and below 1 can be claimed, not {quoted(rate)}")
    return math.ceil(math.log1p(-_checked_confidence(confidence)) / math.log1p(-rate))


def largest_error_count(trials: int, rate: float, *, confidence: float = 0.95) -> int:
    """How many errors in ``trials`` still support the claim of a rate of at most ``rate``; -1 when even none does.

    The largest count whose one-sided Clopper-Pearson upper bound is at most ``rate``.

    Example:
        >>> largest_error_count(298, 0.01), largest_error_count(299, 0.01), largest_error_count(1000, 0.01)
        (-1, 0, 4)
    """
    chance = 1 - _checked_confidence(confidence)
    if trials < smallest_sample(rate, confidence=confidence):
        return -1
    fits, fails = 0, math.ceil(trials * rate) + 1
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if middle < trials and 1 - _lower_bound(trials - middle, trials, chance) <= rate:
            fits = middle
        else:
            fails = middle
    return fits


def _lower_bound(errors: int, trials: int, chance: float) -> float:
    """The rate ``p`` at which ``P(X >= errors) = chance`` for ``X ~ Binomial(trials, p)``, by bisection.

    Below ``errors / trials`` the terms of the tail fall from the first one on, so a few deviations' worth of them
    are the whole sum: this is the beta quantile without the incomplete beta function.
    """
    if not errors:
        return 0.0
    deviation = math.sqrt(errors * (trials - errors) / trials)
    counts = np.arange(errors, min(trials, errors + 60 + math.ceil(10 * deviation)) + 1, dtype=np.float64)
    steps = np.log((trials - counts[:-1]) / (counts[:-1] + 1))
    first = math.lgamma(trials + 1) - math.lgamma(errors + 1) - math.lgamma(trials - errors + 1)
    log_choices = first + np.concatenate([[0.0], np.cumsum(steps)])
    low, high = 0.0, errors / trials
    while low < (middle := (low + high) / 2) < high:
        tail = np.exp(log_choices + counts * math.log(middle) + (trials - counts) * math.log1p(-middle)).sum()
        low, high = (middle, high) if tail < chance else (low, middle)
    return high


def _checked_confidence(confidence: float) -> float:
    if not 0 < as_number(confidence) < 1:
        raise ValueError(f"the confidence must be above 0 and below 1, not {quoted(confidence)}")
    return confidence
