"""Temperature and offset: from a network's logit to a probability whose 0.5 is the operating point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from examples.training.data import Row

__all__ = ["Calibration", "balanced_weights", "carried_over", "cross_fitted", "fit_calibration"]

Floats = npt.NDArray[np.float64]


class Calibration(NamedTuple):
    """``probability = sigmoid(logit / temperature + offset + surroundings * gate)``; the gate is 1 for whole frames."""

    temperature: float
    offset: float
    surroundings: float = 0.0

    def __call__(self, logits: npt.ArrayLike, gate: npt.ArrayLike = 0.0) -> Floats:
        """float64, the shape of ``logits``, in (0, 1).

        Example:
            >>> float(Calibration(2.0, 0.0)([0.0])[0])
            0.5
        """
        scaled = np.asarray(logits, np.float64) / self.temperature + self.offset
        scaled = scaled + self.surroundings * np.asarray(gate, np.float64)
        return np.asarray(0.5 * (1 + np.tanh(scaled / 2)))


def fit_calibration(
    logits: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike, gate: npt.ArrayLike = 0.0
) -> Calibration:
    """Least weighted log loss, by Newton's method on three numbers.

    Args:
        logits: float, (N,), higher is more live.
        labels: (N,): 1 live, 0 attack; both must occur.
        weights: (N,), how much each picture counts.
        gate: (N,), how much of its surroundings each shows, in [0, 1]; none by default.
    """
    x, y, w = (np.asarray(values, np.float64) for values in (logits, labels, weights))
    if not (np.any(y == 1) and np.any(y == 0)):
        raise ValueError("a calibration needs live pictures and attacks")
    w = w / w.sum()
    spread = max(float(x.std()), 1e-6)
    design = np.stack([x / spread, np.ones_like(x), np.broadcast_to(np.asarray(gate, np.float64), x.shape)])
    numbers = np.array([1.0, 0.0, 0.0])
    for _ in range(50):
        p = 0.5 * (1 + np.tanh(numbers @ design / 2))
        gradient = design @ (w * (p - y)) + 1e-4 * numbers  # the ridge keeps a perfect split finite
        curvature = (design * (w * p * (1 - p))) @ design.T + 1e-4 * np.eye(3)
        step = np.linalg.solve(curvature, gradient)
        numbers = numbers - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    slope = max(float(numbers[0]), 1e-3) / spread
    return Calibration(1 / slope, float(numbers[1]), float(numbers[2]))


def carried_over(calibration: Calibration, before: npt.ArrayLike, after: npt.ArrayLike) -> Calibration:
    """The calibration of a refitted network, which no unseen picture is left to fit on.

    Args:
        calibration: Fitted for the network before its refit.
        before: float, (N,), logits of that network on pictures that both networks learnt from.
        after: float, (N,), logits of the refitted network on the same pictures.

    Returns:
        The one that gives the new logits the mean and the spread of the old ones.
    """
    old, new = np.asarray(before, np.float64), np.asarray(after, np.float64)
    scale = float(old.std() / new.std())
    shift = float(old.mean() - scale * new.mean())
    offset = calibration.offset + shift / calibration.temperature
    return calibration._replace(temperature=calibration.temperature / scale, offset=offset)


def balanced_weights(rows: Sequence[Row]) -> Floats:
    """Weights that give every source one vote per class, and half of all votes to each class.

    Within a source, pictures count alike. Small sources have the square root of their share, not a full vote.
    """
    keys = [(row.source, row.label) for row in rows]
    count = {key: keys.count(key) for key in set(keys)}
    weights = np.array([min(1.0, (count[key] / 90) ** 0.5) / count[key] for key in keys])
    live = np.array([row.label == 1.0 for row in rows])
    for side in (live, ~live):
        if side.any():
            weights[side] /= 2 * weights[side].sum()
    return weights


def cross_fitted(logits: npt.ArrayLike, rows: Sequence[Row], gate: npt.ArrayLike = 0.0) -> Floats:
    """Probabilities of each source under a calibration fitted on all the others: honest figures at 0.5.

    Returns:
        float64, (N,), in (0, 1).
    """
    x = np.asarray(logits, np.float64)
    seen = np.broadcast_to(np.asarray(gate, np.float64), x.shape)
    labels = np.array([row.label for row in rows], np.float64)
    weights = balanced_weights(rows)
    sources = np.array([row.source for row in rows])
    result = np.empty_like(x)
    for source in np.unique(sources):
        mine = sources == source
        fitted = fit_calibration(x[~mine], labels[~mine], weights[~mine], seen[~mine])
        result[mine] = fitted(x[mine], seen[mine])
    return result
