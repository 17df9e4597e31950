"""One student on a GPU, and the pool of pictures that several of them learn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import keras
import numpy as np
import torch
from examples.training.batches import Batch
from examples.training.recipe import Recipe
from examples.training.runs import FEATURES, started
from examples.training.twin import Twin
from torch import nn
from torch.nn import functional

__all__ = ["Learner", "Pool", "unexplained"]

ASKED = 512  # pictures that the teachers are asked about at once


def unexplained(wanted: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """Share of the variance of ``wanted`` that ``given`` leaves unexplained, NaN entries of ``wanted`` left out.

    Args:
        wanted: float32, (B, n).
        given: float32, (B, n).
    """
    known = torch.isfinite(wanted).float()
    wanted = torch.where(known > 0, wanted, torch.zeros_like(wanted))
    mean = wanted.sum(0) / known.sum(0).clamp(min=1)
    spread = (known * (wanted - mean).square()).sum()
    return (known * (wanted - given).square()).sum() / spread.clamp(min=1e-3)


class Pool:
    """Augmented pictures on the device, and what is known of each; the oldest make room for new ones.

    Args:
        capacity: Most pictures kept.
        teachers: Keras networks whose mean logit is kept with each picture.
        device: Where everything lies.
    """

    def __init__(self, capacity: int, teachers: Sequence[Any], device: torch.device) -> None:
        self.device = device
        self.added = 0
        self._capacity = capacity
        self._teachers = [Twin(teacher).to(device, memory_format=torch.channels_last).eval() for teacher in teachers]
        self.images = torch.empty((capacity, 128, 128, 3), dtype=torch.uint8, device=device)
        # Target, the open models' two logits, the teachers' logit, then MiniFAS 128's features.
        self.known = torch.empty((capacity, 4 + FEATURES), device=device)

    @property
    def filled(self) -> int:
        """Pictures in the pool."""
        return min(self.added, self._capacity)

    def _said(self, inputs: torch.Tensor) -> torch.Tensor:
        """The teachers' mean logit: float32, (B, 1)."""
        return torch.stack([teacher(inputs)[0].float() for teacher in self._teachers]).mean(0)

    def add(self, batches: Sequence[Batch]) -> None:
        """Ask the teachers about new pictures and keep them."""
        if not batches:
            return
        whole = torch.from_numpy(np.concatenate([batch.whole for batch in batches])).to(self.device)
        parts = [
            [batch.targets[:, None] for batch in batches],
            [batch.taught for batch in batches],
            [batch.features for batch in batches],
        ]
        target, taught, features = (torch.from_numpy(np.concatenate(part)).to(self.device) for part in parts)
        with torch.no_grad(), half_precision(self.device):
            said = torch.cat([self._said(prepared(part)) for part in whole.split(ASKED)])
        places = torch.arange(self.added, self.added + len(whole), device=self.device) % self._capacity
        self.images[places] = torch.from_numpy(np.concatenate([batch.images for batch in batches])).to(self.device)
        self.known[places] = torch.cat([target, taught, said, features], 1)
        self.added += len(whole)


def half_precision(device: torch.device) -> Any:
    """bfloat16 where it is fast."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def prepared(images: torch.Tensor) -> torch.Tensor:
    """From uint8, (B, 128, 128, 3), to what a `Twin` takes."""
    return (images.float() / 127.5 - 1).permute(0, 3, 1, 2)


class Learner:
    """A student: its network, its optimizer, the running mean of its weights.

    Args:
        recipe: Shape, learning rate and the weights of the losses.
        device: Where it learns.
        imagenet: Folder of starting weights.
        start: Folder of a former run whose weights are taken instead.
    """

    def __init__(self, recipe: Recipe, device: torch.device, *, imagenet: Path, start: Optional[Path] = None) -> None:
        self.recipe = recipe
        self.seen = 0
        self.steps = 0
        keras.utils.set_random_seed(recipe.seed)
        torch.manual_seed(recipe.seed)  # Keras on another backend leaves PyTorch's dropout alone
        self._network = started(recipe, imagenet, start)
        self._twin = Twin(self._network).to(device, memory_format=torch.channels_last).train()
        shrunk = [value for value in self._twin.parameters() if value.ndim > 1]
        others = [value for value in self._twin.parameters() if value.ndim <= 1]
        decayed = {"params": shrunk, "weight_decay": recipe.weight_decay}
        self._optimizer = torch.optim.AdamW([decayed, {"params": others, "weight_decay": 0.0}], lr=1e-3, eps=1e-7)
        self._values = [value for value in self._twin.state_dict().values() if value.is_floating_point()]
        self._average = [value.detach().clone() for value in self._values]
        self._dice = torch.Generator(device).manual_seed(recipe.seed)
        self._loss = torch.zeros((), device=device)

    def step(self, pool: Pool, batch: int, learning_rate: float) -> None:
        """Learn from ``batch`` pictures of the pool."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        chosen = torch.randint(pool.filled, (batch,), generator=self._dice, device=pool.device)
        inputs, known = prepared(pool.images[chosen]), pool.known[chosen]
        recipe = self.recipe
        with half_precision(pool.device):
            heads = self._twin(inputs)
        logit, _, taught, features = (head.float() for head in heads)
        loss = functional.binary_cross_entropy_with_logits(logit, known[:, :1])
        loss = loss + recipe.distil_weight * unexplained(known[:, 3:4], logit)
        apart = [unexplained(known[:, 1 + i : 2 + i], taught[:, i : i + 1]) for i in range(2)]
        loss = loss + recipe.taught_weight * (apart[0] + apart[1]) / 2
        loss = loss + recipe.features_weight * unexplained(known[:, 4:], features)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._twin.parameters(), 5.0)
        self._optimizer.step()
        self.steps += 1
        self.seen += batch
        decay = min(recipe.average, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self._average, self._values, 1 - decay)
        self._loss = loss.detach()

    def loss(self) -> float:
        """Of the last step."""
        return float(self._loss)

    def so_far(self) -> Any:
        """The Keras network with the running mean of the weights; learning goes on as if nobody had asked."""
        kept = [value.clone() for value in self._values]
        with torch.no_grad():
            torch._foreach_copy_(self._values, self._average)
            self._twin.give(self._network)
            torch._foreach_copy_(self._values, kept)
        return self._network
