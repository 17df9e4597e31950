"""Every step behind the shipped default: ``python -m examples.training.release --own FILE``; what is there stays.

About three hours on two cores. The earlier default, one more teacher, is in the history:
``git show 48e6de5:src/facelive/assets/mobilenet_v2.tflite > ../runs/own.tflite``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

__all__ = ["HELD_OUT", "NAME", "main", "steps"]

NAME = "mobilenet_v2"
CHUNKS, MORE = 70, 12  # of examples from train and faces, and from val for the refit
# Not learnt from even by the file that ships, so that it can be measured: a source of scenes and one of tight crops.
HELD_OUT = ("Rounakdeepsingh", "tamletan")
REFIT = ['start="default"', "samples=25000", "learning_rate=0.0003", "warmup=0.1", "seed=2"]


def steps(runs: Path, own: Path) -> list[tuple[Path, list[str]]]:
    """What each step makes, and its command.

    Args:
        runs: Scratch folder.
        own: The earlier model of ours that teaches too.
    """
    pool, more, before, refit = (runs / name for name in ("pool", "pool-val", "default", "refit"))
    unseen, shipped = runs / "before" / f"{NAME}.tflite", runs / "shipped" / f"{NAME}.tflite"
    prepare = ["--own", str(own), "--seed"]
    val = ["--splits", "val", "--left-out", *HELD_OUT]
    export = ["--name", NAME, "--out"]
    return [
        (pool / f"{CHUNKS - 1:05d}.npy", ["batches", str(pool), "--chunks", str(CHUNKS), *prepare, "1"]),
        (before / "mean.weights.h5", ["train", "default", "--run", str(before), "--pool", str(pool)]),
        (unseen, ["export", str(before), *export, str(unseen.parent)]),
        (runs / "measured" / f"{NAME}.json", ["measure", str(unseen), "--record", str(runs / "measured")]),
        (more / f"{MORE - 1:05d}.npy", ["batches", str(more), "--chunks", str(MORE), *val, *prepare, "2"]),
        (
            refit / "mean.weights.h5",
            ["train", "default", "--run", str(refit), "--pool", str(pool), str(more), "--set", *REFIT],
        ),
        (shipped, ["export", str(refit), "--before", str(before), *export, str(shipped.parent)]),
    ]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("../runs"))
    parser.add_argument("--own", type=Path, required=True, help="the earlier default, as a teacher")
    options = parser.parse_args(arguments)
    for made, command in steps(options.runs, options.own):
        if not made.exists():
            subprocess.run([sys.executable, "-m", f"examples.training.{command[0]}", *command[1:]], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
