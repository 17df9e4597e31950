"""The teacher's landmarks: one look is no truth, the mean of several is a steadier one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("cv2", reason="training needs OpenCV: pip install -r examples/training/requirements.txt")
from examples.training.face_detector import data

WEIGHTS = Path(__file__).parents[5] / "shared" / "teachers" / "yunet.onnx"
pytestmark = pytest.mark.skipif(not WEIGHTS.exists(), reason="YuNet's weights are not in ../shared/teachers")
BOX = np.array([178, 70, 270, 190], np.float32)
SWAP = [1, 0, 2, 4, 3]


def test_steady_landmarks_of_a_mirrored_picture_are_mirrored(portrait: npt.NDArray[np.uint8]) -> None:
    net = data.YuNet(WEIGHTS)
    plain = data.steady_landmarks(net, portrait, BOX)
    width = portrait.shape[1]
    box = np.array([width - BOX[2], BOX[1], width - BOX[0], BOX[3]], np.float32)
    mirrored = data.steady_landmarks(net, np.ascontiguousarray(portrait[:, ::-1]), box)
    assert plain is not None and mirrored is not None
    eyes = np.linalg.norm(plain[0] - plain[1])
    assert np.abs(mirrored[SWAP] * (-1, 1) + (width, 0) - plain).max() < 0.03 * eyes
    assert BOX[0] < plain[0, 0] < plain[2, 0] < plain[1, 0] < BOX[2], "left eye, nose, right eye"
    assert plain[:2, 1].max() < plain[2, 1] < plain[3:, 1].min(), "eyes over nose over mouth"


def test_no_landmarks_where_there_is_no_face(portrait: npt.NDArray[np.uint8]) -> None:
    assert data.steady_landmarks(data.YuNet(WEIGHTS), np.full_like(portrait, 90), BOX) is None
