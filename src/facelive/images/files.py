"""A picture's file with what its decoder needs, and nothing else of it.

A decoder's time and memory should follow from the bytes and the pixels. Metadata breaks that rule: it is copied once
more for each piece of it, unfolded, and read byte by byte in Python. So none of it reaches Pillow. The two parts that
matter, the orientation and the colour profile, are read here; what is left and still costs too much is refused.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import Callable, Dict, NamedTuple

from facelive.errors import ImageError
from facelive.images.limits import MAX_PIECES, MAX_PROFILE_BYTES, MAX_SCAN_PIXELS, MAX_SCANS
from facelive.images.tiff import exif_orientation, pixels_only

__all__ = ["Encoded", "strip"]

# The next marker with meaning: stuffed zeros, fill bytes and restart markers are passed over, as libjpeg does.
_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
_SOF, _OTHER_SOF = (0xC0, 0xC1, 0xC2), (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_SOI, _EOI, _SOS, _EXIF, _ICC = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2
_KEPT = {*_SOF, _SOS, 0xC4, 0xDB, 0xDD, 0xE0, 0xEE}  # tables, restarts, JFIF and Adobe: how colours are stored


_BRANDS = dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF")
_BRANDS |= dict.fromkeys((b"avif", b"avis"), "AVIF")


class Encoded(NamedTuple):
    """What is left of a file.

    Args:
        kind: Pillow's name of the format.
        data: A file of that format.
        orientation: As EXIF counts, 1 to 8.
        profile: The ICC profile, or nothing.
        in_scans: Whether a JPEG's pixels come in several scans, which are held at full size until the last.
    """

    kind: str
    data: bytes
    orientation: int = 1
    profile: bytes = b""
    in_scans: bool = False


def strip(data: bytes) -> Encoded:
    """Leave out of a picture's file whatever its pixels do not need.

    Args:
        data: The whole file.

    Raises:
        ImageError: It is in no format that is read, is cut short, or would cost far more than its bytes and pixels.
    """
    for magic, walk in _WALKS.items():
        if data.startswith(magic):
            try:
                return walk(data)
            except (struct.error, IndexError) as error:
                raise ImageError("the picture is broken or cut short: its file ends too early") from error
    if data[4:8] == b"ftyp" and data[8:12] in _BRANDS:
        return Encoded(_BRANDS[data[8:12]], data)
    if data.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")):
        return Encoded("JPEG2000", data)
    raise ImageError("the bytes are not a picture in a known format (JPEG, PNG, WEBP, GIF, BMP, TIFF)")


def _jpeg(data: bytes) -> Encoded:
    parts, profile, exif = [data[:2]], dict[int, bytes](), b""
    position, segments, scans, pixels = 2, 0, 0, 0
    while True:
        found = _MARKER.search(data, position)
        if found is None:
            raise ImageError("the picture is broken or cut short: a JPEG without its end")
        marker = found[1][0]
        if scans and parts[-1][1] == _SOS:
            parts.append(_unfilled(data[position : found.start()]))  # the pixels of a scan
        if marker == _EOI:
            parts.append(found[0])
            break
        segments += 1
        _at_most("segments", segments)
        position = found.end()
        if marker == _SOI:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        body, start = data[position + 2 : position + length], found.start()
        position += max(2, length)
        if marker in _OTHER_SOF or (marker in _SOF and pixels):
            raise ImageError("the picture is a rare kind of JPEG, neither baseline nor progressive: save it again")
        if marker in _SOF:
            height, width = struct.unpack_from(">HH", body, 1)
            pixels = max(1, height * width)
        elif marker == _SOS:
            scans += 1
            if scans > MAX_SCANS or scans * pixels > MAX_SCAN_PIXELS:
                raise ImageError(f"the picture has {scans} scans or more, which none of its size needs: save it again")
        elif marker == _EXIF and body.startswith(b"Exif\0\0"):
            exif = exif or body
        elif marker == _ICC and body.startswith(b"ICC_PROFILE\0"):
            profile[body[12]] = body[14:]
        if marker in _KEPT:
            parts.append(data[start:position])
    icc = b"".join(profile[number] for number in sorted(profile))
    return Encoded("JPEG", b"".join(parts), exif_orientation(exif), icc, in_scans=scans > 1)


def _unfilled(scan: bytes) -> bytes:
    """Without runs of fill bytes, where one means the same: libjpeg begins a run anew with each block it is given."""
    while b"\xff\xff" in scan:
        scan = scan.replace(b"\xff\xff", b"\xff")
    return scan


def _png(data: bytes) -> Encoded:
    head, pixels, exif, profile = [data[:8]], list[bytes](), b"", b""
    position, chunks = 8, 0
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        chunks += 1
        _at_most("chunks", chunks)
        if kind in (b"IHDR", b"PLTE", b"tRNS"):
            head.append(data[position:end])
        elif kind == b"IDAT":
            pixels.append(data[position + 8 : end - 4])
        elif kind == b"eXIf":
            exif = exif or data[position + 8 : end - 4]
        elif kind == b"iCCP":
            profile = profile or _inflated(data[position + 8 : end - 4])
        elif kind == b"IEND":
            break
        position = end
    stream = b"IDAT" + b"".join(pixels)
    body = [struct.pack(">I", len(stream) - 4), stream, struct.pack(">I", zlib.crc32(stream))]
    return Encoded("PNG", b"".join(head + body + [b"\0\0\0\0IEND\xaeB`\x82"]), exif_orientation(exif), profile)


def _inflated(chunk: bytes) -> bytes:
    """The profile of an iCCP chunk: a name, a zero, the method, and a zlib stream."""
    start, unzip = chunk.find(b"\0") + 2, zlib.decompressobj()
    try:
        return unzip.decompress(chunk[start:], MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return b""


def _webp(data: bytes) -> Encoded:
    if data[8:12] != b"WEBP":
        raise ImageError("the bytes are not a picture in a known format: a RIFF file that is no WebP")
    position, chunks, found = 12, 0, dict[bytes, bytes]()
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        chunks += 1
        _at_most("chunks", chunks)
        if kind in (b"EXIF", b"ICCP"):
            found.setdefault(kind, data[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    return Encoded("WEBP", data, exif_orientation(found.get(b"EXIF", b"")), found.get(b"ICCP", b""))


def _gif(data: bytes) -> Encoded:
    start = 13 + (3 * (2 << (data[10] & 7)) if data[10] & 0x80 else 0)
    position, blocks, control = start, 0, b""
    while data[position] not in (0x2C, 0x3B):  # the first frame, the end
        blocks += 1
        _at_most("blocks", blocks)
        if data[position] != 0x21:
            position += 1  # Pillow looks for the next block byte by byte
            continue
        if data[position + 1] == 0xF9:
            control = data[position : position + 8]  # which colour is transparent
        position += 2
        while data[position]:
            position += 1 + data[position]
            blocks += 1
            _at_most("blocks", blocks)
        position += 1
    return Encoded("GIF", data[:start] + control + data[position:])


def _bmp(data: bytes) -> Encoded:
    header, compression = struct.unpack_from("<I12xI", data, 14)
    if header >= 40 and compression in (1, 2):  # which Pillow undoes pixel by pixel in Python
        raise ImageError("the picture is a run-length encoded BMP, which no camera writes: save it as PNG")
    return Encoded("BMP", data)


def _tiff(data: bytes) -> Encoded:
    return Encoded("TIFF", *pixels_only(data))


def _at_most(what: str, count: int) -> None:
    if count > MAX_PIECES[what]:
        raise ImageError(f"the picture has more than {MAX_PIECES[what]} {what}, which none needs: save it again")


_WALKS: Dict[bytes, Callable[[bytes], Encoded]] = {
    b"\xff\xd8": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"RIFF": _webp,
    b"GIF8": _gif,
    b"BM": _bmp,
    b"II": _tiff,
    b"MM": _tiff,
}
