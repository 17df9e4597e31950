"""Composed training pictures: the box stays on the face, whatever is done to the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("cv2", reason="training needs OpenCV: pip install -r examples/training/requirements.txt")
from examples.training.face_detector import compose, data

SIDE = 128
BOX = np.array([[60, 40, 130, 130]], np.float32)
NONE = np.zeros((0, 4), np.float32)


def _picture() -> npt.NDArray[np.uint8]:
    """A blue picture whose "face" is yellow."""
    picture = np.full((200, 180, 3), (20, 30, 160), np.uint8)
    picture[40:130, 60:130] = (230, 220, 40)
    return picture


def _sample(boxes: npt.NDArray[np.float32]) -> Any:
    marks = boxes[:, None, :2] + np.array([[20, 30], [50, 30], [35, 50], [22, 70], [48, 70]], np.float32)
    return data.Sample(Path("none.jpg"), "test", "faces", False, boxes, marks.astype(np.float32), NONE)


def test_the_box_stays_on_the_face() -> None:
    scene = np.full((150, 150, 3), (20, 30, 160), np.uint8)
    composer = compose.Composer(0, [scene], SIDE)
    errors = []
    for _ in range(200):
        made, target = composer.compose(_picture(), _sample(BOX))
        cells = target[target[..., 0] > 0]
        if not len(cells):
            continue
        box = cells[0, 2:6]
        yellow = made[..., 0].astype(int) - made[..., 2] > 40
        size = box[2:] - box[:2]
        if yellow.sum() < 30 or (box < 2).any() or (box > 126).any() or size.min() < 16:
            continue  # cut off, or drowned in noise: nothing to compare with
        rows, columns = np.nonzero(yellow)
        middle = np.array([np.median(columns), np.median(rows)]) + 0.5
        errors.append(np.abs(middle - (box[:2] + box[2:]) / 2) / size)
    assert len(errors) > 30
    assert np.median(errors) < 0.02
    assert np.percentile(errors, 90) < 0.1


def test_landmarks_keep_their_sides_when_mirrored() -> None:
    composer = compose.Composer(1, [_picture()], SIDE)
    lefts, rights = [], []
    for _ in range(80):
        _, target = composer.compose(_picture(), _sample(BOX))
        cells = target[target[..., 0] > 0]
        if len(cells):
            lefts.append(cells[0, 6])
            rights.append(cells[0, 8])
    assert len(lefts) > 30
    assert (np.array(lefts) < np.array(rights)).all(), "the first eye is always the one on the picture's left"


def test_a_background_teaches_no_face_and_all_of_itself() -> None:
    composer = compose.Composer(2, [_picture()], SIDE)
    for _ in range(20):
        made, target = composer.compose(_picture(), _sample(NONE))
        assert made.shape == (SIDE, SIDE, 3)
        assert made.dtype == np.uint8
        assert not target[..., 0].any()
        assert (target[..., 1] == 1).all()


def test_the_same_seed_makes_the_same_pictures() -> None:
    one, two = (compose.Composer(3, [_picture()], SIDE).compose(_picture(), _sample(BOX)) for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
