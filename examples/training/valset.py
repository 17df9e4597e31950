"""Validation pictures as arrays: crops by the library's own code, labels, groups, and the open models' scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np
import numpy.typing as npt
from examples.training.data import PictureStore, Row, load_rows, open_store

from facelive.crops import face_crop

__all__ = ["MSU", "TEACHERS", "WEBCAMS", "ValidationSet"]

MSU = "nebulaHZH/Anti_Spoofing"
WEBCAMS = (
    "Foxriver-2005/Real-Time-Facial-AntiSpoof-Detection-using-openCV",
    "Rounakdeepsingh/Face_Anti_Spoofing_System",
    "sumanadhikari0625/Liveliness-Detection",
    "yashpatil1805/AntiSpoofing_FaceRecognition",
    "Ahmedooode/real-vs-fake-face-detection",
)
TEACHERS = ("MiniFASNet pair", "MiniFAS 128")


class ValidationSet:
    """Labelled pictures with everything that errors are grouped by.

    Args:
        rows: The pictures' rows.
        store: Their pixels, in the same order.
    """

    def __init__(self, rows: Sequence[Row], store: PictureStore) -> None:
        self.rows = list(rows)
        self.store = store
        self.labels = np.array([row.label for row in rows], np.float64)
        self.sources = np.array([row.source for row in rows])
        self.kinds = np.array([row.kind for row in rows])
        self.subjects = np.array([row.subject for row in rows])
        self.sequences = np.array([row.sequence for row in rows])
        self.frames = np.array([row.frame for row in rows])
        self._crops: dict[float, npt.NDArray[np.uint8]] = {}

    @classmethod
    def load(cls, data: Path, teachers: Optional[Path], cache: Path, split: str = "val") -> ValidationSet:
        """Every picture of a split."""
        rows = load_rows(data, teachers)
        store = open_store(data, [(row.file, row.size) for row in rows], cache)
        chosen = [index for index, row in enumerate(rows) if row.split == split]
        return cls([rows[index] for index in chosen], store.subset(chosen))

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, chosen: npt.NDArray[np.int64]) -> ValidationSet:
        """The pictures of these numbers."""
        return ValidationSet([self.rows[index] for index in chosen], self.store.subset([int(i) for i in chosen]))

    def crops(self, crop_scale: float) -> npt.NDArray[np.uint8]:
        """uint8, (N, 128, 128, 3), RGB, 0-255; made once per scale."""
        if crop_scale not in self._crops:
            made = [face_crop(self.store[i], row.box, scale=crop_scale) for i, row in enumerate(self.rows)]
            self._crops[crop_scale] = np.stack(made)
        return self._crops[crop_scale]

    def teacher_scores(self) -> dict[str, npt.NDArray[np.float64]]:
        """P(live) of each open model on the same pictures: float64, (N,)."""
        pairs = np.array([row.soft if row.soft is not None else (np.nan, np.nan) for row in self.rows], np.float64)
        return {name: pairs[:, index] for index, name in enumerate(TEACHERS)}
