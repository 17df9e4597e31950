"""A person before a screen that shows a colour: physically simple frames for the challenge's tests and its measurement.

Light adds up in linear RGB: the room's light, which falls on everything, and the screen's, which falls on the person
and hardly on the wall behind. The camera mixes its primaries, chooses its exposure and part of its white balance from
the whole frame, and adds noise, a tone curve and JPEG. The head moves between two frames.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from tests.examples.flask_app import scene

__all__ = ["Camera", "Room", "film", "frame"]

Light = npt.NDArray[np.float64]
_WALL = 0.1  # of the screen's light on the face reaches what is behind it: half a metre against one and a half
_BLACK = 0.02  # a display's dark channels still glow
_MIXING = np.array([[0.86, 0.12, 0.02], [0.08, 0.84, 0.08], [0.02, 0.14, 0.84]])  # a camera's red sees some green, …
_GREY = 0.18  # the mean that an exposure aims at


@dataclass(frozen=True)
class Room:
    """Where the person sits.

    Args:
        screen: The screen's white on the face, as a part of the room's light on it.
        tint: The room's light, in linear RGB; (1.25, 1, 0.7) is a warm lamp, (0.85, 1, 1.2) a cloudy sky.
    """

    screen: float = 0.3
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Camera:
    """What films.

    Args:
        balance: How much of the frame's cast its white balance has taken out by the time of the picture, in [0, 1].
        noise: Standard deviation at mid grey, of 255.
        quality: Of its JPEG.
        wander_px: How far the head moves between two frames; standard deviation.
    """

    balance: float = 0.3
    noise: float = 3.0
    quality: int = 85
    wander_px: float = 5.0


def frame(
    colour: tuple[int, int, int],
    room: Optional[Room] = None,
    camera: Optional[Camera] = None,
    *,
    seed: int = 0,
    picture: Optional[Image.Image] = None,
) -> bytes:
    """One frame, as the camera sends it.

    Args:
        colour: What the screen shows, 0-255.
        room: Where the person sits.
        camera: What films.
        seed: Of noise and movement: the same gives the same frame.
        picture: Who is filmed, 640x480; the portrait unless given.
    """
    room, camera, random = room or Room(), camera or Camera(), np.random.default_rng(seed)
    picture = scene.live() if picture is None else picture
    moved = random.normal(0, camera.wander_px, 2).round()
    size = 1 + random.normal(0, 0.01)
    place = (size, 0, moved[0] - 320 * (size - 1), 0, size, moved[1] - 240 * (size - 1))
    seen = np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, place, Image.Resampling.BILINEAR))
    reach = np.asarray(_person().transform(picture.size, Image.Transform.AFFINE, place)) / 255 * (1 - _WALL) + _WALL
    screen = np.maximum(_linear(np.array(colour)), _BLACK) * room.screen
    light = _linear(seen) * (np.array(room.tint) + screen * reach[..., np.newaxis])
    return _taken(light @ _MIXING.T, camera, random)


def film(
    colours: list[tuple[int, int, int]], room: Optional[Room] = None, camera: Optional[Camera] = None, *, seed: int = 0
) -> list[bytes]:
    """A frame for each colour, in turn."""
    return [frame(colour, room, camera, seed=seed + number) for number, colour in enumerate(colours)]


def _taken(light: Light, camera: Camera, random: np.random.Generator) -> bytes:
    cast = light.mean((0, 1))
    gains = (cast.mean() / cast) ** camera.balance
    light = light * gains * (_GREY / (light.mean() or 1.0)) * random.normal(1, 0.03)
    values = 255 * _curve(light)
    values += random.normal(0, camera.noise, values.shape) * (0.5 + values / 255)
    file = io.BytesIO()
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=camera.quality)
    return file.getvalue()


def _linear(values: npt.NDArray[Any]) -> Light:
    return np.asarray((values / 255) ** 2.2, np.float64)


def _curve(light: Light) -> Light:
    """A gamma with a soft shoulder, as cameras have, instead of clipping."""
    return np.asarray((light / (1 + 0.25 * light**2) ** 0.5) ** (1 / 2.2))


@lru_cache(maxsize=1)
def _person() -> Image.Image:
    """Where the portrait's person is, 640x480, soft at the edges."""
    mask = Image.new("L", scene.SIZE, 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((205, 20, 435, 380), fill=255)
    draw.polygon([(60, 480), (180, 340), (460, 340), (600, 480)], fill=255)
    return mask.filter(ImageFilter.GaussianBlur(14))
