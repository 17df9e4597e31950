"""A face that cannot be judged is rejected with its reason, and no setting changes that."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from facelive.face_network import BundledFaceDetector
from facelive.quality import QualityPolicy, measure_face
from facelive.results import FaceBox, Reason

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def face(portrait: Picture) -> FaceBox:
    return BundledFaceDetector().detect(portrait)[0]


DATA = Path("../shared/data")


def _measured_whole(image: Picture, face: FaceBox) -> tuple[float, float]:
    """Sharpness and luminance as docs/faces.md words them: 40×40 cells of the whole face; its middle counts."""
    height, width = image.shape[:2]
    steps = (np.arange(80) + 0.5) / 80
    x0, x1, y0, y1 = max(face.x0, 0), min(face.x1, width), max(face.y0, 0), min(face.y1, height)
    columns = np.minimum((x0 + (x1 - x0) * steps).astype(int), width - 1)
    rows = np.minimum((y0 + (y1 - y0) * steps).astype(int), height - 1)
    grey = image[rows][:, columns] @ np.array([0.299, 0.587, 0.114])
    cells = grey.reshape(40, 2, 40, 2).mean((1, 3))[8:32, 8:32]
    fine = np.abs(np.diff(cells, 2, 0)).mean() + np.abs(np.diff(cells, 2, 1)).mean()
    coarse = np.abs(cells[8:] - cells[:-8]).mean() + np.abs(cells[:, 8:] - cells[:, :-8]).mean()
    return float(fine / coarse) if coarse > 0 else 0.0, float(cells.mean())


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


def _agree(image: Picture, face: FaceBox) -> None:
    seen = measure_face(image, face)
    assert (seen.sharpness, seen.luminance) == pytest.approx(_measured_whole(image, face), abs=0.006, rel=1e-3)


@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    grain=st.integers(1, 30),
    edges=st.tuples(st.floats(-0.5, 0.9), st.floats(-0.5, 0.9), st.floats(0.15, 1.5), st.floats(0.15, 1.5)),
)
def test_the_measures_are_those_the_limits_were_chosen_by(
    height: int, width: int, grain: int, edges: tuple[float, float, float, float]
) -> None:
    rng = np.random.default_rng(height * 300 + width)
    coarse = rng.integers(0, 256, (max(2, height // grain), max(2, width // grain), 3), np.uint8)
    image = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    x, y, wide, high = edges
    _agree(image, FaceBox(x * width, y * height, (max(x, 0) + wide) * width, (max(y, 0) + high) * height))


@pytest.mark.skipif(not (DATA / "liveness.jsonl").exists(), reason="the liveness pictures are not beside the checkout")
def test_the_measures_hold_on_real_faces() -> None:
    lines = (DATA / "liveness.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["split"] == "val"][::30]
    for row in rows:
        _agree(np.asarray(Image.open(DATA / "images" / row["file"]).convert("RGB")), FaceBox(*row["box"]))
    assert len(rows) > 100


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
    assert LOOSEST.check(portrait, FaceBox(50, 100, 250, 100.001)) is Reason.FACE_TOO_SMALL
    assert LOOSEST.check(portrait, FaceBox(-200, 0, 100, 300)) is Reason.FACE_CUT_OFF


@pytest.mark.parametrize(
    "limit",
    [
        {"min_face_px": 0},
        {"min_face_px": math.inf},
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
