"""A sheet is known for one however it is moved, turned and bent; a head that turns is not one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from PIL import Image
from tests.examples.flask_app.turning import Surface, turned

from facelive.challenges import LOOK_SHAPE, HeadTurn, face_look, sheet_likeness
from facelive.face_network import BundledFaceDetector

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"


@pytest.fixture(scope="module")
def portrait() -> Any:
    return np.asarray(Image.open(PORTRAIT).convert("RGB"))


def moved(pixels: Any, warp: Callable[[Any, Any], Any]) -> Any:
    """The pixels that ``warp`` takes from x, y in distances of the portrait's eyes, from between them."""
    down, across = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    x, y = warp((across - 225) / 40, (down - 105) / 40)
    columns, rows = (np.clip(x * 40 + 225, 0, 511).astype(int), np.clip(y * 40 + 105, 0, 511).astype(int))
    return pixels[rows, columns]


def look(pixels: Any) -> Any:
    """As a head turn measures it."""
    seen = HeadTurn().measure(pixels, BundledFaceDetector().detect(pixels)[0])
    assert seen is not None
    return np.reshape(seen[1:], LOOK_SHAPE)


@pytest.mark.parametrize("bend", [-0.25, 0, 0.25])
@pytest.mark.parametrize("light", [1, 0.4])
def test_a_sheet_is_like_itself_however_it_is_bent(portrait: Any, bend: float, light: float) -> None:
    turned = moved(portrait, lambda x, y: (x * 1.15 + bend * x * x + 0.05 * x * y, y * 1.03))
    dimmed = (turned * light).astype(np.uint8)
    assert sheet_likeness(look(portrait), look(dimmed), near_left=bend < 0) > 0.96


@pytest.mark.parametrize("degrees", [40, -40])
def test_a_sheet_that_turns_is_a_sheet_and_a_head_is_none(degrees: int) -> None:
    def likeness(surface: Surface) -> float:
        straight, turned_ = (look(np.asarray(turned(surface, angle))) for angle in (0, degrees))
        return sheet_likeness(straight, turned_, near_left=degrees > 0)

    assert likeness("head") < 0.94
    assert likeness("flat") > 0.98 and likeness("bent") > 0.98


def test_another_face_is_not_a_warp_of_this_one(portrait: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, LOOK_SHAPE)
    assert sheet_likeness(look(portrait), noise, near_left=True) < 0.6


def test_eyes_and_mouth_lie_where_those_of_every_face_lie(portrait: Any) -> None:
    landmarks = BundledFaceDetector().detect(portrait)[0].landmarks
    assert landmarks is not None
    upright = face_look(portrait, landmarks)
    small = face_look(portrait[::2, ::2], [(x / 2, y / 2) for x, y in landmarks])
    assert upright.shape == LOOK_SHAPE and upright.dtype == np.uint8
    assert sheet_likeness(upright, small, near_left=True) > 0.98
    assert np.isfinite(sheet_likeness(np.zeros(LOOK_SHAPE), upright, near_left=True))
