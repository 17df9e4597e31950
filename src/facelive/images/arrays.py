"""Arrays as pictures; what looks like one and is none is named, with the line that mends it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelive.errors import ImageError
from facelive.images.limits import MAX_PIXELS, check_size

__all__ = ["from_array", "on_white"]

# Frames of cameras as YUV planes (I420, NV12, NV21) are grey pictures one and a half times as high.
_FRAMES = [(320, 240), (352, 288), (640, 360), (640, 480), (800, 600), (960, 540), (1024, 768), (1280, 720)]
_FRAMES += [(1280, 960), (1920, 1080), (2560, 1440), (3840, 2160)]
_PLANES = {(height * 3 // 2, width): (width, height) for one in _FRAMES for width, height in (one, one[::-1])}

_CASTS = {
    "f": "for values 0 to 1 hand in (array * 255).round().astype(np.uint8)",
    "b": "hand in array * np.uint8(255)",
    "u": "for values 0 to 65535 hand in (array // 257).astype(np.uint8)",
    "i": "for values 0 to 255 hand in array.astype(np.uint8)",
}


def from_array(array: npt.NDArray[Any], order: str, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Pixels, uint8, (H, W, 3), RGB; an RGB array is given back as it is.

    Args:
        array: uint8, (H, W, 3) or (H, W, 4) in ``order``, or (H, W) grey.
        order: ``"RGB"`` or ``"BGR"``.
        max_pixels: Largest width times height.

    Raises:
        ImageError: It has another type or shape.
    """
    subclass = type(array) is not np.ndarray  # asked first: naming np.ma loads it
    if subclass and isinstance(array, np.ma.MaskedArray):
        raise ImageError("a masked array is not a picture: hand in np.ma.getdata(array)")
    if subclass and isinstance(array, np.matrix):
        raise ImageError("a np.matrix is not a picture: hand in np.asarray(matrix)")
    if array.dtype != np.uint8:
        cure = _CASTS.get(array.dtype.kind, "scale and convert it first")
        raise ImageError(f"an array must be uint8 with values 0-255, not {array.dtype}: {cure}")
    if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ImageError(
            f"an array must be (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, not {array.shape}{_cure(array)}"
        )
    height, width = array.shape[:2]
    check_size(width, height, max_pixels)
    if array.ndim == 2:
        if array.shape in _PLANES:
            planes = "{}x{}".format(*_PLANES[array.shape])
            raise ImageError(
                f"an array {array.shape} looks like the YUV planes of a {planes} frame: hand in "
                "cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420) or _NV12 or _NV21; np.dstack([grey] * 3) if it is grey"
            )
        return np.repeat(array[:, :, np.newaxis], 3, axis=2)
    if order == "BGR":
        array = array[:, :, [2, 1, 0, 3]] if array.shape[2] == 4 else array[:, :, ::-1]
    if array.shape[2] == 4:
        return np.asarray(on_white(Image.fromarray(np.ascontiguousarray(array))))
    return array


def on_white(image: Image.Image) -> Image.Image:
    """An RGBA picture on white ground."""
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.getchannel("A"))
    return white


def _cure(array: npt.NDArray[Any]) -> str:
    """What to write instead, by the shape."""
    shape = array.shape
    if array.ndim == 3 and shape[0] in (3, 4) and min(shape[1:]) > 4:
        return ": channels come last, np.transpose(array, (1, 2, 0))"
    if array.ndim == 3 and shape[2] == 1:
        return ": a grey picture is array[:, :, 0]"
    if array.ndim == 3 and shape[0] == 1:
        return ": a grey picture is array[0]"
    if array.ndim == 3 and shape[2] == 2:
        return (
            ": packed YUV is read with cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_YUY2), grey with alpha as array[:, :, 0]"
        )
    if array.ndim == 4:
        return ": a batch goes to predict_batch, one picture of it is array[0]"
    return ""
