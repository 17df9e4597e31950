"""Scores under conditions a camera may bring, and under boxes that a detector misses by a little.

``python -m examples.training.robustness`` prints the bundled files' under each condition, on the webcam scenes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.augment import cut_close, grain, jitter_box, motion_blur, recompress, rotated_crop
from examples.training.data import add_places
from examples.training.spoofs import contact_rows
from examples.training.valset import WEBCAMS, ValidationSet
from PIL import Image

from facelive.crops import face_crop
from facelive.metrics import bpcer, roc_auc
from facelive.models import LivenessModel

__all__ = ["CONDITIONS", "jitter", "main", "simulated", "sweep"]

Pixels = npt.NDArray[np.uint8]
Scorer = Callable[[Pixels], npt.NDArray[np.float64]]
Box = tuple[float, float, float, float]


def _resized(factor: float) -> Callable[[Pixels, Box], tuple[Pixels, Box]]:
    def change(image: Pixels, box: Box) -> tuple[Pixels, Box]:
        size = (max(8, round(image.shape[1] * factor)), max(8, round(image.shape[0] * factor)))
        across, down = size[0] / image.shape[1], size[1] / image.shape[0]
        small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        return small, (box[0] * across, box[1] * down, box[2] * across, box[3] * down)

    return change


def _cut(factor: float) -> Callable[[Pixels, Box], tuple[Pixels, Box]]:
    return lambda image, box: cut_close(image, box, factor)


def _pixelwise(change: Callable[[Pixels], Pixels]) -> Callable[[Pixels, Box], tuple[Pixels, Box]]:
    return lambda image, box: (change(image), box)


def _gamma(gamma: float) -> Callable[[Pixels, Box], tuple[Pixels, Box]]:
    table = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return _pixelwise(lambda image: table[image])


def _cast(*gains: float) -> Callable[[Pixels, Box], tuple[Pixels, Box]]:
    return _pixelwise(lambda image: np.clip(image * np.array(gains), 0, 255).astype(np.uint8))


def _noise(sigma: float) -> Callable[[Pixels, Box], tuple[Pixels, Box]]:
    def noisy(image: Pixels) -> Pixels:
        noise = grain(image.shape, np.random.default_rng(0))  # the same for every model
        return np.clip(image + sigma * noise, 0, 255).astype(np.uint8)

    return _pixelwise(noisy)


CONDITIONS: dict[str, Callable[[Pixels, Box], tuple[Pixels, Box]]] = {
    "as stored": lambda image, box: (image, box),
    "JPEG 30": _pixelwise(lambda image: recompress(image, 30)),
    "JPEG 50": _pixelwise(lambda image: recompress(image, 50)),
    "JPEG 75": _pixelwise(lambda image: recompress(image, 75)),
    "JPEG 95": _pixelwise(lambda image: recompress(image, 95)),
    "half size": _resized(0.5),
    "double size": _resized(2.0),
    "gamma 0.5": _gamma(0.5),
    "gamma 2": _gamma(2.0),
    "noise, sigma 8": _noise(8.0),
    "motion blur, 5 px": _pixelwise(lambda image: motion_blur(image, 5.0, 0.6)),
    "warm cast": _cast(1.15, 1.0, 0.85),
    "cold cast": _cast(0.85, 1.0, 1.15),
    "cut to 1.25x the face": _cut(1.25),
    "cut to 1.1x the face": _cut(1.1),
    "cut to the face": _cut(1.0),
}


def sweep(validation: ValidationSet, score: Scorer, *, crop_scale: float, threshold: float = 0.5) -> dict[str, Any]:
    """AUC and BPCER of the pictures under each condition, applied before the crop.

    Args:
        validation: Labelled pictures.
        score: uint8 crops (N, 128, 128, 3) to P(live), (N,).
        crop_scale: The model's.
        threshold: Where BPCER is taken.
    """
    found: dict[str, Any] = {}
    for name, change in CONDITIONS.items():
        crops = []
        for index, row in enumerate(validation.rows):
            image, box = change(validation.store[index], row.box)
            crops.append(face_crop(image, box, scale=crop_scale))
        scores = score(np.stack(crops))
        live, attack = scores[validation.labels == 1], scores[validation.labels == 0]
        found[name] = {
            "auc": roc_auc(live, attack),
            "bpcer": bpcer(live, threshold),
            "apcer": float(np.mean(attack >= threshold)),
        }
    return found


def simulated(
    image: Pixels, box: Box, score: Scorer, *, crop_scale: float, draws: int = 40, threshold: float = 0.5
) -> dict[str, float]:
    """Share of synthetic attacks on one portrait that pass as live, and of its mirrors that do not.

    Args:
        image: uint8, (H, W, 3), RGB: a portrait that may be shown.
        box: Its face in pixels.
        score: uint8 crops (N, 128, 128, 3) to P(live), (N,).
        crop_scale: The model's.
        draws: Of each kind.
        threshold: Where a picture passes.
    """
    prints, screens, mirrors = (
        score(np.stack([face_crop(made.image, made.box, scale=crop_scale) for made in row])) >= threshold
        for row in contact_rows(image, box, range(draws))
    )
    portrait = score(face_crop(image, box, scale=crop_scale)[None])
    return {
        "draws": draws,
        "portrait_score": float(portrait[0]),
        "prints_passed": float(prints.mean()),
        "screens_passed": float(screens.mean()),
        "mirrors_rejected": float(1 - mirrors.mean()),
    }


def jitter(
    validation: ValidationSet, score: Scorer, *, crop_scale: float, draws: int = 2, seed: int = 0
) -> dict[str, float]:
    """How often the decision changes when the box moves by up to 8 %, grows by 0.85 to 1.2 and rolls by up to 12 deg.

    Returns:
        ``flipped``: share of decisions that change; ``mean_change``: of the score.
    """
    rng = np.random.default_rng(seed)
    still = score(validation.crops(crop_scale))
    flipped, change = [], []
    for _ in range(draws):
        crops = []
        for index, row in enumerate(validation.rows):
            box = jitter_box(row.box, 0.08, rng)
            scale, angle = crop_scale * float(rng.uniform(0.85, 1.2)), float(rng.uniform(-12, 12))
            crops.append(rotated_crop(validation.store[index], box, scale=scale, angle_deg=angle, size=128))
        moved = score(np.stack(crops))
        flipped.append(float(np.mean((moved >= 0.5) != (still >= 0.5))))
        change.append(float(np.mean(np.abs(moved - still))))
    return {"flipped": float(np.mean(flipped)), "mean_change": float(np.mean(change)), "draws": draws}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="robustness", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("src/facelive/assets"), help="folder of files with cards")
    parser.add_argument("--every", type=int, default=2, help="every n-th picture")
    add_places(parser)
    options = parser.parse_args(arguments)
    validation = ValidationSet.load(options.data, None, options.cache)
    part = validation.subset(np.flatnonzero(np.isin(validation.sources, WEBCAMS))[:: options.every])
    found = {}
    for name in ("mobilenet_v2", "mobilenet", "custom"):
        model = LivenessModel.load(options.models / f"{name}.tflite")
        found[name] = sweep(part, model.score, crop_scale=model.card.crop_scale)
    print("| condition | " + " | ".join(f"{name}: AUC / BPCER / APCER" for name in found) + " |")
    for condition in CONDITIONS:
        cells = ("{auc:.3f} / {bpcer:.1%} / {apcer:.1%}".format(**figures[condition]) for figures in found.values())
        print(f"| {condition} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
