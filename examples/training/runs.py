"""A run's folder: its recipe, and the weights that come out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from examples.training.networks import build_network, copy_weights, fold_taught
from examples.training.recipe import Recipe

__all__ = ["HEADS", "WEIGHTS", "build", "load_run", "save_weights", "started"]

IMAGENET = {
    ("mobilenet_v2", 1.0): "mobilenet_v2_1.0_imagenet.weights.h5",
    ("mobilenet", 0.25): "mobilenet_0.25_imagenet.weights.h5",
    ("mobilenet", 0.5): "mobilenet_0.25_imagenet.weights.h5",
}
FEATURES = 128  # of MiniFAS 128's last layer but one
HEADS = "heads.weights.h5"  # to go on from
WEIGHTS = "average.weights.h5"


def build(recipe: Recipe, weights: Optional[Path] = None) -> Any:
    """The network of a recipe, started from ``weights`` where given."""
    return build_network(
        recipe.network,
        weights=weights,
        width=recipe.width,
        dropout=recipe.dropout,
        middle=recipe.middle,
        last=recipe.last,
        features=FEATURES if recipe.features_weight else 0,
    )


def started(recipe: Recipe, imagenet: Optional[Path] = None, start: Optional[Path] = None) -> Any:
    """The network of a recipe with the weights that training begins at.

    Args:
        recipe: What to build.
        imagenet: Folder of starting weights; used where one fits the network and its width.
        start: Folder of a former run whose weights are taken instead.
    """
    known = IMAGENET.get((recipe.network, recipe.width))
    network = build(recipe, imagenet / known if imagenet is not None and known is not None and start is None else None)
    if start is not None:
        copy_weights(load_run(start, HEADS), network)
    return network


def load_run(run: Path, weights: str = WEIGHTS) -> Any:
    """The network of a finished run, with its averaged weights; ``HEADS`` are those before folding."""
    recipe = Recipe.of_run(run)
    network = build(recipe)
    network.load_weights(run / weights)
    network.trainable = False
    return network


def save_weights(network: Any, run: Path, taught_share: float) -> None:
    """Write a network's weights: as they are, to go on from, and with the taught heads folded in, as they stay."""
    network.save_weights(run / HEADS)
    fold_taught(network, taught_share)
    network.save_weights(run / WEIGHTS)
