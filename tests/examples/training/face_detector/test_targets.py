"""The grid's targets and the two decoders, the training's and the library's, tell of the same boxes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.face_detector.targets import ANCHOR_PX, CHANNELS, SIZE, STRIDE, decode_numpy, middles, targets
from hypothesis import given, settings
from hypothesis import strategies as st

from facelive.face_network import _decode

Array = npt.NDArray[np.float32]
GRID = SIZE // STRIDE
WHOLE = (0, 0, SIZE, SIZE)
NONE = np.zeros((0, 4), np.float32)


def _face(x: float, y: float, width: float, height: float) -> Array:
    box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    marks = box[:2] + np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]) * (width, height)
    return np.concatenate([box, marks.ravel()]).astype(np.float32)


def _answer(target: Array) -> Array:
    """What a perfect network would answer to a target."""
    out = np.zeros((GRID, GRID, CHANNELS), np.float32)
    out[..., 0] = np.where(target[..., 0] > 0, 8, -8)
    size = np.maximum(target[..., 4:6] - target[..., 2:4], 1)
    out[..., 1:3] = ((target[..., 2:4] + target[..., 4:6]) / 2 - middles(GRID)) / size
    out[..., 3:5] = np.log(size / ANCHOR_PX)
    marks = target[..., 6:16].reshape(GRID, GRID, 5, 2)
    out[..., 5:] = ((marks - middles(GRID)[:, :, None]) / size[:, :, None]).reshape(GRID, GRID, 10)
    return out


@pytest.mark.parametrize("size", [14, 20, 40, 90, 200])
@pytest.mark.parametrize("place", [(64, 64), (60.5, 71.2), (30, 90)])
def test_a_perfect_answer_decodes_to_the_face(size: float, place: tuple[float, float]) -> None:
    face = _face(*place, size * 0.75, size)
    target = targets(face[None], NONE, WHOLE)
    assert target[..., 0].any()
    found = decode_numpy(_answer(target))
    found = found[found[:, 14] > 0.5]
    np.testing.assert_allclose(found[:, :14], np.tile(face, (len(found), 1)), atol=0.01)


@given(seed=st.integers(0, 2**16), threshold=st.floats(0.05, 0.95))
@settings(max_examples=40, deadline=None)
def test_the_library_decodes_as_the_training_does(seed: int, threshold: float) -> None:
    out = np.random.default_rng(seed).normal(0, 2, (GRID, GRID, CHANNELS)).astype(np.float32)
    order = np.argsort(-out[..., 0].ravel(), kind="stable")
    expected = decode_numpy(out)[order]
    expected = expected[expected[:, 14] >= threshold]
    found = np.array(_decode(out, threshold)).reshape(-1, 15)
    assert len(found) == len(expected)
    assert (np.diff(found[:, 14]) <= 0).all()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_tiny_hidden_and_doubtful_faces_count_neither_way() -> None:
    tiny = targets(_face(64, 64, 6, 7)[None], NONE, WHOLE)
    hidden = targets(_face(-12, 64, 60, 70)[None], NONE, WHOLE)
    doubtful = targets(np.zeros((0, 14), np.float32), _face(64, 64, 40, 50)[None, :4], WHOLE)
    for target in (tiny, hidden, doubtful):
        assert not target[..., 0].any(), "no cell is taught a face"
        assert (target[..., 1] == 0).any(), "and those near it are not taught background"


def test_smaller_faces_lie_on_larger_ones() -> None:
    large, small = _face(64, 64, 100, 110), _face(64, 64, 20, 25)
    target = targets(np.stack([small, large]), NONE, WHOLE)
    middle = target[7:9, 7:9].reshape(-1, 17)
    np.testing.assert_allclose(middle[middle[:, 0] > 0, 2:6].mean(0), small[:4])


def test_a_face_without_landmarks_teaches_its_box_alone() -> None:
    face = _face(64, 64, 40, 50)
    face[4:] = np.nan
    target = targets(face[None], NONE, WHOLE)
    assert target[..., 0].any()
    assert not target[..., 16].any()
    assert np.isfinite(target).all()
