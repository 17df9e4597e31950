"""The law of docs/security.md: what a picture costs follows from its bytes and its pixels, whatever its file holds."""

from __future__ import annotations

import struct
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.hostile.pictures import bombs, chunk, png_header, saved, segment, small_pictures, tiff

from facelive import ImageError
from facelive.images import read_image

# The documented figures, times three for processors that are slow or busy.
SECONDS, SECONDS_A_PIXEL, SECONDS_A_BYTE = 3 * 0.1, 3 * 100e-9, 3 * 100e-9
BYTES, BYTES_A_PIXEL, BYTES_A_BYTE = 64 * 2**20, 20, 4

SIDES = st.tuples(st.integers(1, 1_500), st.integers(1, 1_500)) | st.sampled_from(
    [(1, 65_535), (60_000, 3), (65_536, 1)]
)


def picture(size: Tuple[int, int], mode: str, noisy: bool) -> Image.Image:
    if not noisy:
        return Image.new("RGB", size, (200, 90, 30)).convert(mode)
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


@st.composite
def files(draw: st.DrawFn) -> Tuple[bytes, int]:
    """A file and its pixels: every format, stuffed with what its readers pass over again and again."""
    size, noisy, times = draw(SIDES), draw(st.booleans()), draw(st.integers(0, 60_000))
    kind = draw(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "strips"]))
    longest = {"WEBP": 16_383, "JPEG": 65_500, "GIF": 65_535}.get(kind, 65_536)
    size = (min(size[0], longest), min(size[1], longest))
    if kind == "strips":
        return strips(*size, draw(st.integers(1, 9)), draw(st.integers(0, 3))), size[0] * size[1]
    mode = draw(st.sampled_from(["L", "RGB", "CMYK"] if kind in ("JPEG", "TIFF") else ["RGB", "P", "1"]))
    mode = "RGB" if kind == "WEBP" else mode
    progressive = draw(st.booleans())
    known: Dict[str, Dict[str, Any]] = {"JPEG": {"progressive": progressive}, "WEBP": {"method": 0, "lossless": noisy}}
    data = saved(picture(size, mode, noisy), kind, **known.get(kind, {}))
    if kind == "JPEG":
        stuffing = draw(st.sampled_from([b"\xff", b"\xff\xd0", b"\xff\0", *map(junk, (0xFE, 0xE1, 0xE2, 0xC4, 0xDB))]))
        place = 2 if draw(st.booleans()) else len(data) - 2
        data = data[:place] + stuffing * times + data[place:]
        if progressive:
            last = data[data.rindex(b"\xff\xda") : -2]
            data = data[:-2] + last * min(draw(st.integers(0, 200)), 2**23 // len(last)) + data[-2:]
    elif kind == "PNG":
        piece = chunk(draw(st.sampled_from([b"teSt", b"tEXt", b"eXIf", b"iCCP", b"IDAT", b"PLTE", b"acTL"])), b"")
        data = data[:33] + piece * times + data[33:]
    elif kind == "GIF":
        place = 13 + 3 * (2 << (data[10] & 7))
        data = data[:place] + draw(st.sampled_from([b"\0", b"\x21\xfe\1a\0"])) * times + data[place:]
    return data, size[0] * size[1]


def junk(marker: int) -> bytes:
    return segment(marker, {0xE1: b"Exif\0\0", 0xE2: b"ICC_PROFILE\0\1\1"}.get(marker, b""))


def strips(width: int, height: int, rows: int, wrong: int) -> bytes:
    """A TIFF of many strips, all of them the same bytes, and maybe more of them than the picture has rows."""
    count = -(-height // rows) * (1 + wrong)
    at = 8 + 2 + 12 * 9 + 4
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, count, at), (277, 3, 1, 1), (278, 4, 1, rows), (279, 4, count, at + 4 * count)]
    tail = struct.pack("<I", at + 8 * count) * count + struct.pack("<I", width * rows) * count
    return tiff(*entries, tail=tail + bytes(width * rows))


def cost(data: bytes) -> Tuple[float, float]:
    """Seconds of processor time and bytes of memory to read or to refuse a file."""
    before, start = peak_bytes(reset=True), time.process_time()
    with suppress(ImageError):
        read_image(data)
    return time.process_time() - start, peak_bytes() - before


def peak_bytes(*, reset: bool = False) -> int:
    """The most memory that this process has had since the last reset; 0 where the system does not say."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return 0


def assert_lawful(data: bytes, pixels: int, name: str = "") -> None:
    seconds, memory = cost(data)
    assert seconds <= SECONDS + SECONDS_A_PIXEL * pixels + SECONDS_A_BYTE * len(data), (name, seconds, len(data))
    assert memory <= BYTES + BYTES_A_PIXEL * pixels + BYTES_A_BYTE * len(data), (name, memory, len(data))


@given(files())
@settings(max_examples=60)
def test_generated_files_cost_what_their_bytes_and_pixels_say(file: Tuple[bytes, int]) -> None:
    assert_lawful(*file)


def test_the_corpus_costs_what_its_bytes_say() -> None:
    for name, data in [*bombs(), *small_pictures()]:
        assert_lawful(data, 8_000 * 8_000 if name == "png-flood-cut-short" else 24 * 16, name)


def subdirectories(count: int, size: int) -> bytes:
    """EXIF whose second directory has entries that all are the same bytes: gigabytes, when it is unfolded."""
    start = 8 + 2 + 2 * 12 + 4
    first = tiff((0x0112, 3, 1, 6), (0x8769, 4, 1, start))
    behind = start + 2 + 12 * count + 4
    second = struct.pack("<H", count) + b"".join(struct.pack("<HHII", n, 7, size, behind) for n in range(1, count + 1))
    return first + second + bytes(4) + bytes(size)


def jpeg_with(exif: bytes) -> bytes:
    jpeg = saved(picture((24, 16), "RGB", noisy=False), "JPEG")
    pieces = [segment(0xE1, b"Exif\0\0" + exif[start : start + 65_000]) for start in range(0, len(exif), 65_000)]
    return jpeg[:2] + b"".join(pieces) + jpeg[2:]


def png_with(exif: bytes, *, behind: bool) -> bytes:
    png = saved(picture((24, 16), "RGB", noisy=False), "PNG")
    place = png.index(b"IEND") - 4 if behind else 33
    return png[:place] + chunk(b"eXIf", exif) + png[place:]


UNFOLDING: List[Tuple[str, Callable[[bytes], bytes]]] = [
    ("jpeg", jpeg_with),
    ("png", lambda exif: png_with(exif, behind=False)),
    ("png, behind its pixels", lambda exif: png_with(exif, behind=True)),
    ("webp", lambda exif: saved(picture((24, 16), "RGB", noisy=False), "WEBP", exif=b"Exif\0\0" + exif)),
]


@pytest.mark.parametrize(("name", "make"), UNFOLDING, ids=[name for name, _ in UNFOLDING])
def test_exif_is_turned_by_and_not_unfolded(name: str, make: Callable[[bytes], bytes]) -> None:
    data = make(subdirectories(20_000, 500_000))
    assert_lawful(data, 24 * 16, name)
    assert read_image(data).pixels.shape == (24, 16, 3)  # upright


@pytest.mark.parametrize("place", ["before the end", "in the scan"])
def test_fill_bytes_of_a_jpeg_are_passed_over_once(place: str) -> None:
    jpeg = saved(picture((640, 480), "RGB", noisy=True), "JPEG")
    at = 2 if place == "before the end" else len(jpeg) - 900
    data = jpeg[:at] + b"\xff" * (16 << 20) + b"\0" + jpeg[at:]  # a marker is none with a zero
    assert_lawful(data, 640 * 480)
    assert read_image(data).pixels.shape == (480, 640, 3)


def test_scans_times_pixels() -> None:
    jpeg = saved(picture((8_000, 8_000), "L", noisy=False), "JPEG", progressive=True, quality=20)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    with pytest.raises(ImageError, match="scans"):
        read_image(jpeg[:-2] + last * 90 + jpeg[-2:])


def test_strips_that_draw_a_picture_again_are_refused() -> None:
    with pytest.raises(ImageError, match="strips do not cover it exactly once"):
        read_image(strips(4_000, 8_000, 1, 1))
    assert read_image(strips(40, 80, 1, 0) + bytes(40 * 80)).pixels.shape == (80, 40, 3)


def test_a_row_of_millions_of_pixels_is_refused() -> None:
    wide = png_header(60_000_000, 1, colour=0) + chunk(b"IDAT", zlib.compress(bytes(60_000_001))) + chunk(b"IEND")
    with pytest.raises(ImageError, match="no side above 65535"):
        read_image(wide)
