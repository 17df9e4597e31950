"""Run folders of networks that were not trained but made of others: their weights, and how they came to be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.batches import BatchMaker
from examples.training.recipe import Recipe
from examples.training.runs import WEIGHTS, save_weights
from examples.training.train import finished_lines

__all__ = ["fit_heads", "linear_map", "write_run"]

Floats = npt.NDArray[np.float32]

TOLD = ("logit", "taught", "features")  # the heads that see pooled features


def write_run(
    out: Path, network: Any, recipe: Recipe, parents: Sequence[Path], command: str, *, seconds: Optional[float] = None
) -> Path:
    """Write a run folder that can be gone on from, exported or measured like one that was trained.

    Args:
        out: The folder; made when missing.
        network: With its heads apart; they are folded here.
        recipe: Kept beside the weights.
        parents: The runs that it was made of; their commands and times are taken over, and the first one's sources.
        command: The command that makes it of them.
        seconds: How long that took, where it is worth counting.

    Returns:
        The file of weights, its heads folded.
    """
    out.mkdir(parents=True, exist_ok=True)
    save_weights(network, out, recipe.taught_share)
    (out / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    shutil.copy(parents[0] / "sources.json", out / "sources.json")
    commands: list[str] = []
    finished: list[str] = []
    for run in parents:
        lines = (run / "command.txt").read_text(encoding="utf-8").strip().splitlines()
        commands += [line for line in lines if line not in commands]
        finished += [line for line in finished_lines(run) if line not in finished]
    if seconds is not None:
        finished.append(json.dumps({"finished": 0, "seconds": round(seconds), "run": out.name}) + "\n")
    (out / "command.txt").write_text("\n".join([*commands, command]), encoding="utf-8")
    (out / "log.jsonl").write_text("".join(finished), encoding="utf-8")
    return out / WEIGHTS


def fit_heads(network: Any, teacher: Any, maker: BatchMaker, steps: int) -> None:
    """Set a network's heads so that they say what another's say, with the least squared error.

    Args:
        network: Its heads on pooled features are changed in place, and nothing else.
        teacher: A network with the same heads.
        maker: Batches to hear both on.
        steps: How many of them.
    """
    import keras

    heads = [layer for layer in network.layers if layer.name in TOLD]
    seen = keras.Model(network.input, network.get_layer("dropout").input)
    said = keras.Model(teacher.input, [teacher.get_layer(head.name).output for head in heads])
    features, wanted = [], []
    for step in range(steps):
        pictures = maker(step).images.astype(np.float32) / 127.5 - 1
        features.append(np.asarray(seen(pictures, training=False)))
        wanted.append(np.concatenate(said(pictures, training=False), axis=1))
    kernel, bias = linear_map(np.concatenate(features), np.concatenate(wanted))
    start = 0
    for head in heads:
        end = start + head.units
        head.set_weights([kernel[:, start:end], bias[start:end]])
        start = end


def linear_map(features: Floats, wanted: Floats, ridge: float = 0.02) -> tuple[Floats, Floats]:
    """The weights with which features foretell values best.

    Args:
        features: float32, (N, n).
        wanted: float32, (N, m).
        ridge: Added to the variance of each feature, of which it is a share.

    Returns:
        Kernel (n, m) and bias (m,): ``features @ kernel + bias`` has the least squared error but for the ridge.
    """
    mean, spread = features.mean(0), features.std(0) + 1e-6
    known, middle = ((features - mean) / spread).astype(np.float64), wanted.mean(0)
    gram = known.T @ known / len(known) + ridge * np.eye(known.shape[1])
    kernel = np.linalg.solve(gram, known.T @ (wanted - middle) / len(known)) / spread[:, None]
    return kernel.astype(np.float32), (middle - mean @ kernel).astype(np.float32)
