"""The picture of a request, held to the app's limits before anything decodes it."""

from __future__ import annotations

import hashlib
import io
import warnings

from flask import Request
from PIL import Image, UnidentifiedImageError
from werkzeug.exceptions import BadRequest, Conflict, RequestEntityTooLarge, UnsupportedMediaType

__all__ = ["RepeatedFrame", "digest", "read_upload"]

FIELD = "picture"
FORMATS = ("JPEG", "PNG", "WEBP")  # what cameras, phones and browsers send; fewer decoders, fewer doors
_OTHER_PICTURES = ("image/heic", "image/heif", "image/avif", "image/svg+xml", "image/tiff", "image/gif", "image/bmp")


class RepeatedFrame(Conflict):
    """The very bytes of this picture were judged before, in this session or another."""

    reason = "repeated_frame"
    description = "This very picture was sent before: send a new one from the camera."


def digest(picture: bytes) -> bytes:
    """16 bytes that tell a picture from every other, and tell nothing of what it shows."""
    return hashlib.blake2b(picture, digest_size=16).digest()


def read_upload(request: Request, *, max_pixels: int) -> bytes:
    """The encoded picture in the field ``picture``.

    Args:
        request: A multipart form.
        max_pixels: Largest picture, width times height, by its header.

    Raises:
        UnsupportedMediaType: The request is no multipart form, or the picture has a format that is not taken.
        BadRequest: There is no picture, or it is none.
        RequestEntityTooLarge: The request is too long, or the picture too large.
    """
    if request.mimetype not in ("multipart/form-data", "application/x-www-form-urlencoded", ""):
        raise UnsupportedMediaType(f"Send a multipart form with the field {FIELD!r}.")
    upload = request.files.get(FIELD)
    if upload is None:
        raise BadRequest(f"The form has no picture: send a file in the field {FIELD!r}.")
    data: bytes = upload.read()
    width, height = _size(data, upload.mimetype)
    if width * height > max_pixels:
        raise RequestEntityTooLarge(f"The picture has {width}x{height} pixels: send at most {max_pixels} pixels.")
    return data


def _size(data: bytes, mimetype: str) -> tuple[int, int]:
    """Width and height from the header; no pixel is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is stricter
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                size: tuple[int, int] = picture.size
                return size
    except Image.DecompressionBombError as error:
        raise RequestEntityTooLarge("The picture has far too many pixels: send a smaller one.") from error
    except UnidentifiedImageError as error:
        if mimetype in _OTHER_PICTURES:
            raise UnsupportedMediaType(f"{mimetype} is not taken: send {', '.join(FORMATS)}.") from error
        raise BadRequest(f"The file is not a picture: send {', '.join(FORMATS)}.") from error
    except Exception as error:  # decoders raise whatever their parsers trip over
        raise BadRequest("The picture is broken: send it again.") from error
