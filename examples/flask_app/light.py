"""Which light falls on a face, and whether it changed as the colour of the screen before it did."""

from __future__ import annotations

import numpy as np

from facelive import FaceBox
from facelive.crops import face_crop
from facelive.images import read_image

__all__ = ["COLOURS", "WHITE", "face_light", "follows"]

WHITE = "white"
COLOURS = {
    WHITE: "#ffffff",
    "red": "#ff0000",
    "yellow": "#ffff00",
    "green": "#00ff00",
    "cyan": "#00ffff",
    "blue": "#0000ff",
    "magenta": "#ff00ff",
}
"""What a screen can be asked to show; the six beside white lie evenly around it."""

_LEAST_SHIFT = 0.015
"""Noise and movement shift a face by up to 0.010, a screen of a twentieth of the room's light by 0.018 or more."""

_LINEAR = (np.arange(1, 257, dtype=np.float64) / 256) ** 2.2
_HUES = {name: np.array([int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]) for name, code in COLOURS.items()}
_DIRECTIONS = {
    name: (hue - hue.mean()) / np.linalg.norm(hue - hue.mean()) for name, hue in _HUES.items() if name != WHITE
}


def face_light(picture: bytes, face: FaceBox) -> list[float]:
    """The mean colour of a face's middle: the logarithm of linear red, green and blue.

    Args:
        picture: As it was uploaded.
        face: Where the face is, in pixels of the upright picture.
    """
    read = read_image(picture, min_side_px=120)  # a mean needs few pixels, and a JPEG's are cheap at 1/4
    middle = face_crop(read.pixels, face.scaled(1 / read.scale).edges, scale=0.6, size=48)
    return np.log(_LINEAR[middle].mean((0, 1))).tolist()  # type: ignore[no-any-return]


def follows(before: list[float], now: list[float], colour: str) -> bool:
    """Whether a face's light went from white to ``colour`` rather than to any other colour, or nowhere.

    The camera's exposure changes all channels alike and drops out.

    Args:
        before: ``face_light`` while the screen was white.
        now: ``face_light`` of the frame in question.
        colour: What the screen was asked to show; not white.
    """
    shift = np.subtract(now, before)
    shift -= shift.mean()
    if np.linalg.norm(shift) < _LEAST_SHIFT:
        return False
    return max(_DIRECTIONS, key=lambda name: float(shift @ _DIRECTIONS[name])) == colour
