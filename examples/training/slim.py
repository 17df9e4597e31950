"""Half the channels, most of the knowledge: ``python -m examples.training.slim RUN --run OUT [--share 0.5]``.

Cuts the hidden channels of each block of a MobileNetV2, block by block, and fits the block's last convolution anew so
that its output stays where it was, given what the blocks before it now say. Which channels go is decided by how much
each would be missed after the others have made up for it as well as they can: the step of the optimal brain surgeon
(Hassibi and Stork, 1993), for the squared error of the block's output. Training goes on from there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.data import add_places
from examples.training.derived import fit_heads, write_run
from examples.training.recipe import Recipe
from examples.training.runs import HEADS, build, load_run
from examples.training.train import batches_of

__all__ = ["fewest_missed", "main", "slim"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

BLOCKS = 12
POSITIONS = 24  # of a feature map that are looked at per picture


def fewest_missed(inputs: Floats, wanted: Floats, keep: int, ridge: float = 1e-3) -> tuple[Any, Floats, Floats]:
    """The inputs that foretell values best without the others, one dropped after another.

    Args:
        inputs: float32, (N, n).
        wanted: float32, (N, m).
        keep: How many inputs stay.
        ridge: Added to the inputs' variances, as a share of their mean.

    Returns:
        The indices kept, ascending, and kernel (keep, m) and bias (m,) of the linear map from them.
    """
    mean, middle = inputs.mean(0), wanted.mean(0)
    known = (inputs - mean).astype(np.float64)
    gram = known.T @ known / len(known)
    gram += ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    inverse = np.linalg.inv(gram)
    kernel = inverse @ (known.T @ (wanted - middle).astype(np.float64) / len(known))
    left = np.arange(len(gram))
    while len(left) > keep:
        out = int(np.argmin((kernel**2).sum(1) / np.diag(inverse)))
        share = inverse[:, out] / inverse[out, out]
        kernel = np.delete(kernel - np.outer(share, kernel[out]), out, axis=0)
        inverse = np.delete(np.delete(inverse - np.outer(share, inverse[out]), out, axis=0), out, axis=1)
        left = np.delete(left, out)
    return left, kernel.astype(np.float32), (middle - mean[left] @ kernel).astype(np.float32)


def slim(
    run: Path,
    out: Path,
    share: float,
    data: Path,
    teachers: Path,
    cache: Path,
    *,
    pictures: int = 768,
    samples: int = 16_384,
    seed: int = 99,
) -> Path:
    """Write a run folder of a ``custom`` network made of a ``mobilenet_v2``.

    Args:
        run: A finished run of ``mobilenet_v2``, whole or shortened.
        out: Folder to write; made when missing.
        share: Of the hidden channels that stay.
        data: Folder of the pictures.
        teachers: Folder of soft scores.
        cache: Scratch folder for decoded pictures.
        pictures: How many the blocks are fitted on.
        samples: How many the heads are fitted on.
        seed: Of their draw.

    Returns:
        The file of weights, its heads folded.
    """
    began = time.monotonic()
    recipe = Recipe.of_run(run).changed({"network": "custom", "width": share, "middle": False, "last": ""})
    network, whole = build(recipe), load_run(run, HEADS)
    maker, _ = batches_of(recipe.changed({"seed": seed, "taught_live": False}), data, teachers, cache)
    steps = range(-(-pictures // recipe.batch))
    images = np.concatenate([maker(len(steps) + step).images for step in steps]).astype(np.float32) / 127.5 - 1
    for layer in network.layers:
        if layer.name in ("Conv1", "bn_Conv1", "cells") or layer.name.startswith(("expanded_conv", "block_13")):
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    given = truth = _answers(whole.input, whole.get_layer("expanded_conv_project_BN").output, images)
    rng = np.random.default_rng(seed)
    for number in range(1, BLOCKS + 1):
        given, truth = _fill(network, whole, number, given, truth, rng)
    fit_heads(network, whole, maker, -(-samples // recipe.batch))
    command = f"python -m examples.training.slim {run.name} --share {share:g} --run {out.name}"
    return write_run(out, network, recipe, [run], command, seconds=time.monotonic() - began)


def _fill(
    network: Any, whole: Any, number: int, given: Floats, truth: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Set the weights of one block.

    Args:
        network: The slim one, filled up to the block before.
        whole: The one it is made of.
        number: The block's.
        given: What the block before says in the slim network.
        truth: What it says in the whole one.
        rng: Chooses the positions that are looked at.

    Returns:
        What this block says in both.
    """
    name = f"block_{number}"
    first, hidden = whole.get_layer(f"{name}_expand"), whole.get_layer(f"{name}_depthwise_relu")
    adds = any(layer.name == f"{name}_add" for layer in whole.layers)
    goal = _answers(first.input, whole.get_layer(f"{name}_add" if adds else f"{name}_project_BN").output, truth)
    wanted = goal - given if adds else goal
    inner = _answers(first.input, hidden.output, given)
    rows = (
        np.arange(len(inner))[:, None],
        *(rng.integers(0, size, (len(inner), POSITIONS)) for size in inner.shape[1:3]),
    )
    kept, kernel, bias = fewest_missed(
        inner[rows].reshape(-1, inner.shape[3]),
        wanted[rows].reshape(-1, wanted.shape[3]),
        network.get_layer(f"{name}_depthwise").weights[0].shape[2],
    )
    for part in ("expand", "expand_BN", "depthwise", "depthwise_BN"):
        values = whole.get_layer(f"{name}_{part}").get_weights()
        cut = (np.take(value, kept, axis=2 if part == "depthwise" else -1) for value in values)
        network.get_layer(f"{name}_{part}").set_weights(list(cut))
    said = inner[..., kept] @ kernel
    mean, variance = said.mean((0, 1, 2)), said.var((0, 1, 2))
    network.get_layer(f"{name}_project").set_weights([kernel[None, None]])
    norm = network.get_layer(f"{name}_project_BN")
    norm.set_weights([np.sqrt(variance + norm.epsilon), mean + bias, mean, variance])
    answer = said + bias + given if adds else said + bias
    error = float(np.square(answer - goal).mean() / goal.var())
    print(f"{name}: {len(kept)} of {inner.shape[3]} channels, {error:.1%} of the variance lost", flush=True)
    return np.asarray(answer, np.float32), goal


def _answers(start: Any, end: Any, inputs: Floats, batch: int = 64) -> Floats:
    """What the part of a network between two of its tensors makes of inputs."""
    import keras

    part = keras.Model(start, end)
    pieces = (inputs[place : place + batch] for place in range(0, len(inputs), batch))
    return np.concatenate([np.asarray(part(piece, training=False)) for piece in pieces])


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="slim", description=__doc__)
    parser.add_argument("whole", type=Path, metavar="RUN", help="folder of a finished run of mobilenet_v2")
    parser.add_argument("--share", type=float, default=0.5, help="of the hidden channels that stay (0.5)")
    parser.add_argument("--run", type=Path, required=True, help="folder of the result")
    add_places(parser)
    options = parser.parse_args(arguments)
    print(slim(options.whole, options.run, options.share, options.data, options.teachers, options.cache))
    return 0


if __name__ == "__main__":
    sys.exit(main())
