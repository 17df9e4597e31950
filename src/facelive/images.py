"""Anything image-like in, an upright RGB picture out; nothing but ``ImageError`` on the way."""

from __future__ import annotations

import base64
import binascii
import io
import os
from pathlib import Path
from typing import IO, Any, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from facelive.containers import check_container, check_metadata
from facelive.errors import ImageError, ImageTooLargeError

__all__ = ["MAX_BYTES", "MAX_PIXELS", "ImageLike", "Picture", "is_single", "read_image"]

ImageLike = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, IO[bytes], Image.Image, npt.NDArray[Any]]
"""A path, a ``data:`` URL, encoded bytes, a binary file, a Pillow image, or an array: uint8, (H, W, 3) RGB,
(H, W, 4) RGBA or (H, W) grey."""

_ORIENTATION = 0x0112

MAX_BYTES = 32 * 2**20
"""Largest encoded picture that is read."""

MAX_PIXELS = 64_000_000
"""Largest picture, width times height, that is decoded; checked on the header, before decoding."""

# What phones, cameras and browsers write. Fewer decoders, fewer doors: Pillow's others never see the bytes.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")


class Picture(NamedTuple):
    """An upright picture, possibly decoded at reduced scale.

    Attributes:
        pixels: uint8, (H, W, 3), RGB, 0-255; not to be written to: it may be the caller's own array.
        scale: Pixels of the original per pixel here: 1.0, or about 2, 4 or 8.
    """

    pixels: npt.NDArray[np.uint8]
    scale: float = 1.0


def is_single(images: object) -> bool:
    """Whether this is one picture, where several were asked for."""
    if isinstance(images, np.ndarray):
        return images.dtype == np.uint8 and images.ndim < 4
    one = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)
    return isinstance(images, one) or hasattr(images, "read")


def read_image(image: ImageLike, *, min_side_px: Optional[int] = None, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture and turn it upright, as its EXIF orientation asks.

    Transparent pixels are laid on white, 16-bit grey keeps its upper 8 bits, and of an animation or a
    multi-page file the first frame counts. Pillow's warnings, of damaged EXIF for one, are the program's to filter.

    Args:
        image: See ``ImageLike``.
        min_side_px: Large JPEGs may be decoded at 1/2, 1/4 or 1/8, as long as the shorter side keeps this many
            pixels; ``None`` decodes in full.
        max_pixels: Largest encoded picture, width times height, that is decoded; never more than ``MAX_PIXELS``.

    Returns:
        The picture and its scale.

    Raises:
        ImageTooLargeError: The picture exceeds ``MAX_BYTES`` or ``max_pixels``.
        ImageError: The input is no picture, is broken, or has another dtype or shape.

    Example:
        >>> read_image(np.zeros((48, 64), np.uint8)).pixels.shape
        (48, 64, 3)
    """
    if isinstance(image, np.ndarray):
        return Picture(_from_array(image))
    if isinstance(image, Image.Image):
        return _from_pillow(image)
    if isinstance(image, str) and image[:5].lower() == "data:":
        data = _from_data_url(image)
    elif isinstance(image, (str, os.PathLike)):
        data = _from_path(image)
    elif isinstance(image, (bytes, bytearray, memoryview)):
        data = bytes(image) if len(image) <= MAX_BYTES else _too_many_bytes()
    elif hasattr(image, "read"):
        data = _from_file(image)
    else:
        raise ImageError(
            f"a {type(image).__name__} is not a picture: hand in a path, bytes, a binary file, a Pillow image, "
            "a uint8 array or a data URL"
        )
    return _from_bytes(data, min_side_px, min(max_pixels, MAX_PIXELS))


def _from_array(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if array.dtype != np.uint8:
        raise ImageError(f"an array must be uint8 with values 0-255, not {array.dtype}: scale and convert it first")
    if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ImageError(f"an array must be (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, not {array.shape}")
    _check_size(array.shape[1], array.shape[0])
    if array.ndim == 2:
        return np.repeat(array[:, :, np.newaxis], 3, axis=2)
    if array.shape[2] == 4:
        return np.asarray(_on_white(Image.fromarray(np.ascontiguousarray(array))))
    return array


def _from_data_url(url: str) -> bytes:
    header, comma, body = url.partition(",")
    if not comma or not header.lower().endswith(";base64"):
        raise ImageError("a data URL must look like data:image/jpeg;base64,… with the picture after the comma")
    if len(body) > MAX_BYTES * 4 // 3 + 4:
        _too_many_bytes()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError(f"the data URL does not hold valid base64 ({error}): encode the picture again") from error


def _from_path(path: Union[str, os.PathLike[str]]) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return _from_file(file)
    except (OSError, ValueError, TypeError) as error:  # ValueError: a null byte; TypeError: a path made of bytes
        if isinstance(error, ImageError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"cannot open {os.fspath(path)!r}: {reason}; give the path of a picture file") from error


def _from_file(file: IO[bytes]) -> bytes:
    parts, left = [], MAX_BYTES + 1
    try:
        while left > 0 and (part := file.read(left)):  # a pipe gives what has come so far
            if not isinstance(part, bytes):
                raise ImageError(f"the file gave {type(part).__name__}, not bytes: open it in binary mode")
            parts.append(part)
            left -= len(part)
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError: a JPEG opened as text
        raise ImageError(f"cannot read the picture's file ({error}): open it in binary mode") from error
    return b"".join(parts) if left > 0 else _too_many_bytes()


def _from_bytes(data: bytes, min_side_px: Optional[int], max_pixels: int) -> Picture:
    if not data:
        raise ImageError("the picture is empty: 0 bytes")
    check_container(data)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            _check_size(opened.size[0], opened.size[1], max_pixels)
            return _from_pillow(opened, min_side_px)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"the bytes are not a picture in a known format ({', '.join(_FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(f"the picture has more than {MAX_PIXELS} pixels: send a smaller one") from error
    except Exception as error:  # Pillow's decoders raise whatever their parsers trip over
        raise ImageError(f"the picture is broken or cut short ({type(error).__name__}: {error})") from error


def _from_pillow(image: Image.Image, min_side_px: Optional[int] = None) -> Picture:
    width, height = image.size
    _check_size(width, height)
    check_metadata(image.info)
    if min_side_px and image.format in ("JPEG", "MPO"):
        shorter = min(width, height)
        image.draft(None, (min_side_px * width // shorter, min_side_px * height // shorter))
    scale = width / image.size[0]
    try:
        if image.getexif().get(_ORIENTATION, 1) != 1:
            image = ImageOps.exif_transpose(image)
        return Picture(np.asarray(_to_rgb(image)), scale)
    except ImageError:
        raise
    except Exception as error:  # decoding happens only here, and decoders raise whatever they trip over
        raise ImageError(f"the picture is broken or cut short ({type(error).__name__}: {error})") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L", "CMYK", "YCbCr", "1") and "transparency" not in image.info:
        return image if image.mode == "RGB" else image.convert("RGB")
    if image.mode.startswith("I"):
        return Image.fromarray(np.clip(np.asarray(image) // 256, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ImageError("a picture of floating-point pixels has no known range: save it with 8 bits a channel")
    return _on_white(image.convert("RGBA"))


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.getchannel("A"))
    return white


def _check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"the picture has {width}x{height} pixels: at least 1 is needed")
    if width * height > most:
        raise ImageTooLargeError(f"the picture has {width}x{height} pixels: at most {most} are read")


def _too_many_bytes() -> bytes:
    raise ImageTooLargeError(f"the picture has more than {MAX_BYTES} bytes: send a smaller one")
