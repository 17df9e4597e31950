from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from examples.training.data import FACES, backdrop_files, load_rows, open_store
from PIL import Image


def test_rows_carry_labels_and_soft_scores(tiny_data: Path) -> None:
    rows = load_rows(tiny_data, tiny_data)
    assert [row.label for row in rows[:6]] == [1, 1, 1, 0, 0, 0]
    assert rows[0].soft == (0.9, 0.7)
    assert rows[0].context == pytest.approx(256 / 60)
    assert all(row.trainable for row in rows)
    photograph = rows[18]
    assert (photograph.split, photograph.label, photograph.soft) == (FACES, None, (0.8, 0.6))


def test_every_large_face_of_a_photograph_is_a_row_the_scored_one_once(tiny_data: Path) -> None:
    faces = [row for row in load_rows(tiny_data, tiny_data) if row.split == FACES]
    assert [row.box for row in faces] == [(89.0, 35.0, 135.0, 95.0), (180, 60, 220, 110)]
    assert faces[1].soft is None


def test_without_teachers_only_labelled_pictures_are_left(tiny_data: Path) -> None:
    rows = load_rows(tiny_data)
    assert len(rows) == 18
    assert {row.soft for row in rows} == {None}


def test_the_store_gives_every_picture_back(tiny_data: Path, tmp_path: Path) -> None:
    rows = load_rows(tiny_data)
    store = open_store(tiny_data, [(row.file, row.size) for row in rows], tmp_path)
    for index in (0, 7, 17):
        assert np.array_equal(store[index], np.asarray(Image.open(tiny_data / rows[index].file)))
    part = pickle.loads(pickle.dumps(store.subset([7, 3])))
    assert len(part) == 2
    assert np.array_equal(part[0], store[7])


def test_a_picture_unlike_its_manifest_is_named(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one0.jpg"):
        open_store(tiny_data, [("images/one0.jpg", (10, 10))], tmp_path)


def test_backdrops_are_listed(tiny_data: Path) -> None:
    assert backdrop_files(tiny_data) == [("backgrounds/lawn.jpg", (64, 48))]
