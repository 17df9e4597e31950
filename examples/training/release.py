"""Every step behind the shipped default: ``python -m examples.training.release``; what is there is not made again.

About three hours on two cores. Draws, order and weights follow the seeds, but a run that ends by the clock sees more or
fewer pictures: expect a second run's AUC within 0.01 of the first on a source with many people.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

__all__ = ["HELD_OUT", "main", "steps"]

NAME = "mobilenet_v2"
# Not learnt from even by the file that ships, so that it can be measured: a source of scenes and one of tight crops.
HELD_OUT = ("Rounakdeepsingh/", "tamletan/")


def steps(runs: Path, teacher: Path) -> list[tuple[Path, list[str]]]:
    """What each step makes, and its command.

    Args:
        runs: Scratch folder.
        teacher: The earlier model of ours that teaches too.
    """
    pool, more = runs / "pool", runs / "pool-all"
    before, shipped = runs / "default", runs / "refit"
    every = ["--splits", "train", "faces", "val", "--left-out", *HELD_OUT]
    own = ["--own", str(teacher)]
    goes_on = [f'start="{before.name}"', "samples=40000", "learning_rate=0.0003", "average=0.998", "seed=2"]
    return [
        (pool / "00109.npy", ["batches", str(pool), "--chunks", "110", *own]),
        (before / "mean.weights.h5", ["train", "default", "--run", str(before), "--pool", str(pool)]),
        (runs / "before" / f"{NAME}.tflite", ["export", str(before), "--name", NAME, "--out", str(runs / "before")]),
        (
            runs / "before.json",
            ["measure", str(runs / "before" / f"{NAME}.tflite"), "--json", str(runs / "before.json")],
        ),
        (more / "00024.npy", ["batches", str(more), "--chunks", "25", "--seed", "2", *every, *own]),
        (
            shipped / "mean.weights.h5",
            ["train", "default", "--run", str(shipped), "--pool", str(more), "--set", *goes_on],
        ),
        (runs / "shipped" / f"{NAME}.tflite", ["export", str(shipped), "--name", NAME, "--out", str(runs / "shipped")]),
    ]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("../runs"))
    parser.add_argument("--teacher", type=Path, required=True, help="an earlier one-view .tflite, with its card")
    options = parser.parse_args(arguments)
    for made, command in steps(options.runs, options.teacher):
        if not made.exists():
            subprocess.run([sys.executable, "-m", f"examples.training.{command[0]}", *command[1:]], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
