"""Average the weights of runs that began at the same point: ``python -m examples.training.soup RUN RUN --run OUT``.

Runs from the same starting weights that differ in seed or augmentation alone end in the same valley, and the middle of
a valley is flatter than its sides: the mean is one network that errs less on unseen sources than its parts do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
from examples.training.derived import write_run
from examples.training.networks import copy_weights
from examples.training.recipe import Recipe
from examples.training.runs import HEADS, load_run

__all__ = ["averaged", "main", "soup"]


def soup(runs: Sequence[Path], out: Path, *, taught_share: Optional[float] = None) -> Path:
    """Write a run folder whose averaged weights are the mean of those of ``runs``.

    Args:
        runs: Finished runs of one network and width, one of them started from the other or all from the same
            weights; the first one's recipe is taken over.
        out: Folder to write; made when missing.
        taught_share: Taken instead of the recipe's.

    Returns:
        The file of weights, its heads folded.
    """
    recipe = Recipe.of_run(runs[0])
    if taught_share is not None:
        recipe = recipe.changed({"taught_share": taught_share})
    share = "" if taught_share is None else f" --taught-share {taught_share:g}"
    command = f"python -m examples.training.soup {' '.join(run.name for run in runs)} --run {out.name}{share}"
    return write_run(out, averaged(runs), recipe, runs, command)


def averaged(runs: Sequence[Path]) -> Any:
    """The network whose weights are the mean of those of ``runs``, its heads not folded yet; see `soup`."""
    networks = [load_run(run, HEADS) for run in runs]
    for place in range(1, len(networks)):  # an earlier run's heads may see less
        aligned = load_run(runs[0], HEADS)
        copy_weights(networks[place], aligned)
        networks[place] = aligned
    for index, variable in enumerate(networks[0].variables):
        variable.assign(np.mean([np.asarray(network.variables[index]) for network in networks], axis=0))
    return networks[0]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="soup", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--run", type=Path, required=True, help="folder of the result")
    parser.add_argument("--taught-share", type=float, help="of each taught logit in the exported one")
    options = parser.parse_args(arguments)
    print(soup(options.runs, options.run, taught_share=options.taught_share))
    return 0


if __name__ == "__main__":
    sys.exit(main())
