from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from examples.training.calibration import (
    Calibration,
    balanced_weights,
    carried_over,
    cross_fitted,
    fit_calibration,
)
from examples.training.data import load_rows


def test_a_calibration_is_found_again() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, 20_000)
    labels = (rng.random(20_000) < Calibration(2.0, -0.7)(logits)).astype(float)
    found = fit_calibration(logits, labels, np.ones(20_000))
    assert found.temperature == pytest.approx(2.0, rel=0.06)
    assert found.offset == pytest.approx(-0.7, abs=0.08)


def test_frames_that_lie_lower_get_their_own_offset_back() -> None:
    rng = np.random.default_rng(1)
    gate = (rng.random(20_000) < 0.5).astype(float)
    logits = rng.normal(0, 4, 20_000)
    labels = (rng.random(20_000) < Calibration(2.0, -0.7, 1.5)(logits, gate)).astype(float)
    found = fit_calibration(logits, labels, np.ones(20_000), gate)
    assert found.surroundings == pytest.approx(1.5, abs=0.1)
    assert found.offset == pytest.approx(-0.7, abs=0.1)


def test_a_perfect_split_stays_finite() -> None:
    found = fit_calibration([-1.0, -2.0, 3.0, 2.0], [0, 0, 1, 1], np.ones(4))
    assert np.isfinite(found).all()
    assert found([-2.0])[0] < 0.5 < found([3.0])[0]


def test_one_class_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="live pictures and attacks"):
        fit_calibration([0.1, 0.2], [1, 1], np.ones(2))


def test_classes_weigh_the_same(tiny_data: Path) -> None:
    rows = [row for row in load_rows(tiny_data) if row.split == "train"]
    rows += [dataclasses.replace(rows[0], file=f"more{number}") for number in range(9)]
    weights = balanced_weights(rows)
    live = np.array([row.label == 1 for row in rows])
    assert weights[live].sum() == pytest.approx(weights[~live].sum())


def test_a_source_is_calibrated_by_the_others(tiny_data: Path) -> None:
    """A source whose scores are upside down cannot mend itself."""
    rows = load_rows(tiny_data)
    logits = np.array([2.0 if row.label else -2.0 for row in rows])
    last = np.array([row.source == "three/hall" for row in rows])
    logits[last] *= -1
    scores = cross_fitted(logits, rows)
    labels = np.array([row.label for row in rows])
    assert np.all((scores >= 0.5)[last] != (labels == 1)[last])


def test_a_carried_over_calibration_gives_a_rescaled_network_its_old_scores() -> None:
    before = np.random.default_rng(0).normal(-1, 3, 500)
    fitted = Calibration(1.7, 0.4)
    assert carried_over(fitted, before, 0.5 * before + 2)(0.5 * before + 2) == pytest.approx(fitted(before))
