from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facelive.crops import face_crop, normalize, to_pillow

sides = st.integers(1, 90)


@st.composite
def overlapping(draw: st.DrawFn) -> tuple[npt.NDArray[np.uint8], tuple[float, float, float, float]]:
    """A picture and a box that overlaps it, however thin either is."""
    height, width = draw(sides), draw(sides)
    image = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, (height, width, 3), dtype=np.uint8)
    x0, y0 = draw(st.floats(-200, width - 0.01)), draw(st.floats(-200, height - 0.01))
    x1 = draw(st.floats(max(x0, 0) + 0.001, max(x0, 0) + 400))
    y1 = draw(st.floats(max(y0, 0) + 0.001, max(y0, 0) + 400))
    return image, (x0, y0, x1, y1)


@given(overlapping(), st.floats(0.2, 4), st.sampled_from([8, 31, 128]))
def test_any_overlapping_box_gives_the_models_shape(
    case: tuple[npt.NDArray[np.uint8], tuple[float, float, float, float]], scale: float, size: int
) -> None:
    image, box = case
    crop = face_crop(image, box, scale=scale, size=size)
    assert crop.shape == (size, size, 3)
    assert crop.dtype == np.uint8
    assert image.min() <= crop.min() and crop.max() <= image.max()


def test_a_crop_of_the_models_size_is_the_picture_itself(portrait: npt.NDArray[np.uint8]) -> None:
    crop = face_crop(portrait, (100, 60, 228, 188), scale=1.0, size=128)
    assert np.array_equal(crop, portrait[60:188, 100:228])


def test_the_square_is_centred_and_as_wide_as_the_longer_side() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[50:150, 50:150] = 255
    crop = face_crop(image, (90, 50, 110, 150), scale=1.0, size=100)
    assert crop.min() == 255
    wide = face_crop(image, (90, 50, 110, 150), scale=2.0, size=100)
    assert wide[:, :24].max() == 0 and wide[26:74, 26:74].min() == 255


def test_shrinking_averages_instead_of_skipping_pixels() -> None:
    checkerboard = np.indices((512, 512)).sum(axis=0) % 2 * 255
    image = np.repeat(checkerboard[:, :, np.newaxis], 3, axis=2).astype(np.uint8)
    crop = face_crop(image, (0, 0, 512, 512), scale=1.0, size=64)
    assert abs(crop.astype(int) - 127).max() <= 2


def test_the_outside_mirrors_the_inside_without_its_edge() -> None:
    image = np.repeat(np.arange(0, 128, dtype=np.uint8)[np.newaxis, :, np.newaxis], 3, axis=2).repeat(128, axis=0)
    crop = face_crop(image, (-32, 0, 96, 128), scale=1.0, size=128)
    assert crop[0, 32:, 0].tolist() == list(range(96))
    assert crop[0, :32, 0].tolist() == list(range(32, 0, -1))


def test_a_shifted_picture_gives_the_same_crop(portrait: npt.NDArray[np.uint8]) -> None:
    box = (180.5, 70.25, 270.5, 190.25)
    moved = (box[0] - 40, box[1] - 30, box[2] - 40, box[3] - 30)
    assert np.array_equal(face_crop(portrait, box, scale=1.2), face_crop(portrait[30:, 40:], moved, scale=1.2))


def test_a_picture_that_is_no_contiguous_array_is_cropped_alike(portrait: npt.NDArray[np.uint8]) -> None:
    mirrored = portrait[:, ::-1]
    box = (200.0, 80.0, 290.0, 190.0)
    assert np.array_equal(
        face_crop(mirrored, box, scale=1.5), face_crop(np.ascontiguousarray(mirrored), box, scale=1.5)
    )


@pytest.mark.parametrize("box", [(-30, 0, 0, 20), (640, 0, 700, 20), (0, -9, 20, 0), (0, 480, 20, 490)])
def test_a_box_outside_the_picture_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="outside the 640x480 picture"):
        face_crop(np.zeros((480, 640, 3), np.uint8), box, scale=1.5)


@given(st.tuples(st.floats(-2, 0), st.floats(0.5, 2)))
def test_normalize_maps_black_and_white_to_the_ends(value_range: tuple[float, float]) -> None:
    result = normalize(np.array([[0, 255]], np.uint8), value_range)
    assert result.dtype == np.float32
    assert result[0].tolist() == pytest.approx(list(value_range), abs=1e-5)


def test_normalize_writes_where_it_is_told() -> None:
    out = np.empty((2, 2), np.float32)
    assert normalize(np.full((2, 2), 51, np.uint8), (0, 1), out=out) is out
    assert out.ravel().tolist() == pytest.approx([0.2] * 4)


def test_the_crop_agrees_with_pillows_own_resize(portrait: npt.NDArray[np.uint8]) -> None:
    box = (170.0, 60.0, 290.0, 180.0)
    whole = Image.fromarray(portrait).crop((140, 30, 320, 210)).resize((128, 128), Image.Resampling.BILINEAR)
    crop = face_crop(portrait, box, scale=1.5)
    assert np.abs(np.asarray(whole, int) - crop).max() <= 1


def test_pillows_copy_is_the_picture_and_a_copy(portrait: npt.NDArray[np.uint8]) -> None:
    for view in (portrait, portrait[::3, 7:200], portrait[:, ::-1], portrait[:1, :1]):
        assert np.array_equal(np.asarray(to_pillow(view)), view)
    own = portrait.copy()
    picture = to_pillow(own)
    own[:] = 0
    assert np.array_equal(np.asarray(picture), portrait)
