"""Anything image-like in, an upright sRGB picture out; nothing but ``ImageError`` on the way."""

from __future__ import annotations

import os
from typing import IO, Any, Iterator, NamedTuple, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelive.errors import ImageError
from facelive.images.arrays import from_array
from facelive.images.decode import decode, from_pillow
from facelive.images.files import strip
from facelive.images.limits import MAX_BYTES, MAX_PIXELS, refuse_bytes
from facelive.images.sources import from_file, from_path, from_text, is_closed, not_yet_decoded
from facelive.words import as_number, quoted, shown

__all__ = ["MAX_BYTES", "MAX_PIXELS", "ImageLike", "Picture", "is_single", "read_image", "readings"]

_MOST_SCALE = 64.0


class Picture(NamedTuple):
    """An upright picture, possibly decoded at reduced scale.

    Args:
        pixels: uint8, (H, W, 3), RGB, 0-255; not to be written to: it may be the caller's own array.
        scale: Pixels of the original per pixel here: 1.0, or about 2, 4 or 8.
    """

    pixels: npt.NDArray[np.uint8]
    scale: float = 1.0


ImageLike = Union[
    str, "os.PathLike[str]", bytes, bytearray, memoryview, IO[bytes], Image.Image, npt.NDArray[Any], Picture
]
"""A path, a ``data:`` URL or base64, encoded bytes, a binary file, a Pillow image, an array (uint8, (H, W, 3) RGB,
(H, W, 4) RGBA or (H, W) grey), or a ``Picture`` that was read before."""


def is_single(images: object) -> bool:
    """Whether this is one picture, where several were asked for."""
    if isinstance(images, np.ndarray):
        return images.dtype == np.uint8 and images.ndim < 4
    one = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image, Picture)
    return isinstance(images, one) or hasattr(images, "read")


def read_image(
    image: ImageLike, *, order: str = "RGB", min_side_px: Optional[int] = None, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Read a picture, turn it upright, as its EXIF orientation asks, and into sRGB, as its colour profile asks.

    Transparent pixels are laid on white, 16-bit grey keeps its upper 8 bits, and of an animation or a multi-page file
    the first frame counts. Whatever else a file holds beside its pixels is left out before it is decoded. A
    ``Picture`` comes back as it is, so that what was read once need not be read again.

    Args:
        image: See ``ImageLike``.
        order: Of an array's channels: ``"RGB"``, or ``"BGR"`` as OpenCV has them. It says nothing about files, bytes,
            Pillow images and a ``Picture``, which know their own.
        min_side_px: Large JPEGs may be decoded at 1/2, 1/4 or 1/8, as long as the shorter side keeps this many
            pixels; ``None`` decodes in full.
        max_pixels: Largest encoded picture, width times height, that is decoded; never more than ``MAX_PIXELS``.

    Returns:
        The picture and its scale.

    Raises:
        ImageTooLargeError: The picture exceeds ``MAX_BYTES``, ``max_pixels`` or another limit of ``images.limits``.
        ImageError: The input is no picture, is broken or cut short, or has another dtype or shape.
        ValueError: ``order`` is neither, or ``max_pixels`` no number of pixels.
        MemoryError: The machine, and not the picture, is at its limit.

    Example:
        >>> read_image(np.zeros((48, 64), np.uint8)).pixels.shape
        (48, 64, 3)
    """
    if order not in ("RGB", "BGR"):
        raise ValueError(f"order is 'RGB' or 'BGR', not {quoted(order, 20)}")
    if not as_number(max_pixels) >= 0:  # NaN would be no limit
        raise ValueError(f"max_pixels counts pixels, not {quoted(max_pixels)}")
    max_pixels = min(max_pixels, MAX_PIXELS)
    if isinstance(image, Picture):
        return _checked(image, max_pixels)
    if isinstance(image, np.ndarray):
        return Picture(from_array(image, order, max_pixels))
    if isinstance(image, Image.Image):
        return _from_pillow(image, min_side_px, max_pixels)
    return Picture(*decode(strip(_encoded(image)), min_side_px, max_pixels))


def _checked(picture: Picture, max_pixels: int) -> Picture:
    """A picture that somebody has made by hand, perhaps."""
    if not isinstance(picture.pixels, np.ndarray):
        raise ImageError(f"the pixels of a Picture are a uint8 array, not a {type(picture.pixels).__name__}")
    scale = as_number(picture.scale)
    if not 1 / _MOST_SCALE <= scale <= _MOST_SCALE:
        raise ImageError(f"the scale of a Picture is 1.0, or about 2, 4 or 8, not {quoted(picture.scale)}")
    return Picture(from_array(picture.pixels, "RGB", max_pixels), scale)


def readings(image: ImageLike, sides: Sequence[Optional[int]], *, order: str = "RGB") -> Iterator[Picture]:
    """The same picture again and again, a large JPEG finer each time; nothing is read twice or decoded twice alike.

    Args:
        image: See ``ImageLike``.
        sides: ``min_side_px`` of each reading, in rising order; no finer one is made once the last satisfies it.
        order: Of an array's channels.

    Yields:
        At least one picture; errors are those of ``read_image``.

    Example:
        >>> [picture.scale for picture in readings(np.zeros((48, 64), np.uint8), (360, 720))]
        [1.0]
    """
    if isinstance(image, Picture):
        sides = sides[:1]
    elif len(sides) > 1 and not isinstance(image, (bytes, np.ndarray, Image.Image)):
        image = _encoded(image)
    picture = None
    for side in sides:
        if picture is None or (picture.scale > 1 and (side is None or min(picture.pixels.shape[:2]) < side)):
            picture = read_image(image, order=order, min_side_px=side)
            yield picture


def _encoded(image: Any) -> bytes:
    """The bytes of a file, from whatever has them and whatever it raises when it is asked."""
    try:
        return _asked(image)
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        raise ImageError(
            f"a {type(image).__name__} cannot be read as a picture ({type(error).__name__}: {shown(error)})"
        ) from error


def _asked(image: Any) -> bytes:
    if isinstance(image, str):
        return from_text(image)
    if isinstance(image, os.PathLike):
        return from_path(image)
    if hasattr(image, "read"):
        return from_file(image)
    if not isinstance(image, (bytes, bytearray, memoryview)):
        tensor = ", as np.asarray(tensor) gives" if hasattr(image, "__array__") else ""
        raise ImageError(
            f"a {type(image).__name__} is not a picture: hand in a path, bytes, a binary file, a Pillow image, "
            f"a uint8 array{tensor} or a data URL"
        )
    size = image.nbytes if isinstance(image, memoryview) else len(image)
    if not size:
        raise ImageError("the picture is empty: 0 bytes")
    return bytes(image) if size <= MAX_BYTES else refuse_bytes()


def _from_pillow(image: Image.Image, min_side_px: Optional[int], max_pixels: int) -> Picture:
    if is_closed(image):
        raise ImageError("the Pillow image was closed before it was read: hand it in inside its 'with', or load() it")
    data = not_yet_decoded(image)
    if data is not None:
        return Picture(*decode(strip(data), min_side_px, max_pixels))
    return Picture(from_pillow(image, max_pixels))
