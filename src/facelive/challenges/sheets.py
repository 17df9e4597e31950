"""Whether two looks at a face are two looks at one sheet of paper, flat or bent.

A sheet that is moved, turned and bent carries its picture along smoothly: one look becomes the other by a smooth warp
with few numbers. On a head that turns, the nose covers one cheek and bares the other, which no such warp does.
"""

from __future__ import annotations

from typing import List, Sequence

import numpy as np
import numpy.typing as npt

from facelive.boxes import Point

__all__ = ["LOOK_SHAPE", "face_look", "sheet_likeness"]

Floats = npt.NDArray[np.float64]

_PLANE = np.array([(-0.5, 0.0), (0.5, 0.0), (-0.4, 1.0), (0.4, 1.0)])
"""Eyes and mouth corners of a face seen from the front, in units of the distance of its eyes."""

_PX = 20  # pixels per distance of the eyes
_LEFT, _TOP = -1.3, -0.9  # of a look; the face that is compared lies _MARGIN pixels further in
_MARGIN = 8
LOOK_SHAPE = (56, 53)
"""Height and width of a look at a face, in pixels."""

_Y, _X = np.mgrid[_MARGIN : LOOK_SHAPE[0] - _MARGIN, _MARGIN : LOOK_SHAPE[1] - _MARGIN] / _PX
_X, _Y = _X + _LEFT, _Y + _TOP
_V = _Y - 0.5
_BASIS = np.stack([np.ones_like(_X), _X, _V, _X * _X, _X * _V, _V * _V])  # what bends a plane once, along any axis
_STIFF = np.tile([18.0, 42.0, 42.0, 60.0, 60.0, 60.0], 2)  # against warps that no hand makes
_FACE = np.hypot(_X / 0.85, (_Y - 0.45) / 0.95) < 1
_FADE = _FACE * np.exp(-((_X / 0.9) ** 2) - ((_Y - 0.45) / 0.95) ** 2)
_STAGES = ((2.5, 1.0, 1.0, 12), (1.6, 0.5, 1.0, 8), (1.2, 0.1, 0.7, 8))  # blur in px, stiffness, outliers from, steps


def face_look(pixels: npt.NDArray[np.uint8], landmarks: Sequence[Point]) -> npt.NDArray[np.uint8]:
    """A face as if seen from the front: eyes and mouth corners are laid where those of every face lie.

    Args:
        pixels: uint8, (H, W, 3), RGB, 0-255.
        landmarks: Eye, eye, nose, mouth corner, mouth corner, in pixels.

    Returns:
        uint8, ``LOOK_SHAPE``, grey, 0-255.

    Example:
        >>> look = face_look(np.zeros((90, 90, 3), np.uint8), [(30, 30), (60, 30), (45, 45), (33, 60), (57, 60)])
        >>> look.shape == LOOK_SHAPE
        True
    """
    grey = pixels @ np.array([0.299, 0.587, 0.114])
    corners = np.asarray(landmarks, np.float64)[[0, 1, 3, 4]]
    placed, _, _, _ = np.linalg.lstsq(np.column_stack([_PLANE, np.ones(4)]), corners, rcond=None)
    rows, columns = np.mgrid[: LOOK_SHAPE[0], : LOOK_SHAPE[1]] / _PX
    x, y = np.moveaxis(np.stack([columns + _LEFT, rows + _TOP, np.ones(LOOK_SHAPE)], -1) @ placed, -1, 0)
    look: npt.NDArray[np.uint8] = np.clip(_sample(grey, x, y).round(), 0, 255).astype(np.uint8)
    return look


def sheet_likeness(straight: npt.ArrayLike, turned: npt.ArrayLike, *, near_left: bool) -> float:
    """How well the half of a turned face that is near is explained by a sheet with the straight face on it.

    Args:
        straight: ``face_look`` of the face from the front, numbers in [0, 255], ``LOOK_SHAPE``.
        turned: ``face_look`` of the face after its turn, likewise.
        near_left: The picture's left half is the near one; it is where the nose moved away from.

    Returns:
        The correlation of the two, once the best smooth warp is taken out, in [-1, 1]; 1 for a sheet.

    Example:
        >>> look = np.random.default_rng(0).integers(0, 256, LOOK_SHAPE)
        >>> sheet_likeness(look, look // 2, near_left=True) > 0.99
        True
    """
    before, after = (60 * np.log(np.asarray(look, np.float64) + 8) for look in (straight, turned))
    side = 1 if near_left else -1
    weight = _FADE * np.clip((0.3 - side * _X) / 0.2, 0, 1)
    warp = np.zeros((2, len(_BASIS)))
    wanted = seen = np.zeros_like(_X)
    for blur_px, stiffness, outlier, steps in _STAGES:
        wanted = _contrast(before, blur_px)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        picture = _contrast(after, blur_px)
        for _ in range(steps):
            seen = _warped(picture, warp)
            change = _step(wanted, seen, weight, warp, _STIFF * stiffness, outlier)
            warp = warp + change
            if np.abs(change).max() < 4e-3:
                break
        seen = _warped(picture, warp)
    near = weight > 0
    return _correlation(wanted[near], seen[near])


def _step(wanted: Floats, seen: Floats, weight: Floats, warp: Floats, stiff: Floats, outlier: float) -> Floats:
    """One step of Gauss and Newton towards the warp that makes ``seen`` the wanted one; outliers weigh little."""
    down, across = np.gradient((wanted + seen) / 2, 1 / _PX)
    slopes = np.concatenate([across * _BASIS, down * _BASIS]).reshape(len(stiff), -1)
    missing = wanted - seen
    weighted = slopes * (weight / (1 + (missing / outlier) ** 2)).ravel()
    change = np.linalg.solve(weighted @ slopes.T + np.diag(stiff), weighted @ missing.ravel() - stiff * warp.ravel())
    return np.asarray(change.reshape(warp.shape))


def _warped(picture: Floats, warp: Floats) -> Floats:
    x, y = _X + np.tensordot(warp[0], _BASIS, 1), _Y + np.tensordot(warp[1], _BASIS, 1)
    return _sample(picture, (x - _LEFT) * _PX, (y - _TOP) * _PX)


def _sample(picture: Floats, x: Floats, y: Floats) -> Floats:
    """The picture at places between its pixels; its edge continues outside."""
    x, y = np.clip(x, 0, picture.shape[1] - 1.001), np.clip(y, 0, picture.shape[0] - 1.001)
    left, top = x.astype(int), y.astype(int)
    right, low = x - left, y - top
    upper = picture[top, left] * (1 - right) + picture[top, left + 1] * right
    lower = picture[top + 1, left] * (1 - right) + picture[top + 1, left + 1] * right
    return np.asarray(upper * (1 - low) + lower * low)


def _contrast(look: Floats, blur_px: float) -> Floats:
    """Blurred, and held against what is around each pixel, so that light does not matter."""
    smooth = _blurred(look, blur_px)
    detail = smooth - _blurred(smooth, 5)
    return np.asarray(detail / (np.sqrt(_blurred(detail * detail, 5)) + 2))


def _blurred(picture: Floats, sigma_px: float) -> Floats:
    taps = _taps(sigma_px)
    reach = len(taps) // 2
    for _ in range(2):
        padded = np.pad(picture, ((reach, reach), (0, 0)), mode="edge")
        picture = sum((tap * padded[at : at + len(picture)] for at, tap in enumerate(taps)), np.zeros_like(picture)).T
    return picture


def _taps(sigma_px: float) -> List[float]:
    reach = int(3 * sigma_px + 0.5)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    taps: List[float] = (bell / bell.sum()).tolist()
    return taps


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / (np.sqrt((one * one).sum() * (other * other).sum()) + 1e-9))
