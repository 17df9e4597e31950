"""The picture of a request: the app's limits, the library's one check, and one decoding."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator

from flask import Request
from werkzeug.exceptions import BadRequest, Conflict, ServiceUnavailable, UnsupportedMediaType

from facelive.images import Picture, read_image

__all__ = ["Decoder", "RepeatedFrame", "digest", "read_upload"]

FIELD = "picture"
_MIN_SIDE_PX = 720  # what a verdict needs; a JPEG of a phone's whole sensor is decoded at a part of its size
_WAIT_S = 5.0
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")  # what cameras, phones and browsers send; fewer decoders, fewer doors


class RepeatedFrame(Conflict):
    """The very bytes of this picture were judged before, in this session or another."""

    reason = "repeated_frame"
    description = "This very picture was sent before: send a new one from the camera."


class Busy(ServiceUnavailable):
    """Others' pictures are being decoded."""

    description = "Too many pictures at the moment: send another one soon."


def digest(picture: bytes) -> bytes:
    """16 bytes that tell a picture from every other, and tell nothing of what it shows."""
    return hashlib.blake2b(picture, digest_size=16).digest()


def read_upload(request: Request) -> bytes:
    """The encoded picture in the field ``picture``; nothing is decoded.

    Raises:
        UnsupportedMediaType: The request is no multipart form, or the file is no JPEG, PNG or WebP.
        BadRequest: There is no picture.
        RequestEntityTooLarge: The request is too long.
    """
    if request.mimetype not in ("multipart/form-data", "application/x-www-form-urlencoded", ""):
        raise UnsupportedMediaType(f"Send a multipart form with the field {FIELD!r}.")
    upload = request.files.get(FIELD)
    data = b"" if upload is None else upload.read()
    if not data:
        raise BadRequest(f"The form has no picture: send a file in the field {FIELD!r}.")
    if not data.startswith(_STARTS) and not (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        raise UnsupportedMediaType("The file is no picture that is read here: send JPEG, PNG or WebP.")
    return data


class Decoder:
    """Decodes pictures, a few at a time, so that memory and cores are not the senders' to give away.

    Args:
        at_once: How many may be decoded and judged at the same time.
        max_pixels: Largest picture, width times height.
    """

    def __init__(self, *, at_once: int, max_pixels: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._max_pixels = max_pixels

    @contextlib.contextmanager
    def decoded(self, data: bytes) -> Iterator[Picture]:
        """The upright picture, and the turn to judge it.

        Raises:
            ImageError: It is broken, or larger than allowed.
            Busy: No turn came in time.
        """
        if not self._free.acquire(timeout=_WAIT_S):
            raise Busy
        try:
            yield read_image(data, min_side_px=_MIN_SIDE_PX, max_pixels=self._max_pixels)
        finally:
            self._free.release()
