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
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import torch
from examples.training.batches import chunks
from examples.training.config import CONFIGS, Config
from examples.training.networks import build, fill_from_imagenet
from examples.training.teachers import FEATURES, NAMES
from examples.training.twin import Twin
from torch import nn
from torch.nn import functional

__all__ = ["fit", "prepared", "said"]

KEPT_EVERY_S = 240
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


class Pool:
    """Draws batches from the chunks that are there, new ones as soon as they are finished."""

    def __init__(self, folders: Sequence[Path], seed: int) -> None:
        self._folders = folders
        self._rng = np.random.default_rng(seed)
        self._files: dict[Path, npt.NDArray[Any]] = {}

    def look(self) -> int:
        """Take up what is new; returns how many examples there are."""
        for folder in self._folders:
            for path in chunks(folder):
                if path not in self._files:
                    self._files[path] = np.load(path, mmap_mode="r")
        return sum(map(len, self._files.values()))

    def draw(self, batch: int) -> npt.NDArray[Any]:
        """Examples of several chunks, half of them mirrored: `EXAMPLE`, (batch,)."""
        files = list(self._files.values())
        parts = []
        for number in self._rng.integers(len(files), size=4):
            places = np.sort(self._rng.choice(len(files[number]), batch // 4, replace=False))
            parts.append(files[number][places])
        chosen = np.concatenate(parts)
        mirrored = self._rng.random(len(chosen)) < 0.5
        for view in ("near", "wide"):
            chosen[view][mirrored] = chosen[view][mirrored][:, :, ::-1]
        return chosen


def fit(config: Config, pools: Sequence[Path], run: Path, *, imagenet: Path, minutes: float, threads: int) -> Path:
    """Train until the samples or the minutes are used up.

    Args:
        config: What is trained and how.
        pools: Folders of prepared examples; they may still grow.
        run: Folder for the weights.
        imagenet: Starting weights of MobileNetV2.
        minutes: From this call to the last weights; the learning rate follows whichever of the two ends first.
        threads: Of PyTorch.

    Returns:
        The file of the weights: the running mean over the run.
    """
    import keras
    from tqdm import tqdm

    torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    keras.utils.set_random_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps(asdict(config), indent=1), encoding="utf-8")
    network = build(config.looks, answers=len(NAMES), features=FEATURES, dropout=config.dropout)
    for look in config.looks:
        fill_from_imagenet(network, look, imagenet)
    if config.start:
        network.load_weights(run.parent / config.start / "mean.weights.h5")
    twin = Twin(network).to(device, memory_format=torch.channels_last)
    decayed = [value for value in twin.parameters() if value.ndim > 1]
    others = [value for value in twin.parameters() if value.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, eps=1e-7)
    values = [value for value in twin.state_dict().values() if value.is_floating_point()]
    mean = [value.detach().clone() for value in values]
    pool, seen, began, kept = Pool(pools, config.seed), 0, time.monotonic(), time.monotonic()
    if (run / "last.pt").exists():
        last = torch.load(run / "last.pt", weights_only=True)
        twin.load_state_dict(last["twin"])
        optimizer.load_state_dict(last["optimizer"])
        mean, seen, minutes = [value.to(device) for value in last["mean"]], last["seen"], minutes - last["minutes"]
    spent_before = 0.0 if not (run / "last.pt").exists() else float(last["minutes"])
    total = minutes + spent_before

    def keep(name: str = "mean") -> Path:
        current = [value.detach().clone() for value in values]
        for value, averaged in zip(values, mean):
            value.copy_(averaged)
        twin.give(network)
        path = run / f"{name}.weights.h5"
        network.save_weights(path)
        for value, own in zip(values, current):
            value.copy_(own)
        done = spent_before + (time.monotonic() - began) / 60
        state = {"twin": twin.state_dict(), "optimizer": optimizer.state_dict(), "mean": mean, "seen": seen}
        torch.save({**state, "minutes": done}, run / "last.partial")
        (run / "last.partial").replace(run / "last.pt")
        return path

    while pool.look() < config.batch * 8:
        time.sleep(2)
    bar = tqdm(total=config.samples, initial=seen, unit="picture", mininterval=20)
    smoothed, steps = 0.0, 0
    while seen < config.samples and (time.monotonic() - began) / 60 < minutes:
        done = max(seen / config.samples, (spent_before + (time.monotonic() - began) / 60) / total)
        for group in optimizer.param_groups:
            group["lr"] = config.rate(done)
        batch = pool.draw(config.batch)
        twin.train()
        with half_precision(device):
            heads = twin(*(prepared(batch[look.view], device) for look in config.looks))
            loss = loss_of(config, heads, batch, device)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 5.0)
        optimizer.step()
        steps, seen = steps + 1, seen + len(batch)
        share = min(config.average, (1 + seen / config.batch) / (10 + seen / config.batch))
        with torch.no_grad():
            for averaged, value in zip(mean, values):
                averaged.lerp_(value, 1 - share)
        smoothed = float(loss) if steps == 1 else 0.98 * smoothed + 0.02 * float(loss)
        bar.set_postfix(loss=f"{smoothed:.3f}", pool=pool.look() if steps % 50 == 0 else None, refresh=False)
        bar.update(len(batch))
        if not math.isfinite(smoothed):
            raise ArithmeticError(f"the loss is {smoothed} after {seen} pictures: lower the learning rate")
        if time.monotonic() - kept > KEPT_EVERY_S:
            kept = time.monotonic()
            keep()
    bar.close()
    return keep()


def said(network: Any, config: Config, views: dict[str, npt.NDArray[np.uint8]], batch: int = 64) -> Any:
    """Logits of the label and of every teacher: float32, (N, 1 + answers)."""
    twin = Twin(network).to(memory_format=torch.channels_last).eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(views[config.looks[0].view]), batch):
            inputs = [prepared(views[look.view][start : start + batch], torch.device("cpu")) for look in config.looks]
            label, answers, _ = twin(*inputs)
            parts.append(torch.cat([label, answers], 1).float().numpy())
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
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=JSON", help="changes to the config")
    options = parser.parse_args(arguments)
    config = CONFIGS[options.config].changed(options.set)
    fit(config, options.pool, options.run, imagenet=options.imagenet, minutes=options.minutes, threads=options.threads)
    return 0


if __name__ == "__main__":
    sys.exit(main())
