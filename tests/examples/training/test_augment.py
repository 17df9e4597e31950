from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.augment import (
    AugmentPolicy,
    augment,
    cut_close,
    grain,
    jitter_box,
    motion_blur,
    recompress,
    rotated_crop,
)
from hypothesis import given
from hypothesis import strategies as st

from facelive.crops import face_crop

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
STILL = AugmentPolicy(
    shift=0, zoom=(1, 1), rotated=0, tighten=0, side_px=(128, 128), jpeg=0, blur=0, sharpen=0, tone=0, noise=0
)


def test_every_draw_has_the_models_shape(portrait: Picture, face_box: Box) -> None:
    for seed in range(40):
        crop = augment(portrait, face_box, np.random.default_rng(seed), AugmentPolicy())
        assert crop.shape == (128, 128, 3)
        assert crop.dtype == np.uint8


def test_the_same_state_draws_the_same_picture(portrait: Picture, face_box: Box) -> None:
    first, second = (augment(portrait, face_box, np.random.default_rng(3), AugmentPolicy()) for _ in range(2))
    assert np.array_equal(first, second)


def test_with_every_step_off_only_the_librarys_crop_is_left(portrait: Picture, face_box: Box) -> None:
    crop = augment(portrait, face_box, np.random.default_rng(0), STILL)
    plain = face_crop(portrait, face_box, scale=STILL.crop_scale)
    assert np.array_equal(crop, plain) or np.array_equal(crop, plain[:, ::-1])


def test_a_face_at_the_pictures_corner_can_be_augmented(portrait: Picture) -> None:
    corner = portrait[:60, :60]
    for seed in range(40):
        assert augment(corner, (0, 0, 30, 40), np.random.default_rng(seed), AugmentPolicy()).shape == (128, 128, 3)


def test_rolling_leaves_no_black_corner() -> None:
    white = np.full((200, 200, 3), 255, np.uint8)
    assert rotated_crop(white, (50, 50, 150, 150), scale=1.5, angle_deg=12, size=128).min() == 255


def test_a_roll_of_nothing_is_the_librarys_crop(portrait: Picture, face_box: Box) -> None:
    rolled = rotated_crop(portrait, face_box, scale=1.5, angle_deg=0, size=128)
    assert np.array_equal(rolled, face_crop(portrait, face_box, scale=1.5))


def test_jitter_keeps_the_boxs_size(face_box: Box) -> None:
    moved = jitter_box(face_box, 0.08, np.random.default_rng(1))
    assert moved != face_box
    assert moved[2] - moved[0] == pytest.approx(face_box[2] - face_box[0])
    assert max(abs(a - b) for a, b in zip(moved, face_box)) <= 0.08 * 120


def test_lower_quality_loses_more(portrait: Picture) -> None:
    losses = [np.abs(recompress(portrait, quality).astype(int) - portrait).mean() for quality in (95, 60, 30)]
    assert losses == sorted(losses)


def test_motion_blurs_along_its_path_alone() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.array_equal(motion_blur(stripes, 4, np.pi / 2), stripes)
    assert motion_blur(stripes, 4, 0.0)[:, 8:24].std() < stripes.std() / 4


def test_grain_is_normal_noise() -> None:
    noise = grain((64, 64, 3), np.random.default_rng(5))
    assert abs(noise.mean()) < 0.05
    assert noise.std() == pytest.approx(1, abs=0.05)


@given(st.floats(1.0, 3.0), st.floats(0, 60), st.floats(0, 60), st.floats(20, 60), st.floats(20, 60))
def test_a_picture_cut_close_keeps_its_face(factor: float, x: float, y: float, wide: float, high: float) -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 130, 3), np.uint8)
    part, box = cut_close(image, (x, y, x + wide, y + high), factor)
    left, top = round(x - box[0]), round(y - box[1])
    assert np.array_equal(part, image[top : top + part.shape[0], left : left + part.shape[1]])
    assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((wide, high))
    assert min(box[0], box[1]) >= -0.5  # up to rounding, no part of the face is cut off
    assert box[2] <= part.shape[1] + 0.5
    assert box[3] <= part.shape[0] + 0.5


def test_a_sliver_is_left_as_it_is() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    assert cut_close(image, (5.0, 5.0, 25.0, 25.0), 1.0)[0] is image
