"""What each further source teaches, and how the recipe does on those left out: ``python -m examples.training.sources``.

Two questions that the validation pictures alone leave open. Would more sources help? Networks are trained on nested
parts of the sources and measured on the same val pictures. And is the recipe good on val by luck? Of the sources with
several people, species or cameras each third is left out once, and measured beside the open models. Every network has
the same number of steps and starts from ImageNet's weights; of each third two more go on from it, for the mean of all.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.data import add_places, load_rows
from examples.training.export import keras_logits
from examples.training.networks import fold_taught
from examples.training.recipe import Recipe
from examples.training.release import EARLY, FEATURES, SHORT
from examples.training.runs import WEIGHTS, load_run
from examples.training.soup import averaged
from examples.training.valset import MSU, WEBCAMS, ValidationSet

from facelive.metrics import eer, roc_auc

__all__ = ["FOLDS", "main", "nested", "without"]

COUNTS = (5, 11, 22, 44)
FOLDS = (
    ("sejong-sas/face-anti-spoofing", "piiyushJoshi/Liveliness-Detector-for-Face-Recognition-System"),
    ("dtruong46me/face-anti-spoofing", "raulsilva-tech/RS-FACE"),
    ("gc535/LivenessDectectionForFaceSpoofingAttack", "imironica/liveness", "ReynaraEzra/Liveness-Detection"),
)
RECIPE = Recipe().changed({**FEATURES, **EARLY, **SHORT, "middle": False, "taught_share": 0.5})
RECIPE = RECIPE.changed({"samples": 14_400, "echo": 2, "learning_rate": 7e-4})
FURTHER = [RECIPE.changed({"learning_rate": 6e-4, "average": 0.996, "seed": seed}) for seed in (2, 3)]


def nested(sources: Sequence[str], counts: Sequence[int], seed: int = 0) -> list[list[str]]:
    """The first ``count`` of the shuffled sources, for each count: a smaller part lies within every larger one."""
    shuffled = sorted(sources)
    random.Random(seed).shuffle(shuffled)
    return [shuffled[:count] for count in counts]


def without(recipe: Recipe, left_out: Iterable[str]) -> Recipe:
    """The recipe on all sources but some."""
    return recipe.changed({"left_out": sorted(left_out)})


def _trained(recipe: Recipe, run: Path, places: argparse.Namespace, start: Optional[Path] = None) -> Any:
    from examples.training.train import train

    if not (run / WEIGHTS).exists():
        print(f"== {run.name}: {len(recipe.left_out)} sources left out", flush=True)
        train(recipe, run, data=places.data, teachers=places.teachers, cache=places.cache, start=start)
    return load_run(run)


def _mean(first: Path, fold: Sequence[str], places: argparse.Namespace) -> Any:
    """The mean of a finished run and of those that go on from it."""
    further = [first.with_name(f"{first.name}-{recipe.seed}") for recipe in FURTHER]
    for run, recipe in zip(further, FURTHER):
        _trained(without(recipe, fold), run, places, start=first)
    network = averaged([first, *further])
    fold_taught(network, RECIPE.taught_share)
    return network


def _figures(validation: ValidationSet, scores: npt.ArrayLike, source: str) -> dict[str, float]:
    known = np.asarray(scores, np.float64)
    mine = (validation.sources == source) & ~np.isnan(known)
    live, attack = (known[mine & (validation.labels == label)] for label in (1, 0))
    return {"auc": roc_auc(live, attack), "eer": eer(live, attack).rate}


def _curve(recipe: Recipe, sources: Sequence[str], places: argparse.Namespace) -> None:
    """Print AUC and EER on val of networks trained on nested parts of the sources."""
    validation = ValidationSet.load(places.data, places.teachers, places.cache)
    for part in nested(sources, COUNTS):
        network = _trained(without(recipe, set(sources) - set(part)), places.runs / f"sources{len(part)}", places)
        logits = keras_logits(network, validation.crops(recipe.augment.crop_scale))
        webcams = float(np.mean([_figures(validation, logits, source)["auc"] for source in WEBCAMS]))
        msu = _figures(validation, logits, MSU)
        print(json.dumps({"sources": len(part), **msu, "webcams": webcams}), flush=True)


def _left_out(recipe: Recipe, places: argparse.Namespace) -> None:
    """Print AUC and EER of each source that its network never saw, and those of the open models."""
    training = ValidationSet.load(places.data, places.teachers, places.cache, split="train")
    for number, fold in enumerate(FOLDS):
        run = places.runs / f"fold{number}"
        networks = {"one run": _trained(without(recipe, fold), run, places), "mean of three": _mean(run, fold, places)}
        unseen = training.subset(np.flatnonzero(np.isin(training.sources, fold)))
        crops = unseen.crops(recipe.augment.crop_scale)
        scores: dict[str, npt.ArrayLike] = {name: keras_logits(network, crops) for name, network in networks.items()}
        scores.update(unseen.teacher_scores())
        for source in fold:
            found = {name: _figures(unseen, given, source) for name, given in scores.items()}
            print(json.dumps({"source": source, **found}), flush=True)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="sources", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("../runs"), help="scratch folder, outside the repository")
    add_places(parser)
    options = parser.parse_args(arguments)
    rows = load_rows(options.data, options.teachers)
    sources = sorted({row.source for row in rows if row.split == "train" and row.trainable})
    _curve(RECIPE, sources, options)
    _left_out(RECIPE, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
