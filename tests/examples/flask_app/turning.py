"""The person before a camera as they turn the head, and their picture as somebody turns it: made from one portrait."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageFilter
from tests.examples.flask_app import scene

__all__ = ["Surface", "turned"]

Surface = Literal["head", "flat", "bent", "mask"]
_MIDDLE = (322, 212)  # of the head in ``scene.live``, in pixels
_HALF = (100, 185)
_DEEP = 140.0
_NOSE = (323, 240)
_LIGHT = np.array([-0.1, -0.5, 0.8])  # from above, a little from the left


@cache
def turned(surface: Surface, degrees: float) -> Image.Image:
    """The person, 640x480, turned to the picture's right, or to its left below 0.

    A head is half an egg with a nose and eye sockets, lit from above; what it bares shows what was there before. A flat
    sheet fills the frame; a bent one has a radius of the face's width, and so has a paper mask.
    """
    picture = scene.mask() if surface == "mask" else scene.live()
    dense = np.asarray(picture.resize((1280, 960), Image.Resampling.BICUBIC), np.float64)
    y, x = np.mgrid[:960, :1280] / 2.0
    across, down = x - _MIDDLE[0], y - _MIDDLE[1]
    angle = np.radians(degrees)
    if surface == "head":
        inside = 1 - (across / _HALF[0]) ** 2 - (down / _HALF[1]) ** 2
        height, shown, middle = _relief(x, y, inside), inside > 0.03, 0.6 * _DEEP
        dense *= _shading(height, angle)[..., np.newaxis]
    else:
        radius = np.inf if surface == "flat" else 160.0
        height = 0 * x if surface == "flat" else np.sqrt(np.maximum(radius**2 - across**2, 0)) - radius
        shown, middle = abs(across) < radius, 0.0
    away = height * np.cos(angle) - across * np.sin(angle)
    scale = 1 if surface == "head" else 700 / (700 - away)
    u = (across * np.cos(angle) + (height - middle) * np.sin(angle)) * scale + _MIDDLE[0]
    v = down * scale + _MIDDLE[1]
    shown &= (u >= 0) & (u < 640) & (v >= 0) & (v < 480)
    order = np.argsort(away[shown])  # what is nearer is painted later
    frame = np.array(picture if surface == "head" else Image.new("RGB", scene.SIZE, (120, 124, 128)))
    colours = np.clip(dense, 0, 255).astype(np.uint8)
    frame[v[shown][order].astype(int), u[shown][order].astype(int)] = colours[shown][order]
    return Image.fromarray(frame).filter(ImageFilter.MedianFilter(3))


def _relief(x: Any, y: Any, inside: Any) -> Any:
    side, low = x - _NOSE[0], y - _NOSE[1]
    bridge = np.exp(-((side / 11) ** 2) - (low / np.where(low < 0, 42, 9)) ** 2)
    wings = 0.5 * np.exp(-((side / 20) ** 2) - (low / 11) ** 2)
    sockets = sum(np.exp(-(((x - eye) / 22) ** 2) - ((y - 192) / 12) ** 2) for eye in (287, 361))
    return _DEEP * np.sqrt(np.maximum(inside, 0)) + 40 * np.maximum(bridge, wings) - 10 * sockets


def _shading(height: Any, angle: float) -> Any:
    """How much brighter each place becomes as it turns in the light."""
    down, across = np.gradient(height, 0.5)
    normal = np.stack([-across, -down, np.ones_like(height)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]],
    )
    light = _LIGHT / np.linalg.norm(_LIGHT)
    before, after = (0.45 + np.maximum(facing @ light, 0) for facing in (normal, normal @ turn.T))
    return np.clip(after / before, 0.5, 1.3) ** 0.7
