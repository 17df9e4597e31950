"""The network learns: its loss rewards the right answer and its gradient can be followed."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.face_detector.targets import ANCHOR_PX, CHANNELS, STRIDE, middles, targets

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r examples/training/requirements.txt")

import tensorflow as tf
from examples.training.face_detector import network

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, not ours

SIDE = 96
GRID = SIDE // STRIDE
NONE = np.zeros((0, 4), np.float32)
FACE = np.array([[30, 20, 90, 100, 45, 50, 75, 50, 60, 66, 48, 82, 72, 82]], np.float32)


def _answer(target: npt.NDArray[np.float32], certain: float) -> npt.NDArray[np.float32]:
    out = np.zeros((1, GRID, GRID, CHANNELS), np.float32)
    out[0, ..., 0] = np.where(target[..., 0] > 0, certain, -certain)
    size = np.maximum(target[..., 4:6] - target[..., 2:4], 1)
    out[0, ..., 1:3] = ((target[..., 2:4] + target[..., 4:6]) / 2 - middles(GRID)) / size
    out[0, ..., 3:5] = np.log(size / ANCHOR_PX)
    marks = target[..., 6:16].reshape(GRID, GRID, 5, 2)
    out[0, ..., 5:] = ((marks - middles(GRID)[:, :, None]) / size[:, :, None]).reshape(GRID, GRID, 10)
    return out


def test_the_right_answer_costs_nearly_nothing_and_any_change_costs_more() -> None:
    target = targets(FACE, NONE, (0, 0, SIDE, SIDE), SIDE)
    right = _answer(target, 9.0)
    best = float(network.face_loss(right, target[None]))
    assert best < 0.01
    for channel in range(CHANNELS):
        wrong = right.copy()
        wrong[..., channel] += -14 if channel == 0 else 0.2
        assert float(network.face_loss(wrong, target[None])) > best + 0.01, f"channel {channel} does not matter"


def test_a_batch_without_faces_has_a_finite_loss() -> None:
    target = targets(np.zeros((0, 14), np.float32), NONE, (0, 0, SIDE, SIDE), SIDE)
    assert np.isfinite(float(network.face_loss(np.full((1, GRID, GRID, CHANNELS), 30, np.float32), target[None])))


def test_a_few_steps_on_one_picture_lower_the_loss() -> None:
    model = network.face_network(side=SIDE)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, SIDE, SIDE, 3)).astype(np.float32)
    assert model(pictures).shape == (2, GRID, GRID, CHANNELS)
    target = np.stack([targets(FACE, NONE, (0, 0, SIDE, SIDE), SIDE)] * 2)
    optimizer = tf.keras.optimizers.Adam(3e-3)
    losses = []
    for _ in range(6):
        with tf.GradientTape() as tape:
            loss = network.face_loss(model(pictures, training=True), target)
        gradient = tape.gradient(loss, model.trainable_variables)
        assert all(part is not None and np.isfinite(part.numpy()).all() for part in gradient)
        optimizer.apply_gradients(zip(gradient, model.trainable_variables))
        losses.append(float(loss))
    assert losses[-1] < losses[0]
