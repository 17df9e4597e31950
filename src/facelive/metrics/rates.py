"""Error rates at one threshold."""

from __future__ import annotations

from typing import Dict

import numpy as np
import numpy.typing as npt

from ._scores import Attacks, checked, checked_species, checked_threshold

__all__ = ["acer", "apcer", "apcer_by_species", "bpcer"]


def apcer(attacks: Attacks, threshold: float) -> float:
    """Attack presentation classification error rate: the share of attacks taken for live.

    ``APCER = |{attacks: score >= threshold}| / N`` for one species of ``N`` attack presentations.

    Example:
        >>> apcer([0.1, 0.2, 0.5, 0.9], 0.5)
        0.5
        >>> apcer({"print": [0.1, 0.2], "replay": [0.4, 0.6]}, 0.5)
        0.5
    """
    return max(apcer_by_species(attacks, threshold).values())


def apcer_by_species(attacks: Attacks, threshold: float) -> Dict[str, float]:
    """APCER of each species; see `apcer`.

    Example:
        >>> apcer_by_species({"print": [0.1, 0.2], "replay": [0.4, 0.6]}, 0.5)
        {'print': 0.0, 'replay': 0.5}
    """
    limit = checked_threshold(threshold)
    return {name: _share(scores >= limit) for name, scores in checked_species(attacks).items()}


def bpcer(bona_fide: npt.ArrayLike, threshold: float) -> float:
    """Bona fide presentation classification error rate: the share of live faces taken for attacks.

    ``BPCER = |{bona fide: score < threshold}| / N`` for ``N`` bona fide presentations.

    Example:
        >>> bpcer([0.4, 0.5, 0.8, 0.9], 0.5)
        0.25
    """
    return _share(checked(bona_fide, "bona fide") < checked_threshold(threshold))


def acer(bona_fide: npt.ArrayLike, attacks: Attacks, threshold: float) -> float:
    """Average classification error rate of the worst species.

    ``ACER = (max over species of APCER + BPCER) / 2``. Not in the standard, kept because papers report it; a mean of
    two errors hides which of them is bad, so read APCER and BPCER first.

    Example:
        >>> acer([0.4, 0.9], {"print": [0.1, 0.2], "replay": [0.4, 0.6]}, 0.5)
        0.5
    """
    return (apcer(attacks, threshold) + bpcer(bona_fide, threshold)) / 2


def _share(errors: npt.NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(errors)) / errors.size
