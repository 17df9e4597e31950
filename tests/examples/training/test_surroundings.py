from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


def test_a_picture_shows_as_much_as_lies_around_its_face() -> None:
    pytest.importorskip("torch", reason="the training needs PyTorch")
    from examples.training.surroundings import shown

    image = np.zeros((400, 400, 3), np.uint8)
    assert shown(image, (150, 150, 250, 250)) == pytest.approx(np.log2(3))  # no more than the wide view takes
    assert shown(image, (0, 0, 400, 400)) == pytest.approx(0)
    assert shown(image[:200], (150, 50, 250, 150)) == pytest.approx(1)


def test_the_gate_is_shut_for_tight_pictures_and_survives_a_file(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the training needs PyTorch")
    from examples.training.surroundings import Surroundings

    reading = Surroundings(np.array([1.0, 0.0], np.float32), 0.0)
    features = np.array([[0.0, 5.0], [0.5, 5.0], [1.5, 5.0]], np.float32)
    found = reading(features)
    assert found[0] < 0.05
    assert found[1] == pytest.approx(0.5)
    assert found[2] > 0.95
    reading.save(tmp_path / "reading.npz")
    assert Surroundings.load(tmp_path / "reading.npz")(features).tolist() == found.tolist()
