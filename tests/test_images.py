from __future__ import annotations

import base64
import io
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from facelive import FaceliveError, ImageError
from facelive.errors import ImageTooLargeError
from facelive.images import MAX_BYTES, MAX_PIXELS, read_image

QUADRANTS = np.zeros((40, 60, 3), np.uint8)
QUADRANTS[:20, :30] = (200, 30, 40)
QUADRANTS[:20, 30:] = (30, 180, 60)
QUADRANTS[20:, :30] = (20, 40, 190)
QUADRANTS[20:, 30:] = (240, 240, 230)


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def quadrants() -> Image.Image:
    return Image.fromarray(QUADRANTS)


def corners(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int_]:
    """The colours in the middle of the four quadrants, row by row."""
    height, width = pixels.shape[:2]
    return np.array([pixels[y, x] for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)], int)


def assert_same_colours(pixels: npt.NDArray[np.uint8], tolerance: int = 0) -> None:
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    assert np.abs(corners(pixels) - corners(QUADRANTS)).max() <= tolerance


class TestEveryKindOfInput:
    def test_path_as_text_and_as_object(self, tmp_path: Path) -> None:
        file = tmp_path / "picture.png"
        file.write_bytes(encoded(quadrants()))
        for path in (str(file), file):
            assert np.array_equal(read_image(path).pixels, QUADRANTS)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
    def test_encoded_bytes(self, kind: Any) -> None:
        assert np.array_equal(read_image(kind(encoded(quadrants()))).pixels, QUADRANTS)

    @pytest.mark.parametrize("prefix", ["data:image/png;base64,", "DATA:;base64,"])
    def test_data_url(self, prefix: str) -> None:
        url = prefix + base64.b64encode(encoded(quadrants())).decode()
        assert np.array_equal(read_image(url).pixels, QUADRANTS)

    def test_pillow_image_stays_as_it_was(self) -> None:
        image = Image.open(io.BytesIO(encoded(quadrants(), "JPEG", quality=95)))
        read_image(image, min_side_px=1)
        assert (image.size, image.mode) == ((60, 40), "RGB")

    def test_rgb_array_is_taken_without_a_copy(self) -> None:
        assert read_image(QUADRANTS).pixels is QUADRANTS

    def test_grey_array(self) -> None:
        assert np.array_equal(read_image(QUADRANTS[:, :, 0]).pixels, np.repeat(QUADRANTS[:, :, :1], 3, axis=2))

    def test_array_with_alpha_is_laid_on_white(self) -> None:
        array = np.dstack([QUADRANTS, np.zeros((40, 60), np.uint8)])
        array[:20, :30, 3] = 255
        pixels = read_image(array).pixels
        assert corners(pixels)[0].tolist() == [200, 30, 40]
        assert corners(pixels)[1:].min() == 255


class TestColours:
    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
    def test_formats(self, format: str) -> None:
        assert_same_colours(read_image(encoded(quadrants(), format)).pixels, tolerance=6)

    def test_cmyk_jpeg(self) -> None:
        assert_same_colours(read_image(encoded(quadrants().convert("CMYK"), "JPEG", quality=95)).pixels, tolerance=6)

    def test_palette(self) -> None:
        assert_same_colours(read_image(encoded(quadrants().convert("P", palette=Image.Palette.ADAPTIVE))).pixels, 2)

    def test_palette_with_a_transparent_colour(self) -> None:
        image = quadrants().quantize(4)
        data = encoded(image, transparency=image.getpixel((0, 0)))
        assert corners(read_image(data).pixels)[0].tolist() == [255, 255, 255]

    def test_transparent_pixels_become_white(self) -> None:
        image = quadrants().convert("RGBA")
        image.putalpha(Image.new("L", image.size, 0))
        assert read_image(encoded(image)).pixels.min() == 255

    def test_grey_with_alpha(self) -> None:
        assert corners(read_image(encoded(Image.new("LA", (60, 40), (77, 255)))).pixels)[0].tolist() == [77] * 3

    def test_16_bit_grey_keeps_its_upper_half(self) -> None:
        values = np.linspace(0, 65535, 60 * 40).reshape(40, 60).astype(np.uint16)
        assert np.array_equal(read_image(encoded(Image.fromarray(values))).pixels[:, :, 0], values >> 8)

    def test_black_and_white(self) -> None:
        assert set(np.unique(read_image(encoded(quadrants().convert("1"))).pixels)) == {0, 255}


class TestUpright:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
    def test_exif_orientation(self, orientation: int, format: str) -> None:
        turn = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270,
        }.get(orientation)
        stored = quadrants() if turn is None else quadrants().transpose(turn)
        exif = Image.Exif()
        exif[0x0112] = orientation
        pixels = read_image(encoded(stored, format, exif=exif)).pixels
        assert pixels.shape == QUADRANTS.shape
        assert_same_colours(pixels, tolerance=12)


def test_the_first_frame_counts() -> None:
    frames = [quadrants(), Image.new("RGB", (60, 40), "black")]
    for format in ("GIF", "WEBP", "TIFF", "PNG"):
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
        assert_same_colours(read_image(data).pixels, tolerance=6)


class TestReducedScale:
    @pytest.mark.parametrize(
        ("min_side_px", "shape"),
        [(None, (1600, 2400)), (801, (1600, 2400)), (720, (800, 1200)), (200, (200, 300))],
    )
    def test_a_large_jpeg_keeps_the_side_asked_for(self, min_side_px: int | None, shape: tuple[int, int]) -> None:
        picture = read_image(encoded(quadrants().resize((2400, 1600)), "JPEG"), min_side_px=min_side_px)
        assert picture.pixels.shape[:2] == shape
        assert picture.scale == 2400 / shape[1]
        assert_same_colours(picture.pixels, tolerance=6)

    def test_other_formats_are_decoded_in_full(self) -> None:
        assert read_image(encoded(quadrants()), min_side_px=5).scale == 1


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return start + struct.pack(">I", 4096) + b"IDAT"


class TestBadInput:
    @pytest.mark.parametrize(
        ("image", "message"),
        [
            (b"", "empty"),
            (b"hello, world" * 40, "not a picture in a known format"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n" * 9, "not a picture in a known format"),
            (png_header(50_000, 50_000), "more than 64000000 pixels"),
            (png_header(9_000, 9_000), "at most 64000000"),
            (png_header(64, 64), "broken or cut short"),
            ("data:image/png;base64", "data URL must look like"),
            ("data:image/png,abc", "data URL must look like"),
            ("data:image/png;base64,@@@", "valid base64"),
            ("no/such/file.jpg", "cannot open 'no/such/file.jpg'"),
            ("null\0byte.jpg", "cannot open"),
            (".", "cannot open '.'"),
            (None, "NoneType is not a picture"),
            (17, "int is not a picture"),
            (["a.jpg"], "list is not a picture"),
            (np.zeros((4, 4, 3), np.float32), "must be uint8 .* not float32"),
            (np.full((4, 4, 3), np.nan), "must be uint8"),
            (np.zeros((4, 4, 2), np.uint8), r"not \(4, 4, 2\)"),
            (np.zeros((3, 4, 4, 3), np.uint8), r"not \(3, 4, 4, 3\)"),
            (np.zeros((0, 4, 3), np.uint8), r"not \(0, 4, 3\)"),
            (np.zeros(12, np.uint8), r"not \(12,\)"),
            (io.StringIO("text"), "open it in binary mode"),
            (Image.new("F", (4, 4)), "floating-point"),
        ],
    )
    def test_is_refused_in_one_sentence(self, image: Any, message: str) -> None:
        with pytest.raises(ImageError, match=message) as caught:
            read_image(image)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
    def test_files_cut_short(self, format: str, portrait: npt.NDArray[np.uint8]) -> None:
        data = encoded(Image.fromarray(portrait), format)
        for length in range(1, len(data) - 97, max(97, len(data) // 40)):
            with pytest.raises(ImageError):
                read_image(data[:length])

    def test_too_many_bytes(self, tmp_path: Path) -> None:
        large = tmp_path / "large.jpg"
        with large.open("wb") as file:
            file.truncate(MAX_BYTES + 1)
        for image in (large, bytes(MAX_BYTES + 1), "data:;base64," + "A" * (MAX_BYTES * 4 // 3 + 8)):
            with pytest.raises(ImageError, match="bytes: send a smaller one"):
                read_image(image)

    def test_too_many_pixels_in_an_array(self) -> None:
        wide = np.broadcast_to(np.uint8(0), (MAX_PIXELS // 1000 + 1, 1000))
        with pytest.raises(ImageError, match="at most 64000000"):
            read_image(wide)

    def test_a_limit_of_the_callers_own(self) -> None:
        with pytest.raises(ImageTooLargeError, match="24x16 pixels: at most 383"):
            read_image(encoded(Image.new("RGB", (24, 16))), max_pixels=383)
        assert read_image(encoded(Image.new("RGB", (24, 16))), max_pixels=384).pixels.shape == (16, 24, 3)

    def test_a_text_file_renamed(self, tmp_path: Path) -> None:
        file = tmp_path / "notes.jpg"
        file.write_text("not a picture")
        with pytest.raises(ImageError, match="known format"):
            read_image(file)

    def test_a_file_opened_as_text(self, tmp_path: Path) -> None:
        file = tmp_path / "picture.jpg"
        file.write_bytes(encoded(quadrants(), "JPEG"))
        with file.open(encoding="utf-8") as opened, pytest.raises(ImageError, match="binary mode"):
            read_image(opened)  # type: ignore[arg-type]


MAGIC = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"BM", b"II*\0"]


@given(st.binary(max_size=400), st.sampled_from(MAGIC))
def test_bytes_never_raise_anything_but_facelive_errors(data: bytes, magic: bytes) -> None:
    try:
        pixels = read_image(magic + data).pixels
    except FaceliveError:
        return
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3


@given(st.data())
def test_damaged_pictures_never_raise_anything_but_facelive_errors(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]))
    content = bytearray(encoded(quadrants(), format))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = read_image(bytes(content)).pixels
    except FaceliveError:
        return
    assert pixels.dtype == np.uint8 and pixels.shape[2] == 3


@given(
    hnp.arrays(
        dtype=st.sampled_from([np.uint8, np.int32, np.float64, np.bool_]),
        shape=hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6),
    )
)
def test_arrays_are_read_or_refused(array: npt.NDArray[Any]) -> None:
    try:
        pixels = read_image(array).pixels
    except FaceliveError:
        return
    assert pixels.shape == (*array.shape[:2], 3) and pixels.dtype == np.uint8


def test_a_pipe_is_read_to_its_end() -> None:
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)))
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as sink:
            sink.write(data)

    with ThreadPoolExecutor(1) as pool, os.fdopen(reading, "rb", buffering=0) as pipe:  # gives what has come so far
        written = pool.submit(write)
        assert read_image(pipe).pixels.shape == (300, 300, 3)
        written.result()


def test_threads_leave_the_programs_own_warnings_alone() -> None:
    data, before = encoded(quadrants()), list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: read_image(data), range(800)))
    assert list(warnings.filters) == before


def test_a_file_that_gives_more_than_it_was_asked_for_is_too_large() -> None:
    class Generous(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read()

    with pytest.raises(ImageError, match=f"more than {MAX_BYTES} bytes"):
        read_image(Generous(bytes(MAX_BYTES + 9)))


def test_damaged_exif_is_nobodys_concern() -> None:
    entry = b"\x12\x01\x03\0\x01\0\0\0"
    damaged = encoded(quadrants(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x02\0" + entry)
    assert read_image(damaged).pixels.shape == (40, 60, 3)  # and no warning, which would be an error in these tests


def test_a_file_that_answers_with_something_else_is_refused() -> None:
    class Later:
        def read(self, size: int) -> object:
            return object()

    with pytest.raises(ImageError, match="the file gave object, not bytes"):
        read_image(Later())  # type: ignore[arg-type]
