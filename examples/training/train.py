"""Trains a network on prepared examples: ``python -m examples.training.train default --run ../runs/first``.

The labels are of few people and rot when they are learnt long; the teachers were asked about every picture and are
learnt for as long as there is time. Weights are kept every few minutes, and the same command goes on from them.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import torch
from examples.training.batches import drawn
from examples.training.config import CONFIGS, Config
from examples.training.data import add_places, load_rows
from examples.training.networks import build, fill_from_imagenet
from examples.training.pool import Pool
from examples.training.teachers import FEATURES, NAMES
from examples.training.twin import Twin
from torch import nn
from torch.nn import functional

__all__ = ["Learner", "fit", "load_run", "pooled", "prepared", "said", "settle"]

KEPT_EVERY_S = 240
SETTLING = 24  # batches of four times the usual size
WEIGHTS, LAST = "mean.weights.h5", "last.pt"
IMAGENET = Path("../shared/teachers/mobilenet_v2_1.0_imagenet.weights.h5")


def prepared(pictures: npt.NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """From uint8, (B, 128, 128, 3), to what a `Twin` takes."""
    return (torch.from_numpy(pictures).to(device).float() / 127.5 - 1).permute(0, 3, 1, 2)


def half_precision(device: torch.device) -> Any:
    """bfloat16, which GPUs and processors with AMX are fast at."""
    return torch.autocast(device.type, torch.bfloat16)


def loss_of(config: Config, heads: list[torch.Tensor], batch: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """The labels' log loss, and the share of the teachers' variance that is left unexplained."""
    label, answers, features = (head.float() for head in heads)
    known = ~np.isnan(batch["label"])
    loss = torch.zeros((), device=device)
    if known.any():
        smooth = torch.from_numpy(batch["label"][known] * (1 - 2 * config.smoothing) + config.smoothing).to(device)
        chosen = label[torch.from_numpy(known).to(device), 0]
        loss = loss + config.label_weight * functional.binary_cross_entropy_with_logits(chosen, smooth)
    asked = ~np.isnan(batch["answers"][:, 0])
    if asked.sum() < 2:  # a variance takes two
        return loss
    answers, features = (head[torch.from_numpy(asked).to(device)] for head in (answers, features))
    batch = batch[asked]
    wanted = torch.from_numpy(batch["answers"].astype(np.float32)).to(device)
    loss = loss + ((wanted - answers).square().mean(0) / wanted.var(0).clamp(min=0.5)).mean()
    wanted = torch.from_numpy(batch["features"].astype(np.float32)).to(device)
    unexplained = (wanted - features).square().sum() / (wanted - wanted.mean(0)).square().sum().clamp(min=1e-3)
    return loss + config.features_weight * unexplained


class Learner:
    """A network in training: its twin in PyTorch, its optimizer and the running mean of its weights.

    Args:
        config: What is trained and how.
        run: Folder for the weights; a run that was stopped goes on from there.
        imagenet: Starting weights of MobileNetV2.
    """

    def __init__(self, config: Config, run: Path, *, imagenet: Path) -> None:
        import keras

        torch.manual_seed(config.seed)
        keras.utils.set_random_seed(config.seed)
        self.config, self.run, self.seen, self.minutes = config, run, 0, 0.0
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = build(config.looks, answers=len(NAMES), features=FEATURES, dropout=config.dropout)
        if config.start:
            self._network.load_weights(run.parent / config.start / WEIGHTS)
        else:
            for look in config.looks:
                fill_from_imagenet(self._network, look, imagenet)
        self._twin = Twin(self._network).to(self.device, memory_format=torch.channels_last).train()
        shrunk = [value for value in self._twin.parameters() if value.ndim > 1]
        others = [value for value in self._twin.parameters() if value.ndim <= 1]
        groups = [{"params": shrunk, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, eps=1e-7)
        self._values = [value for value in self._twin.state_dict().values() if value.is_floating_point()]
        self._mean = [value.detach().clone() for value in self._values]
        if (run / LAST).exists():
            last = torch.load(run / LAST, weights_only=True, map_location=self.device)
            self._twin.load_state_dict(last["twin"])
            self._optimizer.load_state_dict(last["optimizer"])
            self._mean, self.seen, self.minutes = last["mean"], last["seen"], last["minutes"]

    def step(self, batch: npt.NDArray[Any], learning_rate: float) -> float:
        """Learn from a batch; returns its loss."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        with half_precision(self.device):
            heads = self._twin(*(prepared(batch[look.view], self.device) for look in self.config.looks))
            loss = loss_of(self.config, heads, batch, self.device)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._twin.parameters(), 5.0)
        self._optimizer.step()
        self.seen += len(batch)
        steps = self.seen / self.config.batch
        share = min(self.config.average, (1 + steps) / (10 + steps))
        with torch.no_grad():
            for mean, value in zip(self._mean, self._values):
                mean.lerp_(value, 1 - share)
        return float(loss.detach())

    def save(self) -> None:
        """Write the mean weights, and what another process needs to go on."""
        own = [value.detach().clone() for value in self._values]
        for value, mean in zip(self._values, self._mean):
            value.copy_(mean)
        self._twin.give(self._network)
        for value, before in zip(self._values, own):
            value.copy_(before)
        self._network.save_weights(self.run / WEIGHTS)
        state = {"twin": self._twin.state_dict(), "optimizer": self._optimizer.state_dict(), "mean": self._mean}
        partial = self.run / f"{LAST}.partial"
        torch.save({**state, "seen": self.seen, "minutes": self.minutes}, partial)
        partial.replace(self.run / LAST)

    def settle(self, batches: Iterable[npt.NDArray[Any]]) -> Path:
        """Write the mean weights with statistics of their own, in float32; returns their file.

        The running statistics are those of other weights, each batch's, in bfloat16. `save` comes first: this learner
        learns no more.
        """
        settle(self._twin, self._network, batches, self.config)
        self._network.save_weights(self.run / WEIGHTS)
        return self.run / WEIGHTS


def settle(twin: Twin, network: Any, batches: Iterable[npt.NDArray[Any]], config: Config) -> None:
    """Give a network's batch normalisations the plain mean of their statistics over some batches.

    Args:
        twin: Its weights are taken from ``network``.
        network: Changed in place.
        batches: Of examples.
        config: Whose looks they are shown to.
    """
    twin.take(network)
    twin.eval()
    for part in twin.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.reset_running_stats()
            part.momentum = None  # PyTorch's word for a plain mean
            part.train()
    device = next(twin.parameters()).device
    with torch.no_grad():
        for batch in batches:
            twin(*(prepared(batch[look.view], device) for look in config.looks))
    twin.give(network)


def fit(
    config: Config,
    pools: Sequence[Path],
    run: Path,
    *,
    imagenet: Path = IMAGENET,
    minutes: float = math.inf,
    threads: int = 2,
    rows: Optional[Sequence[int]] = None,
) -> Path:
    """Train until the samples or the minutes are used up.

    Args:
        config: What is trained and how.
        pools: Folders of prepared examples; they may still grow.
        run: Folder for the weights.
        imagenet: Starting weights of MobileNetV2.
        minutes: Of all calls together; the learning rate follows whichever of the two ends first.
        threads: Of PyTorch.
        rows: Numbers of the pictures that may be learnt from; all unless given.

    Returns:
        The file of the weights: the running mean over the run.
    """
    from tqdm import tqdm

    torch.set_num_threads(threads)
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps(asdict(config), indent=1), encoding="utf-8")
    learner, pool = Learner(config, run, imagenet=imagenet), Pool(pools, config.seed, rows)
    before, began, kept = learner.minutes, time.monotonic(), time.monotonic()
    while pool.look() < 8 * config.batch:
        time.sleep(2)
    with tqdm(total=config.samples, initial=learner.seen, unit="picture", mininterval=10) as bar:
        while learner.seen < config.samples and learner.minutes < minutes:
            learning_rate = config.rate(max(learner.seen / config.samples, learner.minutes / minutes))
            loss = learner.step(pool.draw(config.batch), learning_rate)
            learner.minutes = before + (time.monotonic() - began) / 60
            bar.update(config.batch)
            bar.set_postfix(loss=f"{loss:.3f}", minutes=f"{learner.minutes:.1f} of {minutes:g}", refresh=False)
            if not math.isfinite(loss):
                raise ArithmeticError(f"the loss is {loss} after {learner.seen} pictures: lower the learning rate")
            if time.monotonic() - kept > KEPT_EVERY_S:
                kept = time.monotonic()
                learner.save()
                pool.look()
    learner.save()
    return learner.settle(pool.draw(4 * config.batch) for _ in range(SETTLING))


def load_run(run: Path) -> tuple[Any, Config]:
    """The network of a run with its weights, and its config."""
    config = Config.of_run(run)
    network = build(config.looks, answers=len(NAMES), features=FEATURES)
    network.load_weights(run / WEIGHTS)
    return network, config


def said(network: Any, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Logits of the label and of every teacher from a network's features: float32, (N, 1 + answers)."""
    heads = [network.get_layer(name).get_weights() for name in ("label", "answers")]
    kernel, bias = (np.concatenate(parts, -1) for parts in zip(*heads))
    return np.asarray(features @ kernel + bias, np.float32)


def pooled(
    network: Any, config: Config, views: dict[str, npt.NDArray[np.uint8]], batch: int = 64
) -> npt.NDArray[np.float32]:
    """What the heads see of both views: float32, (N, F)."""
    import keras

    twin = (
        Twin(keras.Model(network.inputs, network.get_layer("label").input)).to(memory_format=torch.channels_last).eval()
    )
    parts = []
    with torch.no_grad():
        for start in range(0, len(views[config.looks[0].view]), batch):
            inputs = [prepared(views[look.view][start : start + batch], torch.device("cpu")) for look in config.looks]
            parts.append(twin(*inputs)[0].numpy())
    return np.concatenate(parts)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("config", choices=sorted(CONFIGS))
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--pool", type=Path, nargs="+", default=[Path("../runs/pool")])
    parser.add_argument("--imagenet", type=Path, default=IMAGENET)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--threads", type=int, default=2)
    left_out = "beginnings of the names of sources to leave out, from a pool without blended pictures"
    parser.add_argument("--left-out", nargs="+", default=[], help=left_out)
    add_places(parser)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=JSON", help="changes to the config")
    options = parser.parse_args(arguments)
    rows = None
    if options.left_out:  # examples know their picture by its place among those that `batches` draws from
        everything = load_rows(options.data, options.teachers)
        sources = [everything[number].source for number in drawn(everything)]
        rows = [place for place, source in enumerate(sources) if not source.startswith(tuple(options.left_out))]
    config, limits = CONFIGS[options.config].changed(options.set), {"minutes": options.minutes, "rows": rows}
    fit(config, options.pool, options.run, imagenet=options.imagenet, threads=options.threads, **limits)
    return 0


if __name__ == "__main__":
    sys.exit(main())
