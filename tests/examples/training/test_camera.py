"""What the second camera may do to a picture: anything but say which class it belongs to, or lose the face."""

from __future__ import annotations

import inspect

import numpy as np
import numpy.typing as npt
import pytest
from examples.training import camera
from examples.training.camera import Camera, blended, cut, grain, jittered, margins, motion_blur, recompress, shoot
from hypothesis import given
from hypothesis import strategies as st

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
STILL = Camera(face_px=(60, 60), rotated=0, jpeg=0, blur=0, sharpen=0, tone=0, noise=0)

boxes = st.tuples(st.floats(0, 60), st.floats(0, 60), st.floats(20, 60), st.floats(20, 60)).map(
    lambda edges: (edges[0], edges[1], edges[0] + edges[2], edges[1] + edges[3])
)


def test_the_same_state_gives_the_same_picture(portrait: Picture, face_box: Box) -> None:
    (first, box), (second, again) = (shoot(portrait, face_box, np.random.default_rng(3), Camera()) for _ in range(2))
    assert np.array_equal(first, second)
    assert box == again
    assert not np.array_equal(first, shoot(portrait, face_box, np.random.default_rng(4), Camera())[0])


@pytest.mark.parametrize("step", camera.__all__)
def test_no_step_is_given_the_label(step: str) -> None:
    """The classes go through the very same code with the very same draws."""
    if callable(getattr(camera, step)) and inspect.isfunction(getattr(camera, step)):
        assert not {"label", "row", "kind", "species"} & set(inspect.signature(getattr(camera, step)).parameters)


@pytest.mark.parametrize("seed", range(25))
def test_the_box_stays_on_the_face(seed: int) -> None:
    """A bright square in the dark is still where the box says, after the roll, the cut and the rest."""
    scene = np.full((240, 320, 3), 30, np.uint8)
    scene[90:150, 140:200] = 230
    image, box = shoot(scene, (140.0, 90.0, 200.0, 150.0), np.random.default_rng(seed), Camera(rotated=1.0))
    grey = image.astype(float).mean(2)
    bright = grey > (np.percentile(grey, 1) + np.percentile(grey, 99)) / 2
    rows, columns = np.nonzero(bright)
    side = max(box[2] - box[0], box[3] - box[1])
    assert columns.mean() == pytest.approx((box[0] + box[2]) / 2, abs=0.12 * side)
    assert rows.mean() == pytest.approx((box[1] + box[3]) / 2, abs=0.12 * side)


def test_the_face_has_the_size_that_was_drawn(portrait: Picture, face_box: Box) -> None:
    _, box = shoot(portrait, face_box, np.random.default_rng(0), STILL)
    assert max(box[2] - box[0], box[3] - box[1]) == pytest.approx(60, rel=0.02)


def test_rolling_adds_nothing_that_was_not_there() -> None:
    white = np.full((300, 300, 3), 255, np.uint8)
    for seed in range(20):
        image, _ = shoot(white, (120.0, 120.0, 180.0, 180.0), np.random.default_rng(seed), Camera(rotated=1, tone=0))
        assert image.min() > 200


@given(boxes, st.tuples(*[st.floats(-0.1, 2.0)] * 4))
def test_a_cut_is_a_part_of_the_picture_with_no_more_margin_than_asked(box: Box, most: Box) -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 130, 3), np.uint8)
    part, moved = cut(image, box, most)
    left, top = round(box[0] - moved[0]), round(box[1] - moved[1])
    assert np.array_equal(part, image[top : top + part.shape[0], left : left + part.shape[1]])
    assert (moved[2] - moved[0], moved[3] - moved[1]) == pytest.approx((box[2] - box[0], box[3] - box[1]))
    side = max(box[2] - box[0], box[3] - box[1])
    if part.shape != image.shape:
        for found, asked in zip(margins(part, moved), most):
            assert found <= asked + 0.6 / side  # a pixel is the least there is


def test_a_sliver_is_left_as_it_is() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    assert cut(image, (5.0, 5.0, 25.0, 25.0), (0.0,) * 4)[0] is image


def test_a_blend_shows_both_faces_in_one_place_and_nothing_where_the_other_ends() -> None:
    image, other = np.full((60, 80, 3), 100, np.uint8), np.zeros((20, 40, 3), np.uint8)
    other[8:12, 8:12] = 200
    made = blended(image, (30.0, 20.0, 40.0, 30.0), other, (8.0, 8.0, 12.0, 12.0), 0.5)
    assert made[22:28, 32:38].min() >= 149  # half of 100 and of 200
    assert made[14, 20, 0] == pytest.approx(50, abs=1)  # the other's dark surround
    assert (made[:, :8] == 100).all()  # left of the other's edge


@given(boxes, st.integers(0, 99))
def test_a_missed_box_misses_by_no_more_than_asked(box: Box, seed: int) -> None:
    moved = jittered(box, np.random.default_rng(seed), shift=0.07, zoom=(0.9, 1.2))
    side = max(box[2] - box[0], box[3] - box[1])
    for low, high in ((0, 2), (1, 3)):
        assert abs((moved[low] + moved[high]) - (box[low] + box[high])) / 2 <= 0.0701 * side
        assert 0.899 <= (moved[high] - moved[low]) / (box[high] - box[low]) <= 1.201


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
    assert grain((700, 600, 3), np.random.default_rng(5)).shape == (700, 600, 3)  # more than is kept
