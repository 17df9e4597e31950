"""What a finished file knows comes back: the same answers, and statistics that training can go on from."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r examples/training/requirements.txt")
from examples.training.face_detector import network

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, not ours

SHIPPED = Path(__file__).parents[4] / "src" / "facelive" / "assets" / "face_detector.tflite"


def test_the_bundled_face_detector_goes_back_into_keras() -> None:
    from examples.training.face_detector.unfold import unfold

    from facelive.tflite import TFLiteModel

    content = SHIPPED.read_bytes()
    model = network.face_network()
    pictures = np.random.default_rng(0).uniform(-1, 1, (4, 20, 20, 3)).repeat(8, 1).repeat(8, 2).astype(np.float32)
    given = unfold(model, content, pictures)
    convolutions = [layer.name for layer in model.layers if "Conv2D" in type(layer).__name__]
    assert given == convolutions
    expected = TFLiteModel(content).run(pictures[:1])[0]
    np.testing.assert_allclose(model.predict(pictures[:1], verbose=0), expected, atol=2e-3)
    learning, judging = (np.asarray(model(pictures, training=mode)) for mode in (True, False))
    assert np.abs(learning - judging).mean() < 0.05 * np.abs(judging).mean(), "statistics are those of real pictures"
