"""Everything a training run depends on, in one frozen value that is written beside its weights."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.training.augment import AugmentPolicy

__all__ = ["Recipe", "changes_of"]


def changes_of(words: Sequence[str]) -> dict[str, Any]:
    """What a command line's ``NAME=JSON`` words change, for `Recipe.changed`.

    Example:
        >>> changes_of(["seed=7", "augment.jpeg=0.9"])
        {'seed': 7, 'augment.jpeg': 0.9}
    """
    return {name: json.loads(value) for name, _, value in (word.partition("=") for word in words)}


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Args:
        network: Name in `examples.training.networks.NETWORKS`.
        width: Width multiplier.
        middle: Let the heads see pooled features from the middle of the network too.
        last: Name of the layer after which the network ends; its own end unless given.
        samples: Pictures seen, repeats counted.
        batch: Pictures in a step.
        echo: Steps that one batch serves, every second time mirrored; making it costs half of one.
        seed: Of weights, draws and augmentation.
        learning_rate: Peak of the cosine.
        weight_decay: Decoupled, as in AdamW.
        warmup: Share of the steps in which the rate climbs to its peak.
        dropout: Share of pooled features dropped while training.
        unlabelled: Share of a batch drawn from ``faces/``, with soft scores alone.
        by_worth: Draw sources by their worth instead of all alike.
        label_weight: Share of the label in a target; the soft score has the rest.
        teacher_mix: Weights of the MiniFASNet pair and of MiniFAS 128 in the soft score.
        cells_weight: Weight of the map's loss beside the pooled head's.
        taught_weight: Weight of the loss of the two heads that foretell the open models' logits: the share of their
            variance left unexplained.
        features_weight: Weight of the like loss of a head that foretells MiniFAS 128's last features, asked live or, by
            proxy, as the teachers foretell them; it is dropped when the training is over.
        taught_share: Weight of each of their logits in the exported mean, where the label's own has 1.
        taught_live: Ask MiniFAS 128 about each augmented picture instead of trusting its stored score.
        taught_whole: Ask it about tightened pictures as they were, with their surroundings.
        average: Decay of the running mean of weights that is exported.
        frozen_before: Name of the first layer that learns; those before it keep their starting weights, statistics too.
        synthetic: Share of labelled pictures replaced by a synthetic attack or its mirror.
        left_out: Sources never trained on, as prefixes of their names.
        splits: Splits trained on.
        teachers: Names of finished runs, beside this one, whose mean logit is learnt; they are asked about the
            augmented picture as it was before it was tightened.
        distil_weight: Weight of the share of that logit's variance left unexplained, beside the loss of the labels.
        augment: How pictures are degraded.
    """

    network: str = "mobilenet_v2"
    width: float = 1.0
    middle: bool = False
    last: str = ""
    samples: int = 24_000
    batch: int = 48
    echo: int = 1
    seed: int = 1
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    warmup: float = 0.05
    dropout: float = 0.2
    unlabelled: float = 1 / 3
    by_worth: bool = True
    label_weight: float = 0.6
    teacher_mix: tuple[float, float] = (0.5, 0.5)
    cells_weight: float = 0.0
    taught_weight: float = 0.0
    features_weight: float = 0.0
    taught_share: float = 0.0
    taught_live: bool = False
    taught_whole: bool = False
    average: float = 0.99
    frozen_before: str = ""
    synthetic: float = 0.0
    left_out: tuple[str, ...] = ()
    splits: tuple[str, ...] = ("train", "faces")
    teachers: tuple[str, ...] = ()
    distil_weight: float = 1.0
    augment: AugmentPolicy = field(default_factory=AugmentPolicy)

    @property
    def steps(self) -> int:
        """Optimizer steps in the whole run."""
        return max(1, self.samples // self.batch)

    def rate(self, done: float) -> float:
        """The learning rate when a share ``done`` of the run lies behind: a short climb, then half a cosine."""
        if done < self.warmup:
            return self.learning_rate * (done / self.warmup + 0.02)
        along = min((done - self.warmup) / (1 - self.warmup), 1.0)
        return self.learning_rate * (0.02 + 0.98 * (1 + math.cos(math.pi * along)) / 2)

    def to_json(self) -> str:
        """Readable JSON, which `from_json` takes back."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """The recipe that `to_json` wrote; what recipes no longer have is passed over."""
        known = {field.name for field in dataclasses.fields(cls)}
        return cls().changed({name: value for name, value in json.loads(text).items() if name in known})

    @classmethod
    def of_run(cls, run: Path) -> Recipe:
        """The recipe in a run's folder."""
        return cls.from_json((run / "recipe.json").read_text(encoding="utf-8"))

    def changed(self, values: dict[str, Any]) -> Recipe:
        """A copy with other values; ``augment.`` in front of a name reaches the augmentation.

        Example:
            >>> Recipe().changed({"seed": 7, "augment.jpeg": 0.9}).augment.jpeg
            0.9
        """
        own: dict[str, Any] = {}
        policy: dict[str, Any] = {}
        for name, value in values.items():
            value = tuple(value) if isinstance(value, list) else value
            if name == "augment":
                policy.update(value)
            elif name.startswith("augment."):
                policy[name.removeprefix("augment.")] = value
            else:
                own[name] = value
        policy = {name: tuple(value) if isinstance(value, list) else value for name, value in policy.items()}
        return dataclasses.replace(self, augment=dataclasses.replace(self.augment, **policy), **own)
