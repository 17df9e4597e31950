"""The bundled face detector finds faces, finds none where there is none, and stays in bounds on any input."""

from __future__ import annotations

import hashlib
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import facelive
from facelive.crops import face_crop
from facelive.errors import ImageError, ModelError
from facelive.face_network import BundledFaceDetector, _suppress
from facelive.faces import FaceBox, FaceDetector, choose_face
from facelive.results import Reason

Picture = npt.NDArray[np.uint8]

ASSETS = Path(facelive.__file__).parent / "assets"
DETECTOR = BundledFaceDetector()
KEENEST = BundledFaceDetector(score_threshold=1e-6)
"""Reports every cell: what it says of random pictures exercises decoding and bounds."""

EYES, NOSE, MOUTH = slice(0, 2), 2, slice(3, 5)


def _moved(one: FaceBox, two: FaceBox) -> float:
    """How far the farthest edge moves, in parts of the side."""
    return float(np.abs(np.subtract(one.edges, two.edges)).max() / one.side_px)


def test_a_network_that_was_tampered_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portrait: Picture
) -> None:
    content = bytearray((ASSETS / "face_detector.tflite").read_bytes())
    content[-100] ^= 1
    (tmp_path / "face_detector.tflite").write_bytes(bytes(content))
    (tmp_path / "face_detector.json").write_bytes((ASSETS / "face_detector.json").read_bytes())
    monkeypatch.setattr("facelive.face_network._FILE", tmp_path / "face_detector.tflite")
    with pytest.raises(ModelError, match="its card says .*: install facelive again"):
        BundledFaceDetector().detect(portrait)


def test_the_portrait_has_one_plausible_face(portrait: Picture) -> None:
    (face,) = DETECTOR.detect(portrait)
    # Hairline to chin, temple to temple.
    assert face.overlap(FaceBox(178, 63, 268, 176)) > 0.7
    assert face.score > 0.6
    assert face.landmarks is not None
    points = np.array(face.landmarks)
    assert points.shape == (5, 2)
    assert (points >= face.edges[:2]).all() and (points <= face.edges[2:]).all()
    assert points[0, 0] < points[NOSE, 0] < points[1, 0], "the nose is between the eyes"
    assert points[3, 0] < points[4, 0]
    assert points[EYES, 1].max() < points[NOSE, 1] < points[MOUTH, 1].min(), "eyes over nose over mouth"


@pytest.mark.parametrize(("left", "top"), [(1, 0), (0, 3), (4, 6), (12, 5)])
def test_the_box_follows_a_shift(portrait: Picture, left: int, top: int) -> None:
    (before,) = DETECTOR.detect(portrait)
    (after,) = DETECTOR.detect(portrait[top:, left:])
    back = FaceBox(after.x0 + left, after.y0 + top, after.x1 + left, after.y1 + top)
    assert _moved(before, back) < 0.12


@pytest.mark.parametrize("size", [(461, 461), (563, 563), (1024, 1024), (256, 256), (320, 320)])
def test_the_box_follows_a_rescaling(portrait: Picture, size: tuple[int, int]) -> None:
    (before,) = DETECTOR.detect(portrait)
    (after,) = DETECTOR.detect(np.asarray(Image.fromarray(portrait).resize(size, Image.Resampling.BILINEAR)))
    x, y = 512 / size[0], 512 / size[1]
    assert _moved(before, FaceBox(after.x0 * x, after.y0 * y, after.x1 * x, after.y1 * y)) < 0.12


def test_a_mirrored_picture_has_mirrored_landmarks(portrait: Picture) -> None:
    (face,) = DETECTOR.detect(portrait)
    (mirrored,) = DETECTOR.detect(portrait[:, ::-1])
    assert face.landmarks is not None
    assert mirrored.landmarks is not None
    expected = np.array(face.landmarks)[[1, 0, 2, 4, 3]] * (-1, 1) + (512, 0)
    assert np.abs(np.array(mirrored.landmarks) - expected).max() < 0.1 * face.side_px


def test_a_letterboxed_picture_keeps_its_face(portrait: Picture) -> None:
    wide = np.full((512, 910, 3), 200, np.uint8)
    wide[:, 199:711] = portrait
    (before,), (after,) = DETECTOR.detect(portrait), DETECTOR.detect(wide)
    assert before.overlap(FaceBox(after.x0 - 199, after.y0, after.x1 - 199, after.y1)) > 0.7


def test_two_faces_are_two_boxes(portrait: Picture) -> None:
    head = portrait[:360, 60:420]
    faces = DETECTOR.detect(np.concatenate([head, head[:, ::-1]], axis=1))
    assert len(faces) == 2
    assert faces[0].score >= faces[1].score
    assert choose_face(faces, 720, 360, multiple="reject") is Reason.MULTIPLE_FACES


NOTHING = {
    "one pixel": np.full((1, 1, 3), 130, np.uint8),
    "one line": np.full((10, 10_000, 3), 90, np.uint8),
    "one column": np.full((10_000, 10, 3), 90, np.uint8),
    "black": np.zeros((480, 640, 3), np.uint8),
    "white": np.full((480, 640, 3), 255, np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8),
    "noisy line": np.random.default_rng(0).integers(0, 256, (10, 10_000, 3), np.uint8),
    "ramp": np.broadcast_to(np.linspace(0, 255, 640).astype(np.uint8)[None, :, None], (480, 640, 3)),
}


@pytest.mark.parametrize("picture", NOTHING.values(), ids=NOTHING)
def test_nothing_has_no_face(picture: Picture) -> None:
    faces = DETECTOR.detect(picture)
    assert faces == []
    assert choose_face(faces, picture.shape[1], picture.shape[0]) is Reason.NO_FACE


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
    ids=["grey", "four channels", "float", "empty"],
)
def test_what_is_no_picture_is_refused(picture: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError):
        DETECTOR.detect(picture)


@given(height=st.integers(1, 200), width=st.integers(1, 200), seed=st.integers(0, 2**16), smooth=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_boxes_of_random_pictures_are_finite_ordered_and_touch_the_picture(
    height: int, width: int, seed: int, smooth: int
) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(1, height // smooth), max(1, width // smooth), 3), np.uint8)
    picture = np.asarray(Image.fromarray(coarse).resize((width, height)))
    for face in KEENEST.detect(picture):
        assert np.isfinite(face.edges).all()
        assert face.x0 < face.x1 and face.y0 < face.y1
        assert 0 <= face.center[0] <= width and 0 <= face.center[1] <= height
        assert 0 <= face.score <= 1
        assert face.landmarks is not None and np.isfinite(face.landmarks).all()
        assert face_crop(picture, face.edges, scale=1.5).shape == (128, 128, 3)


def _brute_force(found: npt.NDArray[np.float32]) -> list[list[int]]:
    """Groups of rows as plain loops make them: the best left takes every row that overlaps it."""
    groups, left = [], list(range(len(found)))
    while left:
        best, group = found[left[0]], [left[0]]
        rest: list[int] = []
        for index in left[1:]:
            row = found[index]
            width = max(0.0, min(best[2], row[2]) - max(best[0], row[0]))
            height = max(0.0, min(best[3], row[3]) - max(best[1], row[1]))
            inner = width * height
            area = (best[2] - best[0]) * (best[3] - best[1]) + (row[2] - row[0]) * (row[3] - row[1]) - inner
            (group if inner / area > 0.4 else rest).append(index)
        groups.append(group)
        left = rest
    return groups


@given(seed=st.integers(0, 2**16), count=st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_suppression_agrees_with_brute_force(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    found = np.empty((count, 15), np.float32)
    found[:, :2] = rng.uniform(0, 60, (count, 2))
    found[:, 2:4] = found[:, :2] + rng.uniform(5, 60, (count, 2))
    found[:, 4:14] = rng.uniform(0, 128, (count, 10))
    found[:, 14] = np.sort(rng.uniform(0.1, 1, count))[::-1]
    faces = _suppress(found.tolist())
    groups = _brute_force(found)
    assert len(faces) == len(groups)
    for face, group in zip(faces, groups):
        mean = np.average(found[group, :14], axis=0, weights=found[group, 14])
        np.testing.assert_allclose(face[:14], mean, rtol=1e-4, atol=1e-3)
        assert face[14] == found[group[0], 14]


def test_the_largest_face_wins() -> None:
    small, large = FaceBox(300, 200, 340, 250), FaceBox(100, 100, 200, 220)
    assert choose_face([small, large], 640, 480) is large
    assert choose_face([large, small], 640, 480) is large


def test_a_face_at_the_very_edge_gives_way() -> None:
    passing, user = FaceBox(-90, 100, 100, 320), FaceBox(250, 150, 350, 270)
    assert choose_face([passing, user], 640, 480) is user
    assert choose_face([passing], 640, 480) is passing


def test_several_faces_may_be_refused() -> None:
    two = [FaceBox(300, 200, 340, 250), FaceBox(100, 100, 200, 220)]
    assert choose_face(two, 640, 480, multiple="reject") is Reason.MULTIPLE_FACES
    assert choose_face(two[:1], 640, 480, multiple="reject") is two[0]
    with pytest.raises(ValueError, match="multiple"):
        choose_face(two, 640, 480, multiple="any")  # type: ignore[arg-type]


@pytest.mark.parametrize("multiple", ["largest", "reject"])
def test_no_setting_makes_a_face_of_none(multiple: str) -> None:
    assert choose_face([], 640, 480, multiple=multiple) is Reason.NO_FACE  # type: ignore[arg-type]
    assert choose_face([FaceBox(700, 0, 800, 90)], 640, 480, multiple=multiple) is Reason.NO_FACE  # type: ignore[arg-type]


def test_the_card_describes_the_file() -> None:
    content = (ASSETS / "face_detector.tflite").read_bytes()
    card = json.loads((ASSETS / "face_detector.json").read_text(encoding="utf-8"))
    assert hashlib.sha256(content).hexdigest() == card["sha256"]
    assert len(content) == card["bytes"] < 700_000
    assert all(card["training"][key] for key in ("faces", "liveness", "backgrounds", "caveat"))


def test_threads_and_pickles_agree(portrait: Picture) -> None:
    detector = BundledFaceDetector(score_threshold=0.4)
    expected = detector.detect(portrait)
    with ThreadPoolExecutor(4) as pool:
        assert all(faces == expected for faces in pool.map(detector.detect, [portrait] * 24))
    copy = pickle.loads(pickle.dumps(detector))
    assert copy.score_threshold == 0.4
    assert copy.detect(portrait) == expected


@pytest.mark.parametrize("threshold", [0, 1, -1, 2, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="score_threshold"):
        BundledFaceDetector(score_threshold=threshold)


def test_any_class_with_detect_is_a_face_detector() -> None:
    class Fixed:
        def detect(self, image: Picture) -> list[FaceBox]:
            return [FaceBox(0, 0, image.shape[1], image.shape[0])]

    assert isinstance(Fixed(), FaceDetector)
    assert isinstance(DETECTOR, FaceDetector)
