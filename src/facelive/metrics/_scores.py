"""What every measure checks before it counts: scores are a non-empty line of finite numbers."""

from __future__ import annotations

import math
from typing import Dict, Mapping, Union

import numpy as np
import numpy.typing as npt

from facelive.words import as_number, quoted, shown

__all__ = ["Attacks", "Scores", "checked", "checked_species", "checked_threshold"]

Scores = npt.NDArray[np.float64]
Attacks = Union[npt.ArrayLike, Mapping[str, npt.ArrayLike]]


def checked(values: npt.ArrayLike, name: str) -> Scores:
    """float64, (N,), N >= 1, all finite; ``ValueError`` names what is wrong and where."""
    try:
        scores = np.asarray(values, dtype=np.float64)
    except Exception as error:  # an integer of 400 digits, a word
        raise ValueError(f"{name} scores must be numbers ({shown(error, 100)})") from error
    if scores.ndim != 1:
        raise ValueError(f"{name} scores must be one-dimensional, not of shape {scores.shape}")
    if not scores.size:
        raise ValueError(f"there are no {name} scores, so their error rate is undefined")
    if not np.isfinite(scores).all():
        bad = np.flatnonzero(~np.isfinite(scores))
        raise ValueError(f"{bad.size} of {scores.size} {name} scores are NaN or infinite, the first at index {bad[0]}")
    return scores


def checked_species(attacks: Attacks) -> Dict[str, Scores]:
    """Species to scores; a bare array is one species called ``attack``."""
    if not isinstance(attacks, Mapping):
        return {"attack": checked(attacks, "attack")}
    if not attacks:
        raise ValueError("there are no attack species, so their error rate is undefined")
    return {species: checked(scores, f"attack ({species})") for species, scores in attacks.items()}


def checked_threshold(threshold: float) -> float:
    """The threshold as a float; ``ValueError`` when it is NaN or no number, which nothing could be compared with."""
    number = as_number(threshold)
    if math.isnan(number):
        raise ValueError(f"the threshold is NaN: {quoted(threshold)} is no number")
    return number
