"""How much of the label can be guessed without looking at a face: size, sharpness, brightness, compression alone.

A model that does no better than this probe has learnt the sources' cameras. The probe is trained on ``train`` and
scored on ``val``, as the models are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from examples.training.valset import ValidationSet

__all__ = ["FEATURES", "features", "probe_scores"]

FEATURES = (
    "face side, px",
    "picture side, px",
    "context around the face",
    "bytes per pixel",
    "sharpness, log",
    "mean",
    "deviation",
    "saturation",
    "blockiness",
)


def features(validation: ValidationSet, data: Path, crop_scale: float) -> npt.NDArray[np.float64]:
    """float64, (N, len(FEATURES)); nothing in it knows what a face is."""
    crops = validation.crops(crop_scale)
    found = np.empty((len(validation), len(FEATURES)))
    for index, row in enumerate(validation.rows):
        width, height = row.size
        crop = crops[index].astype(np.float32)
        grey = crop.mean(axis=2)
        laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
        stored = validation.store[index].astype(np.float32).mean(axis=2)
        steps = np.abs(np.diff(stored, axis=1)).mean(axis=0)
        edges = np.arange(len(steps)) % 8 == 7
        found[index] = (
            max(row.box[2] - row.box[0], row.box[3] - row.box[1]),
            max(width, height),
            row.context,
            (data / row.file).stat().st_size / (width * height),
            np.log(laplacian.var() + 1),
            grey.mean(),
            grey.std(),
            (crop.max(axis=2) - crop.min(axis=2)).mean(),
            (steps[edges].mean() if edges.any() else 0.0) - steps[~edges].mean(),
        )
    return found


def probe_scores(train: ValidationSet, validation: ValidationSet, data: Path) -> npt.NDArray[np.float64]:
    """P(live) of every validation picture by boosted trees on `FEATURES`: float64, (N,)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    counts = dict.fromkeys(zip(train.sources.tolist(), train.labels.tolist()), 0)
    for key in zip(train.sources.tolist(), train.labels.tolist()):
        counts[key] += 1
    weights = np.array([1 / counts[key] for key in zip(train.sources.tolist(), train.labels.tolist())])
    trees = HistGradientBoostingClassifier(max_iter=150, random_state=0)
    trees.fit(features(train, data, 1.5), train.labels, sample_weight=weights)
    return np.asarray(trees.predict_proba(features(validation, data, 1.5))[:, 1], np.float64)
