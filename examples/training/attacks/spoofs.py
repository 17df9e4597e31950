"""Synthetic attacks: a live picture shown on a screen or printed on paper, then filmed by a second camera.

`present` makes one from a picture, `mirror` sends a picture through the same second camera without the attack. Train
on both: otherwise a second camera's blur, noise and compression would come to mean attack. What is simulated, and from
what, is said at each step; nothing here copies a texture of a real attack, so real ones alone can validate it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np
import numpy.typing as npt
from examples.training.attacks.surfaces import SIDE, paper_light, screen_light
from examples.training.camera import Box, Pixels, grain, recompress
from PIL import Image, ImageDraw, ImageFilter

__all__ = ["SPECIES", "Recapture", "contact_rows", "mirror", "present"]

SPECIES = ("print", "screen")
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Recapture:
    """A picture taken of a picture, or its mirror.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255.
        box: Where the face now is, in pixels.
        species: ``print``, ``screen``, or ``bona_fide`` for a mirror.
    """

    image: Pixels
    box: Box
    species: str


def present(
    image: Pixels, box: Box, rng: np.random.Generator, *, species: str, backdrop: Optional[Pixels] = None
) -> Recapture:
    """Show a picture to a camera as an attacker would.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255: the live picture.
        box: Its face in pixels.
        rng: Consumed; the same state gives the same attack.
        species: One of `SPECIES`.
        backdrop: A picture to stand behind the medium and to be reflected in it; a plain tone without one.
    """
    if species not in SPECIES:
        raise ValueError(f"no attack species is called {species!r}; there are {', '.join(SPECIES)}")
    content, box = _cut(image, box, rng)
    canvas, box, inside = _mount(content, box, rng, species, backdrop)
    canvas, inside, box = _widen(canvas, inside, box)
    geometry = _Geometry.draw(box, rng)
    picture, box = geometry.look(canvas, box)
    mask = geometry.look_at_mask(inside)[..., None]
    x, y = geometry.surface()
    light = paper_light(picture, x, y, rng) if species == "print" else screen_light(picture, x, y, rng, backdrop)
    return Recapture(_camera(picture * (1 - mask) + light * mask, rng), box, species)


def mirror(image: Pixels, box: Box, rng: np.random.Generator) -> Recapture:
    """Film a picture's scene once more as if it were the real one: same camera, no medium, no edges.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255.
        box: Its face in pixels.
        rng: Consumed.
    """
    image, _, box = _widen(image, np.zeros(image.shape[:2], np.float32), box)
    geometry = _Geometry.draw(box, rng)
    picture, box = geometry.look(image, box)
    return Recapture(_camera(picture, rng), box, "bona_fide")


def _cut(image: Pixels, box: Box, rng: np.random.Generator) -> tuple[Pixels, Box]:
    """Attackers fill the medium with the face: keep 1.15 to 2.4 times the face, as far as the picture has it."""
    height, width = image.shape[:2]
    side = max(box[2] - box[0], box[3] - box[1])
    reach_x, reach_y = (side * float(factor) / 2 for factor in rng.uniform(1.15, 2.4, 2))
    middle_x, middle_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, top = int(max(0, middle_x - reach_x)), int(max(0, middle_y - reach_y))
    right, bottom = int(min(width, middle_x + reach_x)), int(min(height, middle_y + reach_y))
    if right - left < 16 or bottom - top < 16:
        return image, box
    return image[top:bottom, left:right], (box[0] - left, box[1] - top, box[2] - left, box[3] - top)


def _mount(
    content: Pixels, box: Box, rng: np.random.Generator, species: str, backdrop: Optional[Pixels]
) -> tuple[Pixels, Box, Floats]:
    """Put the content on a sheet or into a bezel, and that before a backdrop.

    Returns:
        The canvas, the face's box in it, and the mask of the medium's lit surface: float32, (H, W), 0 or 1.
    """
    height, width = content.shape[:2]
    side = max(height, width)
    margin = round(side * 0.8)
    size = (width + 2 * margin, height + 2 * margin)
    if backdrop is None:
        canvas = Image.new("RGB", size, tuple(int(tone) for tone in rng.integers(30, 210, 3)))
    else:
        canvas = Image.fromarray(backdrop).resize(size, Image.Resampling.BILINEAR)
    drawing, mask = ImageDraw.Draw(canvas), Image.new("L", size, 0)
    if species == "print":
        rim = round(side * float(rng.choice([0.0, 0.02, 0.06, 0.15])))
        tone, radius = (250, 250, 250), 0
        lit = rim
    else:
        rim = round(side * float(rng.uniform(0.015, 0.12)))
        level = int(rng.choice([12, 25, 45, 200], p=[0.4, 0.3, 0.2, 0.1]))
        tone, radius = (level, level, level + 4), rim
        lit = 0
    frame = (margin - rim, margin - rim, margin + width + rim, margin + height + rim)
    if rim:
        drawing.rounded_rectangle(frame, radius, fill=tone)
    canvas.paste(Image.fromarray(content), (margin, margin))
    ImageDraw.Draw(mask).rectangle((margin - lit, margin - lit, margin + width + lit, margin + height + lit), fill=255)
    moved = (box[0] + margin, box[1] + margin, box[2] + margin, box[3] + margin)
    return np.asarray(canvas), moved, (np.asarray(mask) > 127).astype(np.float32)


def _widen(canvas: Pixels, inside: Floats, box: Box) -> tuple[Pixels, Floats, Box]:
    """Mirror a canvas outwards where the camera will look past its edge: nothing black may tell the classes apart."""
    height, width = canvas.shape[:2]
    reach = 2 * max(box[2] - box[0], box[3] - box[1])
    middle_x, middle_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, top = max(0, math.ceil(reach - middle_x)), max(0, math.ceil(reach - middle_y))
    right, bottom = max(0, math.ceil(middle_x + reach - width)), max(0, math.ceil(middle_y + reach - height))
    around = ((top, bottom), (left, right))
    moved = (box[0] + left, box[1] + top, box[2] + left, box[3] + top)
    return np.pad(canvas, (*around, (0, 0)), mode="reflect"), np.pad(inside, around), moved


class _Geometry:
    """Where the second camera stands: a perspective map from its pixels to the canvas."""

    def __init__(self, forward: npt.NDArray[np.float64]) -> None:
        self.to_canvas = np.linalg.inv(forward)
        self.forward = forward

    @classmethod
    def draw(cls, box: Box, rng: np.random.Generator) -> _Geometry:
        """Aim at the face, 1.4 to 2.6 times its side in view, turned and tilted by a little."""
        zoom = SIDE / (max(box[2] - box[0], box[3] - box[1]) * float(rng.uniform(1.4, 2.6)))
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        angle = float(rng.normal(0, 0.05))
        cosine, sine = zoom * math.cos(angle), zoom * math.sin(angle)
        turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])
        start = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1.0]])
        tilt = np.eye(3)
        tilt[2, :2] = rng.normal(0, 0.06, 2) / SIDE * 2
        end = np.array([[1, 0, SIDE / 2], [0, 1, SIDE / 2], [0, 0, 1.0]])
        return cls(end @ tilt @ turn @ start)

    def look(self, canvas: Pixels, box: Box) -> tuple[Floats, Box]:
        """The camera's picture, float32 0-255, and the face's box in it."""
        picture = self._warp(Image.fromarray(canvas))
        corners = np.array([[box[0], box[1], 1], [box[2], box[1], 1], [box[0], box[3], 1], [box[2], box[3], 1]])
        seen = corners @ self.forward.T
        points = seen[:, :2] / seen[:, 2:]
        low, high = points.min(0), points.max(0)
        return np.asarray(picture, np.float32), (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    def look_at_mask(self, mask: Floats) -> Floats:
        """The lit surface in the camera's picture: float32, (SIDE, SIDE), 0-1."""
        seen = self._warp(Image.fromarray((mask * 255).astype(np.uint8)))
        return np.asarray(np.asarray(seen, np.float32) / np.float32(255), np.float32)

    def surface(self) -> tuple[Floats, Floats]:
        """Canvas coordinates under each camera pixel: two float32 arrays, (SIDE, SIDE)."""
        rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
        m = (self.to_canvas / self.to_canvas[2, 2]).astype(np.float32)
        depth = m[2, 0] * columns + m[2, 1] * rows + m[2, 2]
        x = (m[0, 0] * columns + m[0, 1] * rows + m[0, 2]) / depth
        y = (m[1, 0] * columns + m[1, 1] * rows + m[1, 2]) / depth
        return x, y

    def _warp(self, picture: Image.Image) -> Image.Image:
        coefficients = (self.to_canvas / self.to_canvas[2, 2]).ravel()[:8]
        return picture.transform(
            (SIDE, SIDE), Image.Transform.PERSPECTIVE, tuple(coefficients), Image.Resampling.BILINEAR
        )


def _camera(light: Floats, rng: np.random.Generator) -> Pixels:
    """The second camera, the same for attacks and mirrors: focus, exposure, white balance, noise, codec."""
    light = light * np.float32(np.exp(rng.normal(0, 0.1))) * np.exp(rng.normal(0, 0.03, 3)).astype(np.float32)
    light = light + np.float32(rng.uniform(0.5, 5)) * grain(light.shape, rng)
    picture = Image.fromarray(np.clip(np.rint(light), 0, 255).astype(np.uint8))
    if rng.random() < 0.7:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 1.5))))
    return recompress(np.asarray(picture), int(rng.integers(55, 96)))


def contact_rows(image: Pixels, box: Box, seeds: Sequence[int]) -> list[list[Recapture]]:
    """Attacks of each species and mirrors of one picture, a row each, for a contact sheet."""
    rows = [
        [present(image, box, np.random.default_rng(seed), species=species) for seed in seeds] for species in SPECIES
    ]
    return [*rows, [mirror(image, box, np.random.default_rng(seed)) for seed in seeds]]
