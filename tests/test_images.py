from __future__ import annotations

import base64
import gzip
import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from pathlib import Path
from typing import Any, Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms, ImageFile

from facelive import FaceliveError, ImageError
from facelive.errors import ImageTooLargeError
from facelive.images import MAX_BYTES, MAX_PIXELS, Picture, is_single, read_image, readings
from facelive.images.limits import decoding

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

    @pytest.mark.parametrize(
        ("sides", "heights"),
        [((200, 400, None), [200, 400, 1600]), ((200, 200), [200]), ((1601, None), [1600]), ((None,), [1600])],
    )
    def test_readings_grow_finer_as_long_as_more_is_asked(
        self, sides: tuple[int | None, ...], heights: list[int]
    ) -> None:
        file = io.BytesIO(encoded(quadrants().resize((2400, 1600)), "JPEG"))
        assert [picture.pixels.shape[0] for picture in readings(file, sides)] == heights

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


@pytest.mark.parametrize(
    ("image", "cure"),
    [
        (np.ma.masked_array(QUADRANTS, mask=QUADRANTS > 250), "masked array .* hand in np.ma.getdata"),
        (QUADRANTS[:, :, 0].view(np.matrix), "hand in np.asarray"),
        (QUADRANTS / 255, r"not float64: .*\(array \* 255\).round\(\).astype\(np.uint8\)"),
        (QUADRANTS.astype(np.uint16), r"not uint16: .* \(array // 257\)"),
        (QUADRANTS > 99, "not bool: hand in array"),
        (QUADRANTS.transpose(2, 0, 1), r"not \(3, 40, 60\): channels come last, np.transpose\(array, \(1, 2, 0\)\)"),
        (QUADRANTS[:, :, :1], "a grey picture is array"),
        (QUADRANTS[:, :, :2], "COLOR_YUV2RGB_YUY2"),
        (QUADRANTS[np.newaxis], r"one picture of it is array\[0\]"),
        (np.zeros((720, 640), np.uint8), "YUV planes of a 640x480 frame: hand in cv2.cvtColor"),
        (np.zeros((960, 480), np.uint8), "YUV planes of a 480x640 frame"),
    ],
)
def test_an_array_of_another_kind_is_named_with_its_cure(image: Any, cure: str) -> None:
    with pytest.raises(ImageError, match=cure):
        read_image(image)


class TestOrder:
    def test_bgr_arrays(self) -> None:
        assert np.array_equal(read_image(QUADRANTS[:, :, ::-1], order="BGR").pixels, QUADRANTS)
        solid = np.dstack([QUADRANTS[:, :, ::-1], np.full((40, 60), 255, np.uint8)])
        assert np.array_equal(read_image(solid, order="BGR").pixels, QUADRANTS)
        grey = QUADRANTS[:, :, 0]
        assert np.array_equal(read_image(grey, order="BGR").pixels, read_image(grey).pixels)

    def test_what_is_no_array_knows_its_own_order(self) -> None:
        for image in (encoded(quadrants()), quadrants(), Picture(QUADRANTS)):
            assert np.array_equal(read_image(image, order="BGR").pixels, QUADRANTS)

    def test_another_order_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'RGB' or 'BGR', not 'GBR'"):
            read_image(QUADRANTS, order="GBR")


def test_a_picture_is_taken_as_it_is() -> None:
    picture = read_image(encoded(quadrants().resize((2400, 1600)), "JPEG"), min_side_px=200)
    again = read_image(picture)
    assert again.pixels is picture.pixels and again.scale == picture.scale == 8
    assert is_single(picture)


def profile(*primaries: tuple[float, float, float], gamma: float = 2.2) -> bytes:
    """An ICC profile of three primaries (XYZ at D50) and one curve, as cameras write them."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65_536))

    values = {name: b"XYZ " + bytes(4) + b"".join(map(number, xyz)) for name, xyz in zip("rgb", primaries)}
    curve = b"para" + bytes(8) + number(gamma)
    tags = [(name.encode() + b"XYZ", value) for name, value in values.items()]
    tags += [(name.encode() + b"TRC", curve) for name in values]
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, value in tags:
        table += struct.pack(">4sII", tag, start + len(body), len(value))
        body += value
    head = struct.pack(">I", start + len(body)) + b"appl\4\0\0\0mntrRGB XYZ " + struct.pack(">6H", 2022, 1, 1, 0, 0, 0)
    head += b"acsp" + bytes(28) + b"".join(map(number, (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + table + body


DISPLAY_P3 = profile((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE_RGB = profile((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


class TestColourProfiles:
    @pytest.mark.parametrize("icc", [DISPLAY_P3, ADOBE_RGB], ids=["P3", "Adobe RGB"])
    @pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "JPEG"])
    def test_wide_colours_become_srgb(self, icc: bytes, format: str) -> None:
        wide = ImageCms.profileToProfile(
            quadrants(), ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(icc)), outputMode="RGB"
        )
        assert wide is not None
        options = {"lossless": True} if format == "WEBP" else {"quality": 95} if format == "JPEG" else {}
        data = encoded(wide, format, icc_profile=icc, **options)
        assert np.abs(corners(np.asarray(wide)) - corners(QUADRANTS)).max() > 20
        tolerance = 12 if format == "JPEG" else 5  # a rounded step in a dark channel of a wide profile is several
        assert_same_colours(read_image(data).pixels, tolerance)
        opened = Image.open(io.BytesIO(data))
        opened.load()
        assert_same_colours(read_image(opened).pixels, tolerance)

    def test_an_srgb_profile_changes_nothing(self) -> None:
        assert np.array_equal(read_image(encoded(quadrants(), icc_profile=SRGB)).pixels, QUADRANTS)

    @given(st.data())
    def test_a_damaged_profile_is_no_error(self, data: st.DataObject) -> None:
        damaged = bytearray(DISPLAY_P3)
        for _ in range(data.draw(st.integers(1, 8))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(1, len(damaged)))
        assert read_image(encoded(quadrants(), icc_profile=bytes(damaged[:cut]))).pixels.shape == (40, 60, 3)

    def test_a_profile_of_megabytes_is_passed_over(self) -> None:
        large = DISPLAY_P3 + bytes(2**21)
        assert np.array_equal(read_image(encoded(quadrants(), "TIFF", icc_profile=large)).pixels, QUADRANTS)


BASE64 = base64.b64encode(encoded(quadrants())).decode()


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            BASE64,
            BASE64.rstrip("="),
            BASE64.replace("+", "-").replace("/", "_"),
            "\n".join(BASE64[start : start + 76] for start in range(0, len(BASE64), 76)) + "\n",
            f'"{BASE64}"',
            f" 'data:image/png;base64,{BASE64}'",
        ],
        ids=["bare", "unpadded", "url-safe", "line breaks", "quoted", "quoted data URL"],
    )
    def test_base64_as_people_send_it(self, text: str) -> None:
        assert np.array_equal(read_image(text).pixels, QUADRANTS)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("data:image/png;base64," + BASE64[:90] + " " + BASE64[91:], "blanks inside"),
            ("data:image/png;base64," + BASE64.replace("/", "%2F"), "percent-encoded"),
            ("data:image/png;base64," + BASE64[:90] + "é" + BASE64[91:], "valid base64"),
            ("", "the path is empty"),
            (" \n", "the path is empty"),
            ("[" * 9_000, r"cannot open '\[{60}…'"),
            ("a\nb" * 9_000, r"cannot open 'a\\nba"),
        ],
    )
    def test_others_are_refused_with_the_reason(self, text: str, reason: str) -> None:
        with pytest.raises(ImageError, match=reason) as caught:
            read_image(text)
        assert len(str(caught.value)) < 250

    @given(st.text(max_size=400).filter(lambda text: not Path(text[:99].split("\0")[0]).exists()))
    def test_no_message_holds_the_callers_data(self, text: str) -> None:
        long = text * 20 + "x" * 500
        with pytest.raises(ImageError) as caught:
            read_image(long)
        assert len(str(caught.value)) < 900 and "\n" not in str(caught.value)


class Reading:
    """A file whose ``read`` does what it is told to."""

    def __init__(self, work: Callable[..., object]) -> None:
        self.read = work


def gzip_cut_short() -> Any:
    return gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(encoded(quadrants(), "BMP"))[:60]))


def damaged_member() -> Any:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.png", encoded(quadrants()))
    broken = bytearray(archive.getvalue())
    broken[90] ^= 255
    return zipfile.ZipFile(io.BytesIO(bytes(broken))).open("a.png")


def ended(_: int) -> bytes:
    raise ConnectionResetError("the client hung up\n" + "x" * 9_000)


def without_a_size() -> bytes:
    return b""


async def later(_: int) -> bytes:
    return b""


def closed_file() -> Any:
    file = io.BytesIO(encoded(quadrants()))
    file.close()
    return file


def read_already() -> Any:
    file = io.BytesIO(encoded(quadrants()))
    file.read()
    return file


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (gzip_cut_short, r"reading the picture's file failed \(EOFError"),
        (damaged_member, r"reading the picture's file failed \(BadZipFile"),
        (lambda: Reading(ended), r"failed \(ConnectionResetError: the client hung up\\nx"),
        (lambda: Reading(without_a_size), "takes no size: hand in the bytes that its read"),
        (lambda: Reading(later), "asynchronous: hand in what 'await file.read"),
        (closed_file, "hand it in while it is open"),
        (read_already, r"read before: call seek\(0\) first"),
    ],
)
def test_whatever_a_callers_file_does_is_told(file: Callable[[], Any], reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        read_image(file())
    assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)


def test_a_pillow_image_that_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(quadrants()))
    with Image.open(path) as image:
        pass
    with pytest.raises(ImageError, match="closed before it was read"):
        read_image(image)
    loaded = Image.open(path)
    loaded.load()
    loaded.close()
    with pytest.raises(ImageError, match="closed before it was read"):
        read_image(loaded)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_path_to_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="pipe or a device"):
        read_image(tmp_path / "pipe.jpg")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_cut_short_is_refused_whatever_a_program_tells_pillow(
    format: str, portrait: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = encoded(Image.fromarray(portrait).resize((96, 96)), format)
    assert read_image(data).pixels.shape == (96, 96, 3)
    for length in range(1, len(data) - 30, max(31, len(data) // 60)):
        with pytest.raises(ImageError):
            read_image(data[:length])
        try:
            opened = Image.open(io.BytesIO(data[:length]))
        except Exception:
            continue  # the program's own opening says so
        with pytest.raises(ImageError):
            read_image(opened)


def test_the_programs_own_limit_of_pixels_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)
    with pytest.raises(ImageError, match="MAX_IMAGE_PIXELS allows, which this program set to 1000"):
        read_image(encoded(quadrants()))


OUT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from facelive.images import read_image
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 100 * 2**20,) * 2)
try:
    read_image(sys.argv[1])
except MemoryError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process has asked for")
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_too_little_memory_is_not_the_pictures_fault(format: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    Image.new("RGB", (7_900, 7_900)).save(path, format, **({"compression": "tiff_lzw"} if format == "TIFF" else {}))
    done = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY, path], capture_output=True, text=True, check=True)
    assert "too little memory" in done.stdout


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\0\x1cftypheic" + bytes(99), "HEIC, .*pip install pillow-heif.*register_heif_opener"),
        (b"\0\0\0\x1cftypavif" + bytes(99), "AVIF, .*Image.open"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99), "JPEG 2000, .*Image.open"),
        (b"\0\0\0\x1cftypisom" + bytes(99), "not a picture in a known format"),
    ],
)
def test_formats_that_are_not_read_are_named(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_image(data)


def test_a_picture_whose_opener_a_program_registered_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pillow-heif does it; the file here is a bitmap behind the head of a HEIC."""

    def opener(file: Any, _: str) -> Image.Image:
        file.seek(12)
        image = Image.open(io.BytesIO(file.read()))
        image.load()
        return image

    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x1cftypheic" + encoded(quadrants(), "BMP"))
    for name in ("OPEN", "ID"):
        monkeypatch.setattr(Image, name, type(getattr(Image, name))(getattr(Image, name)))
    Image.register_open(
        "HEIF",
        opener,  # type: ignore[arg-type]
        lambda prefix: prefix[4:12] == b"ftypheic",
    )
    assert np.array_equal(read_image(path).pixels, QUADRANTS)


def test_large_pictures_are_decoded_one_at_a_time_and_small_ones_beside_them() -> None:
    now, most, lock, start = 0, 0, threading.Lock(), threading.Barrier(4)

    def work(_: int) -> None:
        nonlocal now, most
        start.wait()
        with decoding(MAX_PIXELS * 2 // 3):
            with lock:
                now += 1
                most = max(most, now)
            with decoding(MAX_PIXELS // 99):  # fits beside it
                pass
            with lock:
                now -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert most == 1


def test_a_picture_waits_until_what_others_decode_leaves_room() -> None:
    with ThreadPoolExecutor(1) as pool:
        with decoding(MAX_PIXELS):
            reading = pool.submit(read_image, encoded(quadrants()))
            with pytest.raises(TimeoutError):
                reading.result(timeout=0.3)
        assert reading.result(timeout=60).pixels.shape == (40, 60, 3)


PEAK = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from facelive.images import read_image
threads = int(sys.argv[2])
def read(_):
    return read_image(sys.argv[1]).pixels.shape
with ThreadPoolExecutor(threads) as pool:
    assert set(pool.map(read, range(threads))) == {(6000, 6000, 3)}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux the peak of a process is counted in kilobytes")
def test_threads_that_decode_large_pictures_at_once_need_the_memory_of_one(tmp_path: Path) -> None:
    Image.new("RGB", (6_000, 6_000), "white").save(tmp_path / "large.jpg")
    one, six = (
        int(subprocess.check_output([sys.executable, "-c", PEAK, tmp_path / "large.jpg", str(threads)]))
        for threads in (1, 6)
    )
    assert six < 2 * one  # a finished picture may still be held while the next is decoded


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking beside threads is what is tried
def test_a_child_does_not_wait_for_what_its_parent_decoded() -> None:
    with decoding(MAX_PIXELS):
        child = os.fork()
        if child == 0:
            read_image(encoded(quadrants()))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


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
