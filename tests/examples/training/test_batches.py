"""Prepared examples: both views by the library's own crops, and nothing in them that says the label by accident."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
from examples.training.batches import CUTS, EXAMPLE, VIEWS, Maker, drawn, prepare, views
from examples.training.camera import Camera, margins
from examples.training.data import FACES, Row, load_rows, open_store
from examples.training.sampling import Sampler

from facelive.crops import face_crop, scene_crop

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
SPLITS = ("train", "val", FACES)


def maker(data: Path, cache: Path, *, synthetic: float = 0.0, batch: int = 8) -> Maker:
    rows = load_rows(data, data)
    store = open_store(data, [(row.file, row.size) for row in rows], cache)
    return Maker(rows, store, None, None, Path(), Sampler(rows, batch=batch, seed=4), synthetic=synthetic)


def test_both_views_are_the_librarys_crops(portrait: Picture, face_box: Box) -> None:
    seen = views(portrait, face_box)
    assert np.array_equal(seen["near"], face_crop(portrait, face_box, scale=VIEWS["near"], size=128))
    assert np.array_equal(seen["wide"], scene_crop(portrait, face_box, scale=VIEWS["wide"], size=128))


def test_a_chunk_is_a_function_of_its_number(tiny_data: Path, tmp_path: Path) -> None:
    make = maker(tiny_data, tmp_path)
    first, again, other = make(3), make(3), make(4)
    assert first.dtype == EXAMPLE
    assert len(first) == CUTS * 8
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_without_teachers_nobody_answers_and_labels_stay(tiny_data: Path, tmp_path: Path) -> None:
    make = maker(tiny_data, tmp_path)
    made = make(0)
    assert np.isnan(made["answers"]).all()
    assert np.isnan(made["features"]).all()
    for example in made:
        label = make.rows[example["row"]].label
        assert np.isnan(example["label"]) if label is None else example["label"] == label


def test_simulated_attacks_are_attacks_and_their_mirrors_keep_the_label(tiny_data: Path, tmp_path: Path) -> None:
    make = maker(tiny_data, tmp_path, synthetic=0.5)  # half of what is no attack becomes one, the other half a mirror
    made = np.concatenate([make(number) for number in range(3)])
    was_live = np.array([make.rows[row].label == 1.0 for row in made["row"]])
    was_attack = np.array([make.rows[row].label == 0.0 for row in made["row"]])
    assert (made["label"][was_attack] == 0).all()
    assert {0.0, 1.0} == set(made["label"][was_live].tolist())


def test_no_more_surroundings_are_shown_than_the_other_class_has(tiny_data: Path, tmp_path: Path) -> None:
    """Live pictures of whole rooms and attacks cut close would tell the classes apart by the margin alone."""
    make = maker(tiny_data, tmp_path)
    live = next(index for index, row in enumerate(make.rows) if row.label == 1.0)
    image, row = make.store[live], make.rows[live]
    others = [i for i, one in enumerate(make.rows) if one.source == row.source and one.label == 0.0]
    most = np.max([margins(make.store[i], make.rows[i].box) for i in others], 0)
    wide = np.pad(image, ((200, 200), (200, 200), (0, 0)))
    x0, y0, x1, y1 = row.box
    moved = (x0 + 200, y0 + 200, x1 + 200, y1 + 200)
    for seed in range(5):
        part, face = make._as_the_other_class(wide, moved, row, np.random.default_rng(seed))
        assert (np.array(margins(part, face)) <= most + 1 / (y1 - y0)).all()


def test_a_source_of_one_class_keeps_its_surroundings(tiny_data: Path, tmp_path: Path) -> None:
    make = maker(tiny_data, tmp_path)
    live = [index for index, row in enumerate(make.rows) if row.label == 1.0]
    alone = dataclasses.replace(make, rows=[make.rows[index] for index in live], store=make.store.subset(live))
    image, row = alone.store[0], alone.rows[0]
    part, face = alone._as_the_other_class(image, row.box, row, np.random.default_rng(0))
    assert part is image
    assert face == row.box


def test_some_pictures_are_cut_close(tiny_data: Path, tmp_path: Path) -> None:
    """The same draw with and without: only what lies around the face differs."""
    make = maker(tiny_data, tmp_path)
    make.camera = Camera(close=1.0, shift=0.0, zoom=(1.0, 1.0))
    for example in make(1):
        assert not np.array_equal(example["near"], example["wide"])


def test_rows_to_learn_from_are_chosen_by_split_and_source(tiny_data: Path) -> None:
    rows: list[Row] = load_rows(tiny_data, tiny_data)
    assert {rows[index].split for index in drawn(rows)} == {"train", FACES}
    assert {rows[index].source for index in drawn(rows, splits=SPLITS, left_out=["two", "web"])} == {
        "one/lab",
        "three/hall",
    }


def test_a_command_given_again_makes_what_is_missing(tiny_data: Path, tmp_path: Path) -> None:
    make, pool = maker(tiny_data, tmp_path, batch=4), tmp_path / "pool"
    assert list(prepare(make, pool, range(2), workers=1)) == [0, 1]
    kept = (pool / "00001.npy").stat().st_mtime_ns
    (pool / "00000.npy").unlink()
    assert list(prepare(make, pool, range(2), workers=1)) == [0, 1]
    assert (pool / "00001.npy").stat().st_mtime_ns == kept
    assert np.load(pool / "00000.npy").tobytes() == make(0).tobytes()
