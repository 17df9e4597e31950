"""One config a model: all that its training depends on beside the prepared examples."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from examples.training.networks import Look

__all__ = ["CONFIGS", "Config"]


@dataclass(frozen=True)
class Config:
    """How one network is trained.

    Args:
        looks: The views that it takes.
        samples: Pictures seen, repeats counted.
        batch: Pictures in a step.
        seed: Of weights and draws.
        learning_rate: Peak of the cosine.
        warmup: Share of the run in which the rate climbs to its peak.
        weight_decay: Decoupled, as in AdamW.
        dropout: Share of pooled features dropped while training.
        smoothing: Taken from a label's certainty.
        label_weight: Of the labels' loss beside the teachers'.
        features_weight: Of the loss of the head that learns MiniFAS 128's features.
        average: Decay of the running mean of weights that is exported.
        start: A run beside this one to go on from; ImageNet unless given.
    """

    looks: tuple[Look, ...]
    samples: int = 150_000
    batch: int = 64
    seed: int = 1
    learning_rate: float = 1e-3
    warmup: float = 0.03
    weight_decay: float = 1e-4
    dropout: float = 0.2
    smoothing: float = 0.05
    label_weight: float = 0.35
    features_weight: float = 0.5
    average: float = 0.998
    start: str = ""

    def rate(self, done: float) -> float:
        """The learning rate when a share ``done`` of the run lies behind: a short climb, then half a cosine."""
        if done < self.warmup:
            return self.learning_rate * (done / self.warmup + 0.02)
        along = min((done - self.warmup) / (1 - self.warmup), 1.0)
        return self.learning_rate * (0.02 + 0.98 * (1 + math.cos(math.pi * along)) / 2)

    @classmethod
    def of_run(cls, run: Path) -> Config:
        """The config in a run's folder."""
        stored = json.loads((run / "config.json").read_text(encoding="utf-8"))
        return cls(**{**stored, "looks": tuple(Look(**look) for look in stored["looks"])})

    def changed(self, words: Sequence[str]) -> Config:
        """A copy changed by a command line's ``NAME=JSON`` words.

        Example:
            >>> CONFIGS["default"].changed(["seed=7"]).seed
            7
        """
        return replace(self, **{name: json.loads(value) for name, _, value in (word.partition("=") for word in words)})


CONFIGS = {
    "default": Config(looks=(Look("near"), Look("wide", share=0.5, stem=16))),
    "custom": Config(looks=(Look("near", share=0.5, stem=16), Look("wide", share=0.4, stem=16))),
}
