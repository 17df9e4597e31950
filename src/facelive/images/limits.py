"""What one picture may cost, and what all pictures that are decoded at the same time may cost together."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import Iterator

from PIL import Image

from facelive.errors import ImageError, ImageTooLargeError

__all__ = [
    "MAX_BYTES",
    "MAX_PIECES",
    "MAX_PIXELS",
    "MAX_PROFILE_BYTES",
    "MAX_SCANS",
    "MAX_SCAN_PIXELS",
    "MAX_SIDE_PX",
    "check_size",
    "decoding",
    "refuse_bytes",
]

MAX_BYTES = 32 * 2**20
"""Largest encoded picture that is read."""

MAX_PIXELS = 64_000_000
"""Largest picture, width times height, that is decoded; checked on the header, before decoding."""

MAX_SIDE_PX = 65_535
"""Longest side: a JPEG's own limit. Decoders hold whole rows, so one row of 64 million pixels costs gigabytes."""

MAX_SCANS = 100
"""Of a JPEG; encoders write about 10."""

MAX_SCAN_PIXELS = 16 * MAX_PIXELS
"""Scans times pixels of a JPEG: each scan passes over every pixel once more."""

MAX_PIECES = {"segments": 2_000, "chunks": 50_000, "blocks": 4_000, "strips": 16_384}
"""Parts of a JPEG, of a PNG or WebP, of a GIF before its first frame, and of a TIFF's pixels. An extended XMP of 30 MB
takes 500 segments; libpng writes a chunk for 8 KiB; the largest TIFF with a strip for each row has about 10,000."""

MAX_PROFILE_BYTES = 2**20
"""A larger colour profile is passed over."""


def check_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse a picture that is too large, or has no pixels.

    Raises:
        ImageTooLargeError: It has more than ``max_pixels`` pixels, or a side above ``MAX_SIDE_PX``.
        ImageError: It has none.
    """
    if width < 1 or height < 1:
        raise ImageError(f"the picture has {width}x{height} pixels: at least 1 is needed")
    if width * height > max_pixels:
        raise ImageTooLargeError(f"the picture has {width}x{height} pixels: at most {max_pixels} are read")
    if max(width, height) > MAX_SIDE_PX:
        raise ImageTooLargeError(f"the picture has {width}x{height} pixels: no side above {MAX_SIDE_PX} is read")


def refuse_bytes() -> bytes:
    """Raise the ``ImageTooLargeError`` of a file above ``MAX_BYTES``."""
    raise ImageTooLargeError(f"the picture has more than {MAX_BYTES} bytes: send a smaller one")


# The C library keeps blocks up to 32 MB for the thread that freed them, and Pillow's have 16: eight threads that took
# turns with 49 megapixels each kept 1,750 MB. Larger ones go back at once: 518 MB, as one thread takes.
if "PILLOW_BLOCK_SIZE" not in os.environ:
    Image.core.set_block_size(64 * 2**20)  # type: ignore[attr-defined,unused-ignore]

_in_work = 0
_changed = threading.Condition()


@contextmanager
def decoding(pixels: int) -> Iterator[None]:
    """Wait until this picture fits beside those that other threads decode: ``MAX_PIXELS`` in all.

    Several threads with a small picture each never wait for one another; several with a picture near the limit
    take turns, so that memory is bounded by one of them. A picture that is decoded at 1/8 counts as what it becomes.
    """
    global _in_work
    with _changed:
        _changed.wait_for(lambda: _in_work == 0 or _in_work + pixels <= MAX_PIXELS)
        _in_work += pixels
    try:
        yield
    finally:
        with _changed:
            _in_work -= pixels
            _changed.notify_all()


def _forget() -> None:
    """A forked child has none of its parent's other threads, but would wait for what they were doing."""
    global _in_work, _changed
    _in_work, _changed = 0, threading.Condition()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
