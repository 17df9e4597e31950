"""A TIFF's directory, which is also what EXIF is: the orientation, and the few entries that pixels need.

Pillow reads every entry of every directory, and entries may all point at the same bytes: a file of a megabyte becomes
gigabytes. So it never sees one: the orientation is read here, and a TIFF gets a new directory of what pixels need.
"""

from __future__ import annotations

import struct
from typing import Dict, Iterator, Tuple

from facelive.errors import ImageError
from facelive.images.limits import MAX_PIECES, check_size

__all__ = ["exif_orientation", "pixels_only"]

_ORIENTATION = 0x0112
_WIDTH, _HEIGHT, _COMPRESSION, _SAMPLES, _ROWS_A_STRIP, _PLANAR = 256, 257, 259, 277, 278, 284
_STRIPS, _STRIP_BYTES, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 273, 279, 322, 323, 324, 325
_BITS, _PHOTOMETRIC, _FILL_ORDER, _PREDICTOR, _COLOURS, _EXTRA, _FORMAT = 258, 262, 266, 317, 320, 338, 339
_PROFILE = 34_675
_LAYOUT = (_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES)
_KEPT = {_WIDTH, _HEIGHT, _COMPRESSION, _SAMPLES, _ROWS_A_STRIP, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT, *_LAYOUT}
_KEPT |= {_BITS, _PHOTOMETRIC, _FILL_ORDER, _PREDICTOR, _COLOURS, _EXTRA, _FORMAT}
_INTEGERS = {1: "B", 3: "H", 4: "I"}
_COMPRESSIONS = {1, 5, 8, 32_773, 32_946}  # none, LZW, deflate twice, PackBits
_LARGEST_TILE = 1_024 * 1_024
_MOST_VALUES = 3 * 65_536  # the colours of a 16-bit palette

Entry = Tuple[int, int, int, bytes]  # tag, type, count, and the 4 bytes of its value or its offset


def exif_orientation(exif: bytes) -> int:
    """How the camera was held, 1 to 8; 1 where the EXIF data do not say."""
    while exif[:6] == b"Exif\0\0":
        exif = exif[6:]
    try:
        order = _order(exif)
        for tag, kind, _, value in _entries(exif, order):
            if tag == _ORIENTATION and kind == 3:
                (turn,) = struct.unpack_from(order + "H", value)
                return int(turn) if turn <= 8 else 1
    except (struct.error, ImageError):
        pass
    return 1


def pixels_only(data: bytes) -> Tuple[bytes, int, bytes]:
    """A TIFF whose directory has only what pixels need, its orientation, and its colour profile.

    Raises:
        ImageError: It is a kind of TIFF that is not read, or its strips do not cover the picture exactly once.
        struct.error: It is cut short.
    """
    order, entries, rest = _order(data), dict[int, Entry](), dict[int, Entry]()
    for entry in _entries(data, order):
        (entries if entry[0] in _KEPT else rest).setdefault(entry[0], entry)
    _check_layout(data, order, entries)
    directory = struct.pack(order + "H", len(entries))
    directory += b"".join(struct.pack(order + "HHI4s", *entries[tag]) for tag in sorted(entries)) + bytes(4)
    padded = data + bytes(len(data) % 2)
    profile = b""
    if _PROFILE in rest:
        _, _, count, value = rest[_PROFILE]
        (start,) = struct.unpack(order + "I", value)
        profile = data[start : start + count]
    turn = exif_orientation(data) if _ORIENTATION in rest else 1
    return padded[:4] + struct.pack(order + "I", len(padded)) + padded[8:] + directory, turn, profile


def _order(data: bytes) -> str:
    try:
        return {b"II*\0": "<", b"MM\0*": ">"}[data[:4]]
    except KeyError:
        raise ImageError("the picture is a BigTIFF or another rare kind of TIFF: save it as PNG") from None


def _entries(data: bytes, order: str) -> Iterator[Entry]:
    """The entries of the first directory."""
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    whole = (len(data) - start - 2) // 12
    yield from struct.iter_unpack(order + "HHI4s", data[start + 2 : start + 2 + 12 * min(count, whole)])


def _check_layout(data: bytes, order: str, entries: Dict[int, Entry]) -> None:
    """Each strip or tile once, within the file, and together no longer than it."""

    def values(tag: int, default: int) -> Tuple[int, ...]:
        if tag not in entries:
            return (default,)
        _, kind, count, value = entries[tag]
        if tag in _LAYOUT and count > MAX_PIECES["strips"]:
            raise ImageError(f"the picture has more than {MAX_PIECES['strips']} strips: save it as PNG")
        if kind not in _INTEGERS or not 1 <= count <= _MOST_VALUES:
            raise ImageError("the picture is a broken TIFF: save it as PNG")
        form = f"{order}{count}{_INTEGERS[kind]}"
        if struct.calcsize(form) <= 4:
            return struct.unpack_from(form, value)
        return struct.unpack_from(form, data, *struct.unpack(order + "I", value))

    for tag in entries.keys() - set(_LAYOUT):
        values(tag, 0)
    width, height = values(_WIDTH, 0)[0], values(_HEIGHT, 0)[0]
    check_size(width, height)
    if values(_COMPRESSION, 1)[0] not in _COMPRESSIONS:
        raise ImageError("the picture is a TIFF in a compression that is not read: save it as PNG")
    planes = values(_SAMPLES, 1)[0] if values(_PLANAR, 1)[0] == 2 else 1
    if _TILES in entries:
        across, down = values(_TILE_WIDTH, 0)[0], values(_TILE_HEIGHT, 0)[0]
        offsets, sizes = values(_TILES, 0), values(_TILE_BYTES, 0)
    else:
        across, down = width, min(values(_ROWS_A_STRIP, height)[0], height)
        offsets, sizes = values(_STRIPS, 0), values(_STRIP_BYTES, len(data))
    if not across or not down or across * down > max(_LARGEST_TILE, width * height):
        raise ImageError("the picture is a TIFF of tiles far larger than itself: save it as PNG")
    if len(offsets) != -(-width // across) * -(-height // down) * planes or sum(sizes) > len(data):
        raise ImageError("the picture is a TIFF whose strips do not cover it exactly once: save it as PNG")
