"""End a finished network earlier: ``python -m examples.training.shorten RUN --last LAYER --run OUT``.

What tells a print or a screen from a face shows in the middle of a network; its last blocks, made for ImageNet's
thousand classes, add time and bytes. The heads are fitted anew on the pooled output of an earlier layer, to say of
augmented pictures what the whole network's heads say. No other weight changes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from examples.training.data import add_places
from examples.training.derived import fit_heads, write_run
from examples.training.networks import copy_weights
from examples.training.recipe import Recipe
from examples.training.runs import HEADS, build, load_run
from examples.training.train import batches_of

__all__ = ["main", "shorten"]


def shorten(
    run: Path, out: Path, last: str, data: Path, teachers: Path, cache: Path, *, samples: int = 16_384, seed: int = 99
) -> Path:
    """Write a run folder whose network ends at a layer.

    Args:
        run: A finished run; its recipe says which pictures the heads are fitted on, and how they are degraded.
        out: Folder to write; made when missing.
        last: Name of the layer to end after.
        data: Folder of the pictures.
        teachers: Folder of soft scores.
        cache: Scratch folder for decoded pictures.
        samples: How many pictures.
        seed: Of their draw.

    Returns:
        The file of weights, its heads folded.
    """
    began = time.monotonic()
    recipe = Recipe.of_run(run).changed({"last": last, "middle": False})
    network, whole = build(recipe), load_run(run, HEADS)
    copy_weights(whole, network)
    maker, _ = batches_of(recipe.changed({"seed": seed, "taught_live": False}), data, teachers, cache)
    fit_heads(network, whole, maker, -(-samples // recipe.batch))
    command = f"python -m examples.training.shorten {run.name} --last {last} --run {out.name}"
    return write_run(out, network, recipe, [run], command, seconds=time.monotonic() - began)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="shorten", description=__doc__)
    parser.add_argument("whole", type=Path, metavar="RUN", help="folder of the finished run")
    parser.add_argument("--last", required=True, help="name of the layer to end after")
    parser.add_argument("--run", type=Path, required=True, help="folder of the result")
    add_places(parser)
    options = parser.parse_args(arguments)
    print(shorten(options.whole, options.run, options.last, options.data, options.teachers, options.cache))
    return 0


if __name__ == "__main__":
    sys.exit(main())
