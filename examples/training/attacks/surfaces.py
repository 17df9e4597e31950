"""The light that leaves an attack's surface: a display's pixels and glass, a print's ink and paper.

Moire is never painted: the periodic cells of a display, and the dots of a print, are sampled at the camera's pixels,
and what aliases there aliases here.
"""

from __future__ import annotations

import math
from typing import Optional

import numpy as np
import numpy.typing as npt
from examples.training.camera import Pixels, grain
from PIL import Image, ImageFilter

__all__ = ["SIDE", "paper_light", "screen_light"]

Floats = npt.NDArray[np.float32]
SIDE = 256  # pixels of the second camera's picture


def screen_light(picture: Floats, x: Floats, y: Floats, rng: np.random.Generator, backdrop: Optional[Pixels]) -> Floats:
    """Light from a display: its own gamma and white, sub-pixels, refresh bands, and what its glass reflects.

    Args:
        picture: float32, (SIDE, SIDE, 3), 0-255: what is shown, as the camera sees it.
        x: Canvas column under each camera pixel; with ``y`` it places the display's cells.
        y: Canvas row.
        rng: Consumed.
        backdrop: Reflected in the glass now and then.

    Returns:
        float32, (SIDE, SIDE, 3), 0 and up.
    """
    light = (picture / 255) ** np.float32(rng.uniform(0.85, 1.35))
    white = np.array([1 - abs(rng.normal(0, 0.05)), 1.0, 1 + abs(rng.normal(0, 0.08))], np.float32)
    light = light * white * np.float32(rng.uniform(0.75, 1.25))
    light = light * _pixel_grid(x, y, rng)
    if rng.random() < 0.3:  # rows exposed at different moments of the refresh
        rows = np.arange(SIDE, dtype=np.float32)[:, None, None]
        wave = np.sin(rows * rng.uniform(0.02, 0.3) + rng.uniform(0, 6))
        light = light * (1 + np.float32(rng.uniform(0.02, 0.12)) * wave)
    light = light + np.float32(rng.uniform(0, 0.06))  # no display is black in a lit room
    if rng.random() < 0.4:
        light = light + _glare(rng)[..., None]
    if backdrop is not None and rng.random() < 0.3:
        seen = Image.fromarray(backdrop).resize((SIDE, SIDE)).filter(ImageFilter.GaussianBlur(3))
        light = light + np.float32(rng.uniform(0.03, 0.15)) * np.asarray(seen, np.float32) / 255
    return np.asarray(light * 255, np.float32)


def _pixel_grid(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """A display's cells as the camera's pixels sample them: moire is what aliases, here as in a camera.

    A cell is lit in a third of its width for each colour, and has dark rims above and below. Its Fourier series is
    summed at every camera pixel's place on the surface, each term weakened by the lens and by the pixel's own width,
    as a cell's fine terms are when many cells fall on one pixel.
    """
    step = max(float(np.hypot(x[128, 129] - x[128, 128], y[128, 129] - y[128, 128])), 1e-3)
    cells = float(np.exp(rng.uniform(math.log(0.25), math.log(2.2))))  # cells on one camera pixel
    pitch = step / cells
    result = np.ones((*x.shape, 3), np.float32)
    strength = float(np.exp(rng.uniform(math.log(0.12), math.log(1.4))))
    across, down = 2 * math.pi / pitch * x, 2 * math.pi / pitch * y
    for harmonic in (1, 2):
        blur = math.exp(-0.8 * (harmonic * cells) ** 2) + 0.06 * float(rng.random())
        depth = strength * blur / harmonic
        for channel in range(3):
            offset = 2 * math.pi * (channel - 1) / 3
            result[..., channel] += np.float32(0.45 * depth) * np.cos(harmonic * (across + offset))
        result += np.float32(0.25 * depth) * np.cos(harmonic * down)[..., None]
    return np.asarray(np.clip(result, 0.1, 2.0), np.float32)


def paper_light(picture: Floats, x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Light from a print: a smaller range of colours, ink dots, the sheet's tint, its curl in the room's light.

    Args and result are those of `screen_light`.
    """
    ink = picture / 255
    grey = ink.mean(axis=2, keepdims=True)
    ink = grey + np.float32(rng.uniform(0.45, 1.0)) * (ink - grey)
    black, paper = float(rng.uniform(0.06, 0.24)), float(rng.uniform(0.78, 1.0))
    tint = np.array([1.0, 1 - abs(rng.normal(0, 0.03)), 1 - abs(rng.normal(0, 0.06))], np.float32)
    ink = black + (paper - black) * np.clip(ink, 0, 1) ** np.float32(rng.uniform(0.8, 1.2)) * tint
    if rng.random() < 0.6:
        ink = ink + _ink_dots(x, y, rng) * (4 * ink * (1 - ink)).clip(0, 1)
    if rng.random() < 0.3:  # a starved nozzle leaves lines
        ink = ink * (1 + np.float32(rng.uniform(0.01, 0.05)) * np.sin(y * rng.uniform(0.4, 2.0))[..., None])
    fibre = grain((SIDE // 2, SIDE // 2), rng).repeat(2, 0).repeat(2, 1)
    ink = ink + np.float32(rng.uniform(0, 0.012)) * fibre[..., None]
    along = (x * math.cos(bend := rng.uniform(0, math.pi)) + y * math.sin(bend)) / SIDE
    curl = 1 + np.float32(rng.uniform(0, 0.25)) * np.sin(along * rng.uniform(1.5, 6) + rng.uniform(0, 6))
    ink = ink * curl[..., None]
    if rng.random() < 0.3:
        ink = ink + 0.7 * _glare(rng)[..., None]
    return np.asarray(ink * 255, np.float32)


def _ink_dots(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Halftone of each ink at its own angle, seen by the camera: float32, (SIDE, SIDE, 3), about zero."""
    step = max(float(np.hypot(x[128, 129] - x[128, 128], y[128, 129] - y[128, 128])), 1e-3)
    dots = float(rng.uniform(0.2, 0.9))  # dots on one camera pixel
    pitch, strength = step / dots, float(rng.uniform(0.03, 0.25)) * math.exp(-1.2 * dots**2)
    result = np.empty((*x.shape, 3), np.float32)
    for channel, degrees in enumerate((15, 75, 0)):
        angle = math.radians(degrees + float(rng.uniform(-3, 3)))
        along = (x * math.cos(angle) + y * math.sin(angle)) * (2 * math.pi / pitch)
        across = (y * math.cos(angle) - x * math.sin(angle)) * (2 * math.pi / pitch)
        result[..., channel] = strength * np.cos(along) * np.cos(across)
    return result


def _glare(rng: np.random.Generator) -> Floats:
    """A lamp or a window on a shiny surface: float32, (SIDE, SIDE), 0 and up."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    cx, cy = rng.uniform(0, 1, 2)
    wide, high = rng.uniform(0.04, 0.35, 2)
    spot = np.exp(-(((columns - cx) / wide) ** 2 + ((rows - cy) / high) ** 2))
    return np.asarray(np.float32(rng.uniform(0.1, 0.7)) * spot, np.float32)
