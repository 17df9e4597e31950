"""A face that cannot be judged is rejected with its reason, and no setting changes that."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from facelive.faces import BundledFaceDetector
from facelive.quality import QualityPolicy, measure_face
from facelive.results import FaceBox, Reason

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def face(portrait: Picture) -> FaceBox:
    return BundledFaceDetector().detect(portrait)[0]


def _relit(portrait: Picture, factor: float) -> Picture:
    return np.asarray(np.clip(portrait * factor, 0, 255), np.uint8)


def test_a_good_portrait_is_judged(portrait: Picture, face: FaceBox) -> None:
    assert QualityPolicy().check(portrait, face) is None


@pytest.mark.parametrize("size", [256, 384, 768, 1024])
def test_the_same_face_at_another_size_is_judged_too(portrait: Picture, face: FaceBox, size: int) -> None:
    resized = np.asarray(Image.fromarray(portrait).resize((size, size), Image.Resampling.LANCZOS))
    assert QualityPolicy().check(resized, face.scaled(size / 512)) is None


def test_sharpness_hardly_depends_on_size_and_light(portrait: Picture, face: FaceBox) -> None:
    sharp = measure_face(portrait, face).sharpness
    half = np.asarray(Image.fromarray(portrait).resize((256, 256), Image.Resampling.BILINEAR))
    assert measure_face(half, face.scaled(0.5)).sharpness == pytest.approx(sharp, rel=0.35)
    assert measure_face(_relit(portrait, 0.5), face).sharpness == pytest.approx(sharp, rel=0.1)


def test_a_face_too_dark(portrait: Picture, face: FaceBox) -> None:
    assert QualityPolicy().check(_relit(portrait, 0.08), face) is Reason.TOO_DARK


def test_a_face_too_bright(portrait: Picture, face: FaceBox) -> None:
    blown = np.clip(portrait.astype(int) + 160, 0, 255).astype(np.uint8)
    assert QualityPolicy().check(blown, face) is Reason.TOO_BRIGHT


def test_a_face_too_blurred(portrait: Picture, face: FaceBox) -> None:
    blurred = Image.fromarray(portrait).filter(ImageFilter.GaussianBlur(0.07 * face.side_px))
    assert QualityPolicy().check(np.asarray(blurred), face) is Reason.TOO_BLURRED


def test_a_face_too_small(portrait: Picture, face: FaceBox) -> None:
    small = np.asarray(Image.fromarray(portrait).resize((96, 96)))
    assert QualityPolicy().check(small, face.scaled(96 / 512)) is Reason.FACE_TOO_SMALL


def test_a_face_cut_off(portrait: Picture, face: FaceBox) -> None:
    left = int(face.center[0])
    moved = FaceBox(face.x0 - left, face.y0, face.x1 - left, face.y1)
    assert QualityPolicy().check(portrait[:, left:], moved) is Reason.FACE_CUT_OFF


@pytest.mark.parametrize("box", [(-300, 0, -100, 200), (0, 600, 100, 800), (-1e12, -1e12, 1e12, 1e12)])
def test_a_box_outside_the_picture_is_no_crash(portrait: Picture, box: tuple[float, float, float, float]) -> None:
    assert QualityPolicy().check(portrait, FaceBox(*box)) is Reason.FACE_CUT_OFF


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_face_is_rejected_whatever_its_light(level: int) -> None:
    flat = np.full((300, 300, 3), level, np.uint8)
    assert QualityPolicy().check(flat, FaceBox(50, 50, 250, 250)) is not None


LOOSEST = QualityPolicy(min_face_px=16, max_cut_off=0.5, min_sharpness=0.02, min_luminance=8, max_luminance=250)


def test_the_loosest_policy_still_refuses_what_cannot_be_seen(portrait: Picture, face: FaceBox) -> None:
    assert LOOSEST.check(np.zeros_like(portrait), face) is Reason.TOO_DARK
    assert LOOSEST.check(np.full_like(portrait, 255), face) is Reason.TOO_BRIGHT
    assert LOOSEST.check(np.full_like(portrait, 100), face) is Reason.TOO_BLURRED
    assert LOOSEST.check(portrait, FaceBox(0, 0, 8, 8)) is Reason.FACE_TOO_SMALL
    assert LOOSEST.check(portrait, FaceBox(-200, 0, 100, 300)) is Reason.FACE_CUT_OFF


@pytest.mark.parametrize(
    "limit",
    [
        {"min_face_px": 0},
        {"min_face_px": math.nan},
        {"max_cut_off": 1.0},
        {"max_cut_off": -0.1},
        {"min_sharpness": 0},
        {"min_luminance": 0},
        {"min_luminance": -math.inf},
        {"max_luminance": 255},
        {"max_luminance": math.nan},
        {"min_luminance": 200, "max_luminance": 100},
    ],
)
def test_a_limit_that_would_pass_an_unseen_face_is_refused(limit: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(limit))):
        QualityPolicy(**limit)  # type: ignore[arg-type]
