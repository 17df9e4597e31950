from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.data import load_rows, open_store
from examples.training.measure import (
    MSU,
    SCENES,
    Pictures,
    by_source,
    errors,
    figures,
    logits_of,
    table,
    voted,
)
from examples.training.record import rounded
from examples.training.robustness import CONDITIONS, scores_under

from facelive import LivenessModel


@pytest.fixture
def pictures(tiny_data: Path, tmp_path: Path) -> Pictures:
    """The tiny pictures, as if they came from the source that models are chosen by."""
    rows = [dataclasses.replace(row, source=MSU) for row in load_rows(tiny_data, tiny_data) if row.label is not None]
    return Pictures(rows, open_store(tiny_data, [(row.file, row.size) for row in rows], tmp_path))


def perfect(pictures: Pictures) -> npt.NDArray[np.float64]:
    return np.where(pictures.labels == 1, 0.9, 0.1)


def test_errors_of_a_perfect_model(pictures: Pictures) -> None:
    found = by_source(pictures, perfect(pictures))[MSU]
    assert (found["auc"], found["eer"], found["apcer"], found["bpcer"]) == (1, 0, 0, 0)
    assert found["intervals"]["auc"] == [1, 1]
    assert set(found["apcer_by_species"]) == {"print", "replay_phone"}


def test_the_worst_species_is_reported(pictures: Pictures) -> None:
    scores = np.where((pictures.labels == 1) | (pictures.kinds == "print"), 0.9, 0.1)
    found = by_source(pictures, scores)[MSU]
    assert found["apcer"] == 1
    assert found["apcer_by_species"]["replay_phone"] == 0


def test_what_the_pictures_cannot_give_is_missing(pictures: Pictures) -> None:
    found = errors(pictures, perfect(pictures), pictures.labels == 1)
    assert set(found) == {"live", "attacks", "bpcer"}


def test_the_scenes_count_alike(pictures: Pictures) -> None:
    count = len(pictures)
    twice = Pictures(pictures.rows * 2, pictures.store.subset([*range(count)] * 2))
    twice.sources = np.repeat(SCENES[:2], count)
    scores = np.concatenate([perfect(pictures), np.full(count, 0.5)])
    found = by_source(twice, scores)
    assert found["scenes"]["auc"] == np.mean([found[one]["auc"] for one in SCENES[:2]]) == 0.75
    assert "others" not in found


def test_a_vote_follows_a_recording(pictures: Pictures) -> None:
    pictures.sequences, pictures.frames = pictures.labels.copy(), np.arange(len(pictures))
    found = voted(pictures, np.where(pictures.labels == 1, 0.8, 0.3))
    assert (found["live"], found["attacks"], found["eer"]) == (5, 5, 0)


def test_the_table_names_every_model(pictures: Pictures) -> None:
    measured = {"one": {"sources": by_source(pictures, perfect(pictures)), "vote": {}}}
    text = table(measured)
    assert text.splitlines()[0] == "| source | one |"
    assert "| nebulaHZH | 1.000 / 0% / 0% |" in text
    assert json.dumps(rounded(measured))


def test_a_finished_model_is_measured_on_its_own_views(tiny_data: Path, tmp_path: Path) -> None:
    pictures = Pictures.load(tiny_data, None, tmp_path, sources=["one/lab", "two/room"])
    with LivenessModel.load("custom") as model:
        logits = logits_of(model, pictures)
        expected = model.score(model.crops(np.asarray(pictures.store[3]), pictures.rows[3].box)[None])
    assert 1 / (1 + np.exp(-logits[3])) == pytest.approx(expected[0], abs=1e-4)
    assert set(figures(pictures, logits)["sources"]) >= {"one/lab", "two/room"}


def test_conditions_change_pictures_and_leave_the_face_where_it_is(pictures: Pictures) -> None:
    image, box = pictures.store[0], pictures.rows[0].box
    for condition, change in CONDITIONS.items():
        changed, moved = change(image, box)
        inside = moved[0] > -10 and moved[1] > -10 and moved[2] < changed.shape[1] + 10
        assert inside and moved[3] < changed.shape[0] + 10, condition


def test_robustness_scores_every_picture_under_a_condition(pictures: Pictures) -> None:
    with LivenessModel.load("custom") as model:
        still = scores_under(model, pictures, CONDITIONS["as stored"])
        dark = scores_under(model, pictures, CONDITIONS["gamma 2"])
    assert still.shape == dark.shape == (len(pictures),)
    assert not np.allclose(still, dark, atol=1e-4)
