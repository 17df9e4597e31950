"""Scores under conditions a camera may bring, and with boxes that miss by a little.

``python -m examples.training.robustness FILE.tflite ...`` prints a row per condition, on the scenes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Optional

import numpy as np
import numpy.typing as npt
from examples.training.camera import Box, Pixels, cut, grain, jittered, motion_blur, recompress
from examples.training.data import add_places
from examples.training.measure import SCENES, THRESHOLD, Pictures
from examples.training.record import record
from PIL import Image

from facelive import LivenessModel
from facelive.metrics import roc_auc

__all__ = ["CONDITIONS", "scores_under"]

Change = Callable[[Pixels, Box], tuple[Pixels, Box]]


def _pixelwise(change: Callable[[Pixels], Pixels]) -> Change:
    return lambda image, box: (change(image), box)


def _resized(factor: float) -> Change:
    def change(image: Pixels, box: Box) -> tuple[Pixels, Box]:
        size = (max(8, round(image.shape[1] * factor)), max(8, round(image.shape[0] * factor)))
        across, down = size[0] / image.shape[1], size[1] / image.shape[0]
        small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        return small, (box[0] * across, box[1] * down, box[2] * across, box[3] * down)

    return change


def _gamma(gamma: float) -> Change:
    table = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return _pixelwise(lambda image: table[image])


def _cast(*gains: float) -> Change:
    return _pixelwise(lambda image: np.clip(image * np.array(gains), 0, 255).astype(np.uint8))


def _noise(sigma: float) -> Change:
    def noisy(image: Pixels) -> Pixels:
        noise = grain(image.shape, np.random.default_rng(0))  # the same for every model
        return np.clip(image + sigma * noise, 0, 255).astype(np.uint8)

    return _pixelwise(noisy)


def _missed(seed: int) -> Change:
    rng = np.random.default_rng(seed)
    return lambda image, box: (image, jittered(box, rng, shift=0.08, zoom=(0.85, 1.2)))


CONDITIONS: dict[str, Change] = {
    "as stored": lambda image, box: (image, box),
    "box off by 8 %": _missed(0),
    "JPEG 30": _pixelwise(lambda image: recompress(image, 30)),
    "JPEG 75": _pixelwise(lambda image: recompress(image, 75)),
    "half size": _resized(0.5),
    "gamma 0.5": _gamma(0.5),
    "gamma 2": _gamma(2.0),
    "noise, sigma 8": _noise(8.0),
    "motion blur, 5 px": _pixelwise(lambda image: motion_blur(image, 5.0, 0.6)),
    "warm cast": _cast(1.15, 1.0, 0.85),
    "cold cast": _cast(0.85, 1.0, 1.15),
    "cut to 1.5x the face": lambda image, box: cut(image, box, (0.25,) * 4),
    "cut to the face": lambda image, box: cut(image, box, (0.0,) * 4),
}


def scores_under(model: LivenessModel, pictures: Pictures, change: Change) -> npt.NDArray[np.float64]:
    """P(live) of every face after a change of its picture: float64, (N,)."""
    scores = []
    for index, row in enumerate(pictures.rows):
        image, box = change(pictures.store[index], row.box)
        scores.append(model.score(model.crops(np.ascontiguousarray(image), box)[None]))
    return np.concatenate(scores)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="robustness", description=__doc__)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=2, help="every n-th picture")
    parser.add_argument("--record", type=Path, help="folder for a JSON file of figures per model")
    add_places(parser)
    options = parser.parse_args(arguments)
    pictures = Pictures.load(options.data, None, options.cache, sources=SCENES).every(options.every)
    heads = (f"{path.stem}: AUC / APCER / BPCER / flipped" for path in options.models)
    print("| condition | " + " | ".join(heads) + " |")
    live = pictures.labels == 1
    measured: dict[str, dict[str, dict[str, float]]] = {path.stem: {} for path in options.models}
    still: dict[Path, npt.NDArray[np.float64]] = {}
    for condition, change in CONDITIONS.items():
        cells = []
        for path in options.models:
            with LivenessModel.load(path) as model:
                scores = scores_under(model, pictures, change)
            before = still.setdefault(path, scores)
            found = {
                "auc": roc_auc(scores[live], scores[~live]),
                "apcer": float(np.mean(scores[~live] >= THRESHOLD)),
                "bpcer": float(np.mean(scores[live] < THRESHOLD)),
                "flipped": float(np.mean((scores >= THRESHOLD) != (before >= THRESHOLD))),
            }
            measured[path.stem][condition] = found
            cells.append("{auc:.3f} / {apcer:.1%} / {bpcer:.1%} / {flipped:.1%}".format(**found))
        print(f"| {condition} | " + " | ".join(cells) + " |", flush=True)
    for name, one in measured.items():
        if options.record:
            record(options.record, name, {"robustness": one})
    return 0


if __name__ == "__main__":
    sys.exit(main())
