"""The tiny pictures, and one without a face, through the whole detector and a bundled model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from examples.training.calibration import cross_fitted
from examples.training.data import Row, load_rows, open_store
from examples.training.end_to_end import judged
from examples.training.measure import by_source
from examples.training.valset import MSU, ValidationSet
from PIL import Image

import facelive

MODEL = Path(facelive.__file__).parent / "assets" / "custom.tflite"


@pytest.fixture
def rows(tiny_data: Path) -> list[Row]:
    """Two sources, of which one is the source that models are chosen by, with a recording of each class."""
    labelled = [row for row in load_rows(tiny_data, tiny_data) if row.label is not None]
    return [
        row
        if row.source == "three/hall"
        else dataclasses.replace(row, source=MSU, sequence=f"recording {row.label}", frame=number)
        for number, row in enumerate(labelled)
    ]


def test_pictures_without_a_usable_face_are_counted_apart(rows: list[Row], tiny_data: Path, tmp_path: Path) -> None:
    Image.new("RGB", rows[0].size, (90, 120, 60)).save(tiny_data / "images" / "lawn.png")
    rows.append(dataclasses.replace(rows[3], file="images/lawn.png"))
    validation = ValidationSet(rows, open_store(tiny_data, [(row.file, row.size) for row in rows], tmp_path))
    found = judged(MODEL, validation)
    assert rows[-1].label == 0
    assert found["rejected"] == {MSU: [0, 1], "three/hall": [0, 0]}
    assert (found["sources"][MSU]["live"], found["sources"][MSU]["attacks"]) == (6, 6)


def test_scores_are_those_of_the_detector(rows: list[Row], tiny_data: Path, tmp_path: Path) -> None:
    validation = ValidationSet(rows, open_store(tiny_data, [(row.file, row.size) for row in rows], tmp_path))
    detector = facelive.LivenessDetector(MODEL)
    scores = np.array([detector.predict(validation.store[index]).score for index in range(len(validation))])
    logits = np.log(scores / (1 - scores))
    assert judged(MODEL, validation)["sources"] == by_source(validation, cross_fitted(logits, rows))
