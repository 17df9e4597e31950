"""From a file's pixels to RGB: the one place where Pillow decodes."""

from __future__ import annotations

import importlib
import io
from contextlib import contextmanager
from functools import cache
from typing import Any, Iterator, Optional, Tuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelive.errors import ImageError, ImageTooLargeError
from facelive.forks import LOADING
from facelive.images.arrays import on_white
from facelive.images.colour import to_srgb
from facelive.images.files import Encoded
from facelive.images.limits import MAX_PIXELS, check_size, decoding
from facelive.images.tiff import exif_orientation
from facelive.words import shown

__all__ = ["decode", "from_pillow"]

_Pixels = npt.NDArray[np.uint8]

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PLUGINS = {"JPEG": "Jpeg", "PNG": "Png", "WEBP": "WebP", "GIF": "Gif", "BMP": "Bmp", "TIFF": "Tiff"}
_UNREAD = {
    "HEIF": "HEIC, which Pillow alone does not read: pip install pillow-heif, then "
    "'import pillow_heif' and 'pillow_heif.register_heif_opener()', and hand it in again",
    "AVIF": "AVIF, which is read where Pillow (11.3 and newer) has opened it: 'from PIL import Image', then hand in "
    "'Image.open(path)'",
    "JPEG2000": "JPEG 2000, which is read where Pillow has opened it: 'from PIL import Image', then hand in "
    "'Image.open(path)'",
}


def decode(file: Encoded, min_side_px: Optional[int], max_pixels: int) -> Tuple[_Pixels, float]:
    """Pixels of a file, uint8, (H, W, 3), upright, sRGB; and how many of the original's pixels one of them spans."""
    if file.kind in _UNREAD and not (file.kind == "HEIF" and "HEIF" in Image.OPEN):
        raise ImageError(f"the picture is {_UNREAD[file.kind]}")
    _load_plugin(file.kind)
    with _blamed(), Image.open(io.BytesIO(file.data), formats=[file.kind]) as opened:
        width, height = opened.size
        check_size(width, height, max_pixels)
        if min_side_px and file.kind == "JPEG":
            shorter = min(width, height)
            opened.draft(None, (min_side_px * width // shorter, min_side_px * height // shorter))
        decoded = opened.size[0] * opened.size[1]
        with decoding(width * height if file.in_scans else decoded):
            if file.kind == "HEIF":
                return _pixels(opened, 1, opened.info.get("icc_profile")), 1.0
            _be_strict(opened)
            return _pixels(opened, file.orientation, file.profile), width / opened.size[0]


def from_pillow(image: Image.Image, max_pixels: int) -> _Pixels:
    """Pixels of an image that the program decoded, or decodes its own way; the image itself stays as it is."""
    check_size(*image.size, max_pixels)
    with _blamed(), decoding(image.size[0] * image.size[1]):
        rgb = _to_rgb(image)
        exif, profile = image.info.get("exif"), image.info.get("icc_profile")  # a PNG may have read it just now
        turn = exif_orientation(exif) if isinstance(exif, bytes) else 1
        return _pixels(rgb, turn, profile)


@cache
def _load_plugin(kind: str) -> None:
    """Load what reads a format, where Pillow would do it later, and all of its fifty plugins for a WebP."""
    with LOADING:
        Image.preinit()
        if kind in _PLUGINS:
            importlib.import_module(f"PIL.{_PLUGINS[kind]}ImagePlugin")


@contextmanager
def _blamed() -> Iterator[None]:
    """Raise what says whose fault it is: the picture's, the program's or the machine's."""
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = Image.MAX_IMAGE_PIXELS
        if most is None or most >= MAX_PIXELS:
            raise ImageTooLargeError(f"the picture has more than {MAX_PIXELS} pixels: send a smaller one") from error
        raise ImageTooLargeError(
            f"the picture has more pixels than PIL.Image.MAX_IMAGE_PIXELS allows, which this program set to {most}"
        ) from error
    except Exception as error:  # Pillow's decoders raise whatever their parsers trip over
        if MemoryError in (type(error), type(error.__context__)) or "out of memory" in str(error):
            raise MemoryError("there is too little memory to decode the picture, which may be fine") from error
        if isinstance(error, ValueError) and "closed" in str(error):
            raise ImageError("the Pillow image was closed before it was read: hand it in while it is open") from error
        reason = f"{type(error).__name__}: {shown(error, 100)}"
        raise ImageError(f"the picture is broken or cut short ({reason})") from error


def _pixels(image: Image.Image, orientation: int, profile: Any) -> _Pixels:
    image = _to_rgb(image)
    if isinstance(profile, bytes) and profile:
        image = to_srgb(image, profile)
    return np.asarray(image.transpose(_TURNS[orientation]) if orientation in _TURNS else image)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L", "CMYK", "YCbCr", "1") and "transparency" not in image.info:
        image.load()
        return image if image.mode == "RGB" else image.convert("RGB")
    if image.mode.startswith("I"):
        return Image.fromarray(np.clip(np.asarray(image) // 256, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ImageError("a picture of floating-point pixels has no known range: save it with 8 bits a channel")
    return on_white(image if image.mode == "RGBA" else image.convert("RGBA"))


class _Strict:
    """A decoder that raises what it finds broken or missing.

    Where a program has set ``ImageFile.LOAD_TRUNCATED_IMAGES``, Pillow overlooks both, for all of its threads; a
    picture that is half grey would be judged. Pillow takes decoders by name, and this is one around its own.
    """

    NAME = "facelive"

    def __init__(self, mode: str, name: str, args: Any, *extra: Any) -> None:
        self._decoder: Any = Image._getdecoder(mode, name, args, extra)
        self._done = False
        self.pulls_fd: bool = self._decoder.pulls_fd
        self.setimage, self.setfd = self._decoder.setimage, self._decoder.setfd

    def decode(self, data: bytes) -> Tuple[int, int]:
        self._done = True  # what is raised from here says by itself what is wrong
        used, error = self._decoder.decode(data)
        if error < 0:
            raise MemoryError if error == -9 else OSError(f"decoding error {error}")
        self._done = used < 0 or self.pulls_fd
        return int(used), int(error)

    def cleanup(self) -> None:
        self._decoder.cleanup()
        if not self._done:
            raise OSError("image file is truncated")


Image.register_decoder(_Strict.NAME, _Strict)  # type: ignore[arg-type]


def _be_strict(image: Any) -> None:
    """Watch the decoders of an opened image; libtiff's and libwebp's are called another way, which always raises."""
    tiles = []
    for tile in image.tile:
        name, extents, offset, args = tile
        watched = (_Strict.NAME, extents, offset, (name, args))
        named = hasattr(tile, "_fields")  # a named tuple since Pillow 11
        tiles.append(tile if name == "libtiff" else type(tile)(*watched) if named else watched)
    image.tile = tiles
