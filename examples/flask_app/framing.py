"""Whether a face is where the client asked the person to hold it, and what to say when it is not."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from werkzeug.exceptions import BadRequest

from facelive import Guidance, LivenessResult, Reason
from facelive.guidance import GUIDANCE
from facelive.images import Picture

__all__ = ["Oval", "guidance"]

_SMALLEST, _LARGEST = 0.34, 0.9
"""Of the oval's height: a head fills it, and the box of its face, from brow to chin, takes about 0.6 of the head."""
_AWAY = 0.25
"""Of the oval's width and height: how far the face's middle may lie from the oval's."""
_DARK = 40.0
"""Mean of a picture, 0-255, below which the light is to blame for a face that was not found."""


class Oval(NamedTuple):
    """Where the person was asked to be: left, top, right and bottom, as parts of the picture's width and height."""

    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def read(cls, text: str) -> Oval | None:
        """From the form's field ``oval``, as ``0.3,0.1,0.7,0.9``; ``None`` when the client showed no oval.

        Raises:
            BadRequest: The text is something else.
        """
        if not text:
            return None
        try:
            oval = cls(*(float(part) for part in text[:100].split(",")))
        except (TypeError, ValueError):
            oval = cls(math.nan, 0, 0, 0)
        if not (-1 <= oval.x0 < oval.x1 <= 2 and -1 <= oval.y0 < oval.y1 <= 2):
            raise BadRequest("The field 'oval' must read like 0.3,0.1,0.7,0.9: left, top, right, bottom.")
        return oval


def guidance(result: LivenessResult, picture: Picture, oval: Oval | None) -> str | None:
    """What to tell the person before a visit begins; ``None`` when it can begin with this frame.

    Args:
        result: The frame's verdict; its face in pixels of ``picture``.
        picture: The frame.
        oval: Where the face has to be; anywhere when ``None``.
    """
    if result.reason is not None:
        if result.reason is Reason.NO_FACE and np.asarray(picture.pixels[::8, ::8]).mean() < _DARK:
            return Guidance.MORE_LIGHT.value
        return GUIDANCE.get(result.reason, Guidance.HOLD_STILL).value
    if oval is None or result.face is None:
        return None
    height, width = picture.pixels.shape[:2]
    x0, y0, x1, y1 = result.face.edges
    across, down = (oval.x1 - oval.x0) * width, (oval.y1 - oval.y0) * height
    size = max(x1 - x0, y1 - y0) / down
    right = ((x0 + x1) / 2 - (oval.x0 + oval.x1) / 2 * width) / across
    low = ((y0 + y1) / 2 - (oval.y0 + oval.y1) / 2 * height) / down
    if size < _SMALLEST:
        return Guidance.COME_CLOSER.value
    if abs(right) > _AWAY and abs(right) >= abs(low):
        return "move_right" if right > 0 else "move_left"  # the person's own right is the picture's left
    if abs(low) > _AWAY:
        return "move_up" if low > 0 else "move_down"
    return "move_back" if size > _LARGEST else None
