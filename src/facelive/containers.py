"""Walks a picture's file before Pillow does: some files of a few megabytes keep its readers busy for minutes.

A decoder's time and memory should follow from the bytes and the pixels, which `facelive.images` limits. Some parts of a
file break that rule: metadata that is copied once more for each piece of it, scans of a JPEG that each pass over every
pixel, EXIF entries that all point at the same bytes, a compression that Pillow undoes pixel by pixel in Python. Each is
counted here and refused where no camera, browser or editor goes. Anything else that is wrong is left to the decoder.
"""

from __future__ import annotations

import re
import struct
from typing import Any, Mapping

from facelive.errors import ImageError

__all__ = ["check_container", "check_metadata"]

MAX_SEGMENTS = 2_000  # of a JPEG; an extended XMP of 30 MB takes 500
MAX_SCANS = 100  # of a progressive JPEG; encoders write about 10
MAX_EXIF_BYTES = 2**20  # one segment holds 64 KiB, and cameras fill one
MAX_CHUNKS = 50_000  # of a PNG; libpng writes one in 8 KiB
MAX_BLOCKS = 4_000  # of a GIF before its first frame, 255 bytes each
MAX_STRIPS = 65_536  # of a TIFF

# The next marker with meaning: stuffed zeros, fill bytes and restart markers are passed over, as libjpeg does.
_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_STRIP_TAGS = (273, 279, 324, 325)
_CUT_SHORT = (struct.error, IndexError, OverflowError)  # a BigTIFF can point further than a machine can count


def check_container(data: bytes) -> None:
    """Refuse a file that would cost far more than its bytes and pixels.

    Args:
        data: The whole file, in any format.

    Raises:
        ImageError: It has more parts than a picture needs; the message says which.
    """
    try:
        if data[:2] == b"\xff\xd8":
            _check_jpeg(data)
        elif data[:4] == b"\x89PNG":
            _check_png(data)
        elif data[:4] == b"GIF8":
            _check_gif(data)
        elif data[:2] == b"BM":
            _check_bmp(data)
        elif data[:2] in (b"II", b"MM"):
            _check_directory(data)
    except _CUT_SHORT:
        return  # the decoder says so


def check_metadata(info: Mapping[Any, Any]) -> None:
    """Refuse EXIF data, as Pillow's ``image.info`` holds it, that would unfold to far more than its bytes.

    Raises:
        ImageError: It is too large, or its entries overlap.
    """
    exif, profile = info.get("exif"), info.get("Raw profile type exif")
    if not isinstance(exif, bytes) and isinstance(profile, str):
        try:
            exif = bytes.fromhex("".join(profile.split("\n")[3:]))
        except ValueError:
            return  # Pillow passes over it too
    if isinstance(exif, bytes):
        _check_exif(exif)


def _check_jpeg(data: bytes) -> None:
    position, segments, scans, exif = 2, 0, 0, []
    while True:
        found = _MARKER.search(data, position)
        if found is None or found[1] == b"\xd9":
            break
        segments += 1
        scans += found[1] == b"\xda"
        _at_most(MAX_SEGMENTS, segments, "segments")
        _at_most(MAX_SCANS, scans, "scans")
        position = found.end()
        if found[1] != b"\xd8":
            (length,) = struct.unpack_from(">H", data, position)
            if found[1] == b"\xe1" and data.startswith(b"Exif\0\0", position + 2):
                exif.append(data[position + 8 : position + length])
            position += max(2, length)
    _check_exif(b"".join(exif))


def _check_png(data: bytes) -> None:
    position, chunks = 8, 0
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        chunks += 1
        _at_most(MAX_CHUNKS, chunks, "chunks")
        if kind == b"IEND":
            return
        position += 12 + int(length)


def _check_gif(data: bytes) -> None:
    flags = data[10]
    position = 13 + (3 * (2 << (flags & 7)) if flags & 0x80 else 0)
    blocks = 0
    while data[position] not in (0x2C, 0x3B):  # the first frame, the end
        _at_most(MAX_BLOCKS, blocks, "blocks")
        blocks += 1
        if data[position] != 0x21:
            position += 1  # Pillow looks for the next block byte by byte
            continue
        position += 2
        while data[position]:
            position += 1 + data[position]
            blocks += 1
            _at_most(MAX_BLOCKS, blocks, "blocks")
        position += 1


def _check_bmp(data: bytes) -> None:
    header, compression = struct.unpack_from("<I12xI", data, 14)
    if header >= 40 and compression in (1, 2):
        raise ImageError("the picture is a run-length encoded BMP, which no camera writes: save it as PNG")


def _check_exif(exif: bytes) -> None:
    if len(exif) > MAX_EXIF_BYTES:
        raise ImageError(f"the picture has {len(exif)} bytes of EXIF, more than {MAX_EXIF_BYTES}: save it without")
    try:
        while exif[:6] == b"Exif\0\0":
            exif = exif[6:]
        _check_directory(exif)
    except _CUT_SHORT:
        return  # Pillow passes over it


def _check_directory(data: bytes) -> None:
    """The first directory of a TIFF, or of EXIF, which has the same layout."""
    order = "<" if data[:2] == b"II" else ">"
    if 43 in data[2:4]:  # BigTIFF
        (start,) = struct.unpack_from(order + "Q", data, 8)
        (entries,) = struct.unpack_from(order + "Q", data, start)
        entry, start = struct.Struct(order + "HHQQ"), start + 8
    else:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (entries,) = struct.unpack_from(order + "H", data, start)
        entry, start = struct.Struct(order + "HHII"), start + 2
    unfolded = 0
    for position in range(start, min(start + entries * entry.size, len(data) - entry.size + 1), entry.size):
        tag, kind, count, offset = entry.unpack_from(data, position)
        size = count * _TIFF_SIZES.get(kind, 0)
        if offset + size <= len(data):
            unfolded += size
        if tag in _STRIP_TAGS and size:
            _at_most(MAX_STRIPS, count, "strips")
    _at_most(4 * len(data) + 65_536, unfolded, "bytes of metadata")


def _at_most(limit: int, count: int, what: str) -> None:
    if count > limit:
        raise ImageError(f"the picture has more than {limit} {what}, which none needs: save it again without metadata")
