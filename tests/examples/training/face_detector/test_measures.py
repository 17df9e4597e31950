"""What is measured about a face detector, on detectors whose figures are known beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from facelive import FaceBox
from facelive.face_network import BundledFaceDetector

pytest.importorskip("cv2", reason="measuring needs OpenCV: pip install -r examples/training/requirements.txt")

from examples.training.face_detector.data import Sample
from examples.training.face_detector.measures import (
    FACE_PARTS,
    by_size,
    false_boxes,
    hits,
    landmark_errors,
    luminance,
    stability,
    turned,
)
from PIL import Image

PORTRAIT = Path(__file__).parents[4] / "examples" / "portrait.jpg"
NONE = np.zeros((0, 4), np.float32)
FOUND = BundledFaceDetector().detect(np.asarray(Image.open(PORTRAIT)))[0]


def sample(path: Path, *, landmarks_off: float = 0.0) -> Sample:
    marks = np.array([FOUND.landmarks], np.float32) + np.float32(landmarks_off)
    return Sample(path, "portrait", "faces", True, np.array([FOUND.edges], np.float32), marks, NONE)


class Always:
    """Says the same of every picture."""

    def __init__(self, *faces: FaceBox) -> None:
        self._faces = faces

    def detect(self, image: npt.NDArray[np.uint8]) -> tuple[FaceBox, ...]:
        return self._faces


def test_a_face_counts_as_found_where_it_is() -> None:
    portrait = sample(PORTRAIT)
    elsewhere = FaceBox(FOUND.x0 + 200, FOUND.y0, FOUND.x1 + 200, FOUND.y1, score=0.7)
    assert hits(Always(FOUND), [portrait]) == [True]
    assert hits(Always(elsewhere), [portrait]) == hits(Always(), [portrait]) == [False]
    assert false_boxes(Always(elsewhere), [portrait]) == [0.7]
    assert false_boxes(Always(), [portrait]) == [0.0]


def test_landmarks_are_measured_in_eye_distances() -> None:
    assert FOUND.landmarks is not None
    left, right = FOUND.landmarks[:2]
    eyes = np.hypot(right[0] - left[0], right[1] - left[1])
    found = landmark_errors(Always(FOUND), [sample(PORTRAIT), sample(PORTRAIT, landmarks_off=3.0)])
    assert found == pytest.approx([0.0, 3 * 2**0.5 / eyes], abs=1e-4)


def test_a_box_that_ignores_the_picture_moves_as_far_as_the_picture_does() -> None:
    still, steady = (stability(detector, [sample(PORTRAIT)]) for detector in (Always(FOUND), BundledFaceDetector()))
    (shift,) = still["shifted by 1 to 6 px"]
    assert shift * FOUND.side_px == pytest.approx(round(shift * FOUND.side_px), abs=1e-3)
    assert 1 <= shift * FOUND.side_px <= 6
    assert still["re-encoded"] == [0.0]
    assert all(0 < moves[0] < 0.15 for moves in steady.values())


def test_the_bundled_detector_finds_the_portrait_turned_and_at_every_common_size(tmp_path: Path) -> None:
    lawn = tmp_path / "lawn.png"
    Image.new("RGB", (640, 480), (90, 120, 60)).save(lawn)
    scene = Sample(lawn, "lawn", "backgrounds", True, NONE, np.zeros((0, 5, 2), np.float32), NONE)
    recall = by_size(BundledFaceDetector(), [sample(PORTRAIT)], [scene])
    assert set(recall) == set(FACE_PARTS)
    assert [recall[part] for part in (0.3, 0.5, 0.8)] == [1, 1, 1]
    assert turned(BundledFaceDetector(), [sample(PORTRAIT)], 15) == [True]
    assert by_size(Always(), [sample(PORTRAIT)], [scene]) == dict.fromkeys(FACE_PARTS, 0.0)


def test_luminance_is_that_of_the_face(tmp_path: Path) -> None:
    picture = np.zeros((512, 512, 3), np.uint8)
    picture[int(FOUND.y0) : int(FOUND.y1), int(FOUND.x0) : int(FOUND.x1)] = 200
    Image.fromarray(picture).save(tmp_path / "face.png")
    assert luminance(sample(tmp_path / "face.png")) == pytest.approx(200, abs=0.5)
