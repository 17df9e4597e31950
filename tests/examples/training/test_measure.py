from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.compare import table
from examples.training.data import load_rows, open_store
from examples.training.measure import by_luminance, by_source, det_curves, reliability, rounded, voted
from examples.training.probe import FEATURES, features
from examples.training.robustness import CONDITIONS, jitter, simulated, sweep
from examples.training.valset import MSU, ValidationSet

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


@pytest.fixture
def validation(tiny_data: Path, tmp_path: Path) -> ValidationSet:
    """The tiny pictures, as if they came from the source that models are chosen by."""
    rows = [dataclasses.replace(row, source=MSU) for row in load_rows(tiny_data, tiny_data) if row.label is not None]
    return ValidationSet(rows, open_store(tiny_data, [(row.file, row.size) for row in rows], tmp_path))


def test_errors_of_a_perfect_model(validation: ValidationSet) -> None:
    scores = np.where(validation.labels == 1, 0.9, 0.1)
    found = by_source(validation, scores)[MSU]
    assert (found["auc"], found["eer"], found["apcer"], found["bpcer"]) == (1, 0, 0, 0)
    assert found["intervals"]["auc"] == [1, 1]
    assert set(found["apcer_by_species"]) == {"print", "replay_phone"}


def test_the_worst_species_is_reported(validation: ValidationSet) -> None:
    scores = np.where((validation.labels == 1) | (validation.kinds == "print"), 0.9, 0.1)
    found = by_source(validation, scores)[MSU]
    assert found["apcer"] == 1
    assert found["apcer_by_species"]["replay_phone"] == 0


def test_a_vote_follows_a_recording(validation: ValidationSet) -> None:
    validation.sequences = validation.labels.copy()
    validation.frames = np.arange(len(validation))
    found = voted(validation, np.where(validation.labels == 1, 0.8, 0.3))
    assert (found["live"], found["attacks"], found["eer"]) == (5, 5, 0)


def test_tenths_of_brightness_hold_all_live_pictures(validation: ValidationSet) -> None:
    tenths = by_luminance(validation, np.full(len(validation), 0.2), validation.crops(1.5))
    assert sum(tenth["live"] for tenth in tenths) == (validation.labels == 1).sum()
    assert {tenth["bpcer"] for tenth in tenths} == {1.0}
    assert [tenth["luminance_to"] for tenth in tenths] == sorted(tenth["luminance_to"] for tenth in tenths)


def test_reliability_counts_each_bin() -> None:
    bins = reliability(np.array([1.0, 1.0, 0.0]), np.array([0.95, 0.91, 0.05]))
    assert [(one["live"], round(one["weight"], 3)) for one in bins] == [(0, 0.333), (1, 0.667)]


def test_conditions_reach_the_scores(validation: ValidationSet) -> None:
    """A model that scores brightness alone is moved by gamma, and by nothing that leaves brightness be."""
    light = validation.crops(1.5).mean(axis=(1, 2, 3))[validation.labels == 1].min() / 255
    found = sweep(
        validation, lambda crops: crops.mean(axis=(1, 2, 3)) / 255, crop_scale=1.5, threshold=float(0.8 * light)
    )
    assert set(found) == set(CONDITIONS)
    assert (found["as stored"]["bpcer"], found["gamma 2"]["bpcer"]) == (0, 1)
    assert found["JPEG 95"]["auc"] == pytest.approx(found["as stored"]["auc"], abs=0.02)


def test_cutting_a_picture_to_its_face_takes_the_surroundings_alone(validation: ValidationSet) -> None:
    image, box = validation.store[0], (60, 50, 110, 115)
    part, (x0, y0, x1, y1) = CONDITIONS["cut to 1.1x the face"](image, box)
    assert max(part.shape) <= 1.1 * 65 + 2
    assert np.array_equal(part[int(y0) : int(y1), int(x0) : int(x1)], image[50:115, 60:110])


def test_a_model_that_ignores_the_picture_never_flips(validation: ValidationSet) -> None:
    found = jitter(validation, lambda crops: np.full(len(crops), 0.7), crop_scale=1.5)
    assert (found["flipped"], found["mean_change"]) == (0, 0)


def test_the_table_names_every_model(validation: ValidationSet) -> None:
    scores = np.where(validation.labels == 1, 0.9, 0.1)
    validation.sequences, validation.frames = validation.labels.copy(), np.arange(len(validation))
    measured = {"one": {"sources": by_source(validation, scores), "vote": voted(validation, scores)}}
    text = table(measured)
    assert text.splitlines()[0] == "| source | live / attack | one |"
    assert "1.000 / 0.000 / 0.000 / 0.000" in text
    assert json.dumps(rounded(measured))


def test_det_curves_fall_and_rise(validation: ValidationSet) -> None:
    scores = np.random.default_rng(0).random(len(validation)) + 0.3 * validation.labels
    curve = det_curves(validation, scores)[MSU]
    assert curve["apcer"] == sorted(curve["apcer"], reverse=True)
    assert curve["bpcer"] == sorted(curve["bpcer"])
    assert (curve["bpcer"][0], curve["apcer"][0]) == (0, 1)


def test_simulated_attacks_are_counted_both_ways(portrait: Picture, face_box: Box) -> None:
    found = simulated(portrait, face_box, lambda crops: np.full(len(crops), 0.8), crop_scale=1.5, draws=3)
    assert (found["prints_passed"], found["screens_passed"], found["mirrors_rejected"]) == (1, 1, 0)


def test_the_probe_knows_size_light_and_file_and_no_face(validation: ValidationSet, tiny_data: Path) -> None:
    found = dict(zip(FEATURES, features(validation, tiny_data, 1.5).T))
    live = validation.labels == 1
    assert set(found["face side, px"]) == {60.0}
    assert set(found["picture side, px"]) == {256.0}
    assert found["mean"][live].min() - found["mean"][~live].max() == pytest.approx(35, abs=5)
    assert found["bytes per pixel"].max() < 1
