"""How much of its surroundings a network sees, read from its own features: it decides where 0.5 lies.

Logits of live faces and of attacks both lie higher where little more than the face is in view. One number, fitted on
the features, tells a tight picture from a whole frame, and the calibration adds its offset only to frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from examples.training.batches import VIEWS, views
from examples.training.camera import Box, Pixels, cut
from examples.training.config import Config
from examples.training.measure import Pictures
from examples.training.train import pooled

__all__ = ["FILE", "Surroundings", "fit", "shown"]

FILE = "surroundings.npz"  # in a run's folder, once it is exported

HALF, STEEP = 0.5, 8.0  # the gate is half open at 1.4 times the face and nearly open at 1.7
RIDGE = 1e-3


def shown(image: Pixels, box: Box) -> float:
    """The side of the wide view in sides of the face, as a power of two."""
    side = max(box[2] - box[0], box[3] - box[1])
    return float(np.log2(min(VIEWS["wide"] * side, *image.shape[:2]) / side))


@dataclass(frozen=True)
class Surroundings:
    """A linear reading of the features.

    Args:
        kernel: float32, (F,).
        bias: Added to it.
    """

    kernel: npt.NDArray[np.float32]
    bias: float

    def __call__(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The gate: float64, (N,), 0 for tight pictures, 1 for frames."""
        kernel, bias = self.gate
        return np.asarray(1 / (1 + np.exp(-(features @ kernel + bias))), np.float64)

    @property
    def gate(self) -> tuple[npt.NDArray[np.float32], float]:
        """Kernel and bias of the sigmoid that the gate is."""
        return STEEP * self.kernel, STEEP * (self.bias - HALF)

    def save(self, path: Path) -> None:
        """Write it as an ``.npz``."""
        np.savez(path, kernel=self.kernel, bias=self.bias)

    @classmethod
    def load(cls, path: Path) -> Surroundings:
        """Read what `save` wrote."""
        stored = np.load(path)
        return cls(stored["kernel"], float(stored["bias"]))


def fit(network: Any, config: Config, pictures: Pictures, *, seed: int = 0) -> Surroundings:
    """Fit the reading on pictures that the network learnt from, every second of them cut by chance.

    Args:
        network: With its weights.
        config: Its config.
        pictures: Some thousands.
        seed: Of the cuts.
    """
    rng = np.random.default_rng(seed)
    seen, wanted = [], []
    for index, row in enumerate(pictures.rows):
        image, box = pictures.store[index], row.box
        if rng.random() < 0.5:
            image, box = cut(image, box, ((2 ** float(rng.uniform(0, np.log2(VIEWS["wide"]))) - 1) / 2,) * 4)
        seen.append(views(image, box))
        wanted.append(shown(image, box))
    features = pooled(network, config, {look.view: np.stack([one[look.view] for one in seen]) for look in config.looks})
    mean, target = features.mean(0), float(np.mean(wanted))
    known = (features - mean).astype(np.float64)
    gram = known.T @ known + RIDGE * len(known) * np.eye(known.shape[1])
    kernel = np.linalg.solve(gram, known.T @ (np.array(wanted) - target))
    return Surroundings(kernel.astype(np.float32), target - float(mean @ kernel))
