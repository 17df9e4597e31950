"""From a face box to what a model sees: the same square, padding and filter in training and at run time."""

from __future__ import annotations

import math
from typing import Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["face_crop", "normalize", "scene_crop", "to_pillow", "view_crops"]

_Pixels = npt.NDArray[np.uint8]
_Box = Tuple[float, float, float, float]


def face_crop(image: _Pixels, box: _Box, *, scale: float, size: int = 128) -> _Pixels:
    """Cut the square around a face and resize it.

    The square has the box's centre and ``scale`` times its longer side. It is resized with an anti-aliasing
    triangle filter straight from the part that lies inside the picture, blocks of whole pixels averaged first where
    it is more than twice ``size``. What lies outside is filled by mirroring that part (reflect-101, as OpenCV calls
    it), so that no black bar becomes a cue.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255, upright.
        box: ``(x0, y0, x1, y1)`` in pixels with ``x1 > x0`` and ``y1 > y0``; it must overlap the picture.
        scale: Side of the square in units of the box's longer side, above 0.
        size: Side of the result in pixels.

    Returns:
        uint8, (size, size, 3), RGB, 0-255; a new array.

    Raises:
        ValueError: The box does not overlap the picture.

    Example:
        >>> face_crop(np.zeros((480, 640, 3), np.uint8), (200, 100, 300, 240), scale=1.5).shape
        (128, 128, 3)
    """
    return _cut(image, [_face_window(image, box, scale, size)])[0]


def scene_crop(image: _Pixels, box: _Box, *, scale: float, size: int = 128) -> _Pixels:
    """Cut a square of real pixels around a face, for what is around it: edges of paper, hands, a screen's frame.

    The square has ``scale`` times the box's longer side, or the picture's shorter side where that is less, and is
    pushed into the picture where it would stick out. Nothing is mirrored or filled, so that a missing surrounding is
    no cue.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255, upright.
        box: ``(x0, y0, x1, y1)`` in pixels with ``x1 > x0`` and ``y1 > y0``; it must overlap the picture.
        scale: Largest side of the square in units of the box's longer side, above 0.
        size: Side of the result in pixels.

    Returns:
        uint8, (size, size, 3), RGB, 0-255; a new array.

    Raises:
        ValueError: The box does not overlap the picture.

    Example:
        >>> scene_crop(np.zeros((480, 640, 3), np.uint8), (200, 100, 300, 240), scale=3).shape
        (128, 128, 3)
    """
    return _cut(image, [_scene_window(image, box, scale, size)])[0]


def view_crops(image: _Pixels, box: _Box, views: Mapping[str, float], *, size: int = 128) -> _Pixels:
    """The views of a face, each as its own function above cuts it, from one copy of the part of the picture they share.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255, upright.
        box: ``(x0, y0, x1, y1)`` in pixels with ``x1 > x0`` and ``y1 > y0``; it must overlap the picture.
        views: The scale of each view by its name: ``near`` is a ``face_crop``, ``wide`` a ``scene_crop``.
        size: Side of each result in pixels.

    Returns:
        uint8, (V, size, size, 3), RGB, 0-255, in the order of ``views``; a new array.

    Raises:
        ValueError: The box does not overlap the picture.

    Example:
        >>> view_crops(np.zeros((480, 640, 3), np.uint8), (200, 100, 300, 240), {"near": 1.5, "wide": 3}).shape
        (2, 128, 128, 3)
    """
    window = {"near": _face_window, "wide": _scene_window}
    return np.stack(_cut(image, [window[name](image, box, scale, size) for name, scale in views.items()]))


def normalize(
    crop: npt.NDArray[np.uint8], value_range: tuple[float, float], out: Optional[npt.NDArray[np.float32]] = None
) -> npt.NDArray[np.float32]:
    """Map 0-255 onto a model's value range.

    Args:
        crop: uint8, any shape, 0-255.
        value_range: ``(low, high)``: what 0 and 255 become, for example ``(-1, 1)``.
        out: float32 of the same shape to write into, for example a model's input tensor; it is returned.

    Returns:
        float32, the shape of ``crop``.

    Example:
        >>> normalize(np.array([0, 255], np.uint8), (-1, 1)).tolist()
        [-1.0, 1.0]
    """
    low, high = value_range
    result: npt.NDArray[np.float32] = np.multiply(crop, np.float32((high - low) / 255), out=out, dtype=np.float32)
    if low:
        result += np.float32(low)
    return result


def to_pillow(image: _Pixels) -> Image.Image:
    """A picture as Pillow's copy of it, in two thirds of the time of ``Image.fromarray``, which paints it black first.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255; need not be contiguous.

    Example:
        >>> to_pillow(np.zeros((48, 64, 3), np.uint8)).size
        (64, 48)
    """
    height, width = image.shape[:2]
    picture = Image.new("RGB", (width, height), None)
    step = image.strides[0]
    if image.strides[1:] != (3, 1) or step < 3 * width:
        picture.frombytes(np.ascontiguousarray(image))
    else:  # whole pixels in rows, perhaps with gaps between them, which Pillow passes over itself
        data = np.lib.stride_tricks.as_strided(image, (step * (height - 1) + 3 * width,), (1,), writeable=False)
        picture.frombytes(data, "raw", "RGB", step, 1)
    return picture


def _checked(image: _Pixels, box: _Box, scale: float) -> tuple[int, int, float]:
    """The picture's width and height, and the side of the square that is wanted; the box must overlap the picture."""
    height, width = image.shape[:2]
    if box[2] <= 0 or box[3] <= 0 or box[0] >= width or box[1] >= height:
        raise ValueError(f"the face box {box} lies outside the {width}x{height} picture")
    return width, height, scale * max(box[2] - box[0], box[3] - box[1])


def _face_window(image: _Pixels, box: _Box, scale: float, size: int) -> _Window:
    width, height, side = _checked(image, box, scale)
    columns = _Span.along(width, (box[0] + box[2]) / 2, side, size)
    return _Window(columns, _Span.along(height, (box[1] + box[3]) / 2, side, size))


def _scene_window(image: _Pixels, box: _Box, scale: float, size: int) -> _Window:
    width, height, side = _checked(image, box, scale)
    side = min(side, width, height)
    left = min(max((box[0] + box[2] - side) / 2, 0.0), width - side)
    top = min(max((box[1] + box[3] - side) / 2, 0.0), height - side)
    # Rounding may end slightly past the last pixel, which Pillow refuses.
    columns = _Span(left, min(left + side, width), 0, size, 0)
    return _Window(columns, _Span(top, min(top + side, height), 0, size, 0))


def _cut(image: _Pixels, windows: Sequence[_Window]) -> list[_Pixels]:
    """What is seen through each window; they share one copy of the picture's part."""
    left, top = min(columns.first for columns, _ in windows), min(rows.first for _, rows in windows)
    right, bottom = max(columns.last for columns, _ in windows), max(rows.last for _, rows in windows)
    part = to_pillow(image[top:bottom, left:right])
    return [window.resized(part, left, top) for window in windows]


class _Span(NamedTuple):
    """One axis of the crop: the stretch of picture it covers and the output pixels that stretch fills."""

    low: float
    high: float
    before: int
    inner: int
    after: int

    @property
    def first(self) -> int:
        return math.floor(self.low)

    @property
    def last(self) -> int:
        return math.ceil(self.high)

    @property
    def factor(self) -> int:
        """How many pixels of the picture may be averaged before the filter."""
        return max(1, int((self.high - self.low) / self.inner + 1e-9))

    @classmethod
    def along(cls, length: int, center: float, side: float, size: int) -> _Span:
        start, step = center - side / 2, side / size
        # Whole output pixels outside the picture, at least one inside: the overlap can be thinner than a pixel.
        before = min(max(0, math.ceil(-start / step - 0.5)), size - 1)
        after = min(max(0, math.ceil((start + side - length) / step - 0.5)), size - 1 - before)
        low = min(max(start + before * step, 0.0), length - 1.0)
        high = min(max(start + (size - after) * step, low + 1.0), float(length))
        return cls(low, high, before, size - before - after, after)


class _Window(NamedTuple):
    """Where a crop lies in the picture, along both axes."""

    columns: _Span
    rows: _Span

    def resized(self, part: Image.Image, left: int, top: int) -> _Pixels:
        """The crop, from a part of the picture that begins at a column and a row."""
        columns, rows = self
        outer = (columns.first - left, rows.first - top, columns.last - left, rows.last - top)
        across, down = columns.factor, rows.factor
        part = part.crop(outer) if (across, down) == (1, 1) else part.reduce((across, down), box=outer)
        source = (
            (columns.low - columns.first) / across,
            (rows.low - rows.first) / down,
            (columns.high - columns.first) / across,
            (rows.high - rows.first) / down,
        )
        resized = np.asarray(part.resize((columns.inner, rows.inner), Image.Resampling.BILINEAR, box=source))
        if columns.before or columns.after or rows.before or rows.after:
            padding = ((rows.before, rows.after), (columns.before, columns.after), (0, 0))
            resized = np.pad(resized, padding, mode="reflect")
        return resized
