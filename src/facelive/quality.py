"""Can this face be judged at all? Cheap checks, with limits read off good pictures; docs/faces.md has the plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

import numpy as np
import numpy.typing as npt

from facelive.results import FaceBox, Reason
from facelive.words import as_number, quoted

__all__ = ["FaceMeasures", "QualityPolicy", "measure_face"]

_CELLS = 40  # a face has 40×40 cells, each the mean of 2×2 pixels of it;
_MIDDLE = 24  # the 24×24 in its middle are measured
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# What a limit may be set to: beyond these a face cannot be seen, whatever the application thinks.
_ALLOWED = {
    "min_face_px": (16, 4096),
    "max_cut_off": (0, 0.5),
    "min_sharpness": (0.02, 1),
    "min_luminance": (8, 255),
    "max_luminance": (0, 250),
}


@dataclass(frozen=True)
class FaceMeasures:
    """What a policy's limits are held against; see ``measure_face``.

    Args:
        face_px: The face's longer side in pixels.
        cut_off: Part of the face box outside the picture, in [0, 1].
        sharpness: Finest detail over coarse contrast; 0.07 is a smear, 0.35 a crisp face, at any size and light.
        luminance: Mean luminance of the face's middle, 0-255.
    """

    face_px: float
    cut_off: float
    sharpness: float
    luminance: float


@dataclass(frozen=True)
class QualityPolicy:
    """Which faces are judged and which are rejected, and for what reason.

    Stricter limits are free to choose; looser ones end where no face can be seen any more, and a missing face has no
    switch at all.

    Args:
        min_face_px: Smallest longer side of the face in pixels; the shorter may have half of that.
        max_cut_off: Largest part of the face box outside the picture, in [0, 0.5].
        min_sharpness: Least finest detail over coarse contrast (see ``FaceMeasures``).
        min_luminance: Darkest mean luminance of the face, 0-255.
        max_luminance: Brightest mean luminance of the face, 0-255.
        multiple_faces: With several faces in the picture, judge the ``"largest"`` that is central, or ``"reject"``.

    Raises:
        ValueError: A limit would let a face through that cannot be seen, or lets nothing through.

    Example:
        >>> QualityPolicy().check(np.zeros((480, 640, 3), np.uint8), FaceBox(200, 100, 300, 230)).value
        'too_dark'
    """

    min_face_px: float = 48
    max_cut_off: float = 0.4
    min_sharpness: float = 0.13
    min_luminance: float = 30
    max_luminance: float = 235
    multiple_faces: Literal["largest", "reject"] = "largest"

    def __post_init__(self) -> None:
        for name, (low, high) in _ALLOWED.items():
            value = getattr(self, name)
            if not low <= as_number(value) <= high:
                raise ValueError(f"{name} lies between {low} and {high}, not {quoted(value)}")
        if self.multiple_faces not in ("largest", "reject"):
            raise ValueError(f"multiple_faces is 'largest' or 'reject', not {self.multiple_faces!r}")
        if self.min_luminance >= self.max_luminance:
            raise ValueError(f"min_luminance {self.min_luminance} is not below max_luminance {self.max_luminance}")

    def check(self, image: npt.NDArray[np.uint8], face: FaceBox) -> Optional[Reason]:
        """Why a face cannot be judged, or ``None`` when it can; changes nothing.

        Args:
            image: uint8, (H, W, 3), RGB, 0-255, upright.
            face: The face in pixels of ``image``.
        """
        # The first two need no pixel, and a face outside the picture has none.
        if face.side_px < self.min_face_px or min(face.x1 - face.x0, face.y1 - face.y0) < self.min_face_px / 2:
            return Reason.FACE_TOO_SMALL
        if _cut_off(image, face) > self.max_cut_off:
            return Reason.FACE_CUT_OFF
        seen = measure_face(image, face)
        if seen.luminance < self.min_luminance:
            return Reason.TOO_DARK
        if seen.luminance > self.max_luminance:
            return Reason.TOO_BRIGHT
        return Reason.TOO_BLURRED if seen.sharpness < self.min_sharpness else None


def measure_face(image: npt.NDArray[np.uint8], face: FaceBox) -> FaceMeasures:
    """Measure a face the way a policy does: on 48×48 pixels of its middle, whatever its size.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255, upright.
        face: The face in pixels of ``image``; at least part of it in the picture.

    Returns:
        Numbers to choose limits by.

    Raises:
        ValueError: The face lies outside the picture.

    Example:
        >>> measure_face(np.full((100, 100, 3), 50, np.uint8), FaceBox(0, 0, 100, 100)).luminance
        50.0
    """
    height, width = image.shape[:2]
    if not face.touches(width, height):
        raise ValueError(f"the face {face.edges} lies outside the {width}x{height} picture")
    columns = _samples(max(face.x0, 0), min(face.x1, width), width)
    rows = _samples(max(face.y0, 0), min(face.y1, height), height)
    pixels = image.take(rows, axis=0).take(columns, axis=1).astype(np.float32) @ _LUMA
    pairs = pixels[::2] + pixels[1::2]
    middle = (pairs[:, ::2] + pairs[:, 1::2]) * np.float32(0.25)
    return FaceMeasures(face.side_px, _cut_off(image, face), _sharpness(middle), round(float(middle.mean()), 2))


def _cut_off(image: npt.NDArray[np.uint8], face: FaceBox) -> float:
    height, width = image.shape[:2]
    inside = max(0.0, min(face.x1, width) - max(face.x0, 0)) * max(0.0, min(face.y1, height) - max(face.y0, 0))
    return float(1 - inside / ((face.x1 - face.x0) * (face.y1 - face.y0)))


def _samples(low: float, high: float, length: int) -> npt.NDArray[np.intp]:
    """Indices of the middle's pixels, of those that lie evenly spread between the face's edges."""
    steps = low + (high - low) * (np.arange(_CELLS - _MIDDLE, _CELLS + _MIDDLE) + 0.5) / (2 * _CELLS)
    return np.minimum(steps.astype(np.intp), length - 1)


def _sharpness(cells: npt.NDArray[np.float32]) -> float:
    """Mean curvature between neighbours over mean difference of cells eight apart, along both axes."""
    down, across = cells[1:] - cells[:-1], cells[:, 1:] - cells[:, :-1]
    fine = np.abs(down[1:] - down[:-1]).sum() + np.abs(across[:, 1:] - across[:, :-1]).sum()
    coarse = np.abs(cells[8:] - cells[:-8]).sum() + np.abs(cells[:, 8:] - cells[:, :-8]).sum()
    return float(fine / coarse) * (_MIDDLE - 8) / (_MIDDLE - 2) if coarse > 0 else 0.0
