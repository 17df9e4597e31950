"""Pictures that somebody made to do harm: each with a name, all made here, from a flat tile or from the portrait."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any, Iterator

import numpy as np
from PIL import Image

__all__ = ["PORTRAIT", "Named", "bombs", "portraits", "small_pictures", "truncated"]

Named = Iterator[tuple[str, bytes]]

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
MEGABYTES = 12  # of a bomb whose size is its weapon; the library reads up to 32


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tile(mode: str = "RGB", size: tuple[int, int] = (24, 16)) -> Image.Image:
    """A small picture with two colours."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, : size[0] // 2] = (200, 90, 30)
    return Image.fromarray(pixels).convert(mode)


def portrait() -> Image.Image:
    """The portrait, decoded."""
    return Image.open(PORTRAIT).convert("RGB")


def chunk(kind: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """A chunk of a PNG, with a length that may lie."""
    return struct.pack(">I", len(data) if length is None else length) + kind + data + _crc(kind + data)


def _crc(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG up to its header."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def tiff(*entries: tuple[int, int, int, int], tail: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory; the tail starts right behind it."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + b"\0\0\0\0" + tail


def bigtiff(start: int) -> bytes:
    """A little-endian BigTIFF whose directory is said to begin there; nothing follows."""
    return b"II+\0\x08\0\0\0" + struct.pack("<Q", start)


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def bmp(width: int, height: int, compression: int, body: bytes, bits: int = 8) -> bytes:
    """A BMP with a black palette."""
    start = 14 + 40 + 1024
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + bytes(1024) + body


def webp_canvas(width: int, height: int) -> bytes:
    """An animated WebP whose canvas is huge and whose frames are missing."""
    canvas = (
        b"VP8X" + struct.pack("<IB3x", 10, 2) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    )
    body = b"WEBP" + canvas + b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bombs() -> Named:
    """Small or large, all of them would cost far more than their bytes: each must be refused."""
    large = MEGABYTES * 2**20
    jpeg, png, gif = saved(tile(), "JPEG"), saved(tile(), "PNG"), saved(tile(), "GIF")
    gif_start = 13 + 3 * (2 << (gif[10] & 7))
    flood = zlib.compress(bytes(2**26), 9)
    yield "png-50000-square", png_header(50_000, 50_000) + chunk(b"IDAT", flood) + chunk(b"IEND")
    yield "png-9000-square", png_header(9_000, 9_000) + chunk(b"IDAT", flood) + chunk(b"IEND")
    yield "png-flood-cut-short", png_header(8_000, 8_000) + chunk(b"IDAT", flood[:999]) + chunk(b"IEND")
    yield "png-text-flood", png[:33] + chunk(b"zTXt", b"Comment\0\0" + flood) + png[33:]
    yield "png-profile-flood", png[:33] + chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**28), 9)) + png[33:]
    yield "png-many-chunks", png[:33] + chunk(b"teSt") * (large // 12) + png[33:]
    yield "png-length-lies", png_header(64, 64) + chunk(b"IDAT", b"x", length=2**31 - 1)
    yield "jpeg-many-comments", jpeg[:2] + segment(0xFE, b"") * (large // 4) + jpeg[2:]
    yield "jpeg-many-exif", jpeg[:2] + segment(0xE1, b"Exif\0\0" + bytes(10)) * (large // 20) + jpeg[2:]
    yield "jpeg-huge-exif", jpeg[:2] + segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + bytes(65_000)) * 200 + jpeg[2:]
    yield "jpeg-65000-square", jpeg.replace(struct.pack(">HH", 16, 24), struct.pack(">HH", 65_000, 65_000), 1)
    scans = saved(tile(size=(2_048, 2_048)), "JPEG", progressive=True, quality=20)
    last = scans[scans.rindex(b"\xff\xda") : -2]
    yield "jpeg-many-scans", scans[:-2] + last * 20_000 + scans[-2:]
    yield "gif-many-comments", gif[:gif_start] + b"\x21\xfe\1a\0" * (large // 5) + gif[gif_start:]
    yield "gif-long-comment", gif[:gif_start] + b"\x21\xfe" + b"\1a" * (large // 2) + b"\0" + gif[gif_start:]
    yield "gif-65535-square", gif[:6] + b"\xff\xff\xff\xff" + gif[10:]
    yield "gif-frame-beyond-screen", gif.replace(struct.pack("<HH", 24, 16), struct.pack("<HH", 65_535, 65_535))
    yield "webp-16777216-square", webp_canvas(2**24, 2**24)
    yield "webp-16000-square", webp_canvas(16_000, 16_000)
    yield "bmp-run-length", bmp(8_000, 8_000, 1, b"\1\5" * (large // 2))
    yield "bmp-delta", bmp(60_000_000, 1, 1, b"\0\2\xff\xff" * 9 + b"\0\1")
    yield "bmp-2-billion-wide", bmp(2**31 - 1, 1, 0, b"\0")
    yield "bmp-negative", bmp(-640, -480, 0, b"\0")
    size = [(256, 4, 1, 100_000), (257, 4, 1, 100_000), (258, 3, 1, 8), (262, 3, 1, 1)]
    yield "tiff-100000-square", tiff(*size, (273, 4, 1, 8), (277, 3, 1, 1), (279, 4, 1, 9))
    strips = [(256, 4, 1, 64), (257, 4, 1, 64_000), (258, 3, 1, 8), (262, 3, 1, 1)]
    count = large // 4
    strips += [(273, 4, count, 110), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, count, 110)]
    yield "tiff-many-strips", tiff(*strips, tail=struct.pack("<I", 8) * count)
    overlap = [(256, 4, 1, 64), (257, 4, 1, 64), *((tag, 7, 2**20, 8) for tag in range(40_000, 44_000))]
    yield "tiff-overlapping-entries", tiff(*overlap, tail=bytes(2**20))
    exif = tiff(*((tag, 7, 2**19, 8) for tag in range(40_000, 44_000)), tail=bytes(2**19))
    yield "png-overlapping-exif", png[:33] + chunk(b"eXIf", exif) + png[33:]


def truncated(step: int = 97) -> Named:
    """The portrait as JPEG and PNG, cut at every ``step``-th byte; small, so that there are hundreds."""
    small = portrait().resize((128, 128))
    for kind in ("JPEG", "PNG"):
        content = saved(small, kind)
        for length in range(0, len(content) - 16, step):
            yield f"{kind.lower()}-cut-at-{length}", content[:length]


def small_pictures() -> Named:
    """A few hundred bytes each: every format and kind that is read, and ways to get each wrong."""
    for kind in FORMATS:
        content = saved(tile(), kind)
        yield f"{kind.lower()}-whole", content
        yield f"{kind.lower()}-half", content[: len(content) // 2]
        yield f"{kind.lower()}-torn", content[: len(content) // 2] + content[len(content) // 2 + 7 :]
    jpeg, png = saved(tile(), "JPEG"), saved(tile(), "PNG")
    for mode in ("1", "L", "LA", "P", "RGBA", "I;16"):
        image = Image.fromarray(np.arange(384, dtype=np.uint16).reshape(16, 24) * 170) if mode == "I;16" else tile(mode)
        yield f"png-{mode}", saved(image, "PNG")
    yield "jpeg-cmyk", saved(tile("CMYK"), "JPEG")
    yield "jpeg-progressive", saved(tile(), "JPEG", progressive=True)
    turned = Image.Exif()
    turned[0x0112] = 6
    for kind in ("JPEG", "PNG", "WEBP"):
        yield f"{kind.lower()}-turned", saved(tile(), kind, exif=turned)
        yield f"{kind.lower()}-bad-profile", saved(tile(), kind, icc_profile=b"no profile")
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        yield f"{kind.lower()}-animated", saved(tile(), kind, save_all=True, append_images=[tile().rotate(180)])
    for compression in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits"):
        yield f"tiff-{compression}", saved(tile(), "TIFF", compression=compression)
    yield "bmp-run-length", bmp(24, 16, 1, b"\x18\1\0\0" * 16 + b"\0\1")
    yield "empty", b""
    yield "zero-wide-png", png_header(0, 16) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND")
    yield "zero-high-bmp", bmp(24, 0, 0, b"")
    yield "zero-gif", b"GIF89a" + bytes(7) + b"\x2c" + bytes(9) + b"\x02\0;"
    for marker in (0x00, 0x01, 0xC3, 0xC9, 0xD8, 0xD9, 0xDA, 0xFF):
        yield f"jpeg-marker-{marker:02x}", jpeg[:3] + bytes((marker,)) + jpeg[4:]
    yield "jpeg-length-0", jpeg[:4] + b"\0\0" + jpeg[6:]
    yield "png-wrong-crc", png[:30] + bytes(3) + png[33:]
    yield "png-depth-3", png_header(24, 16, depth=3) + png[33:]
    yield "png-behind-jpeg-magic", b"\xff\xd8\xff" + png
    yield "bigtiff-points-past-any-memory", bigtiff(2**64 - 1)
    yield "exif-points-past-any-memory", jpeg[:2] + segment(0xE1, b"Exif\0\0" + bigtiff(2**63)) + jpeg[2:]
    yield "exif-points-at-itself", jpeg[:2] + segment(0xE1, b"Exif\0\0" + tiff((0x8769, 4, 1, 8))) + jpeg[2:]


def portraits() -> Named:
    """The portrait itself in unusual dress: a genuine live picture, so that one which still decodes may be live."""
    image, jpeg = portrait(), PORTRAIT.read_bytes()
    archive = io.BytesIO()
    import zipfile

    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("page.html", "<script>alert(1)</script>")
    yield "jpeg-and-zip", jpeg + archive.getvalue()
    yield "jpeg-and-script", jpeg[:2] + segment(0xFE, b"<?php echo 1 ?>") + jpeg[2:]
    yield (
        "jpeg-64k-exif",
        jpeg[:2] + segment(0xE1, b"Exif\0\0" + tiff((0x010E, 2, 65_000, 26), tail=bytes(65_000))) + jpeg[2:],
    )
    yield "jpeg-bad-profile", saved(image, "JPEG", quality=95, icc_profile=b"no profile at all" * 99)
    yield "jpeg-cmyk", saved(image.convert("CMYK"), "JPEG", quality=95)
    yield "png-16-bit", saved(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG")
    others = [Image.new("RGB", image.size, colour) for colour in ("black", "white")]
    for kind in ("WEBP", "GIF", "PNG"):
        yield f"{kind.lower()}-animated", saved(image, kind, save_all=True, append_images=others)
        yield f"{kind.lower()}-animated-portrait-second", saved(others[0], kind, save_all=True, append_images=[image])
