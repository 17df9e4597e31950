"""What the tests hold before a camera: a live face, an attack, no face, no light; all from one public portrait."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

ROOT = Path(__file__).parents[3]
SIZE = (640, 480)
_PERSON = (54, 0, 394, 255)  # head and shoulders, as before a laptop
_FILLS_THE_SCREEN = (150, 20, 300, 200)
_SCREEN_SIZE = (350, 420)

Pixels = npt.NDArray[np.uint8]


def portrait() -> Image.Image:
    """NASA's portrait of Eileen Collins, 512x512."""
    return Image.open(ROOT / "examples" / "portrait.jpg").convert("RGB")


def live() -> Image.Image:
    """A person before a camera, 640x480."""
    return portrait().crop(_PERSON).resize(SIZE, Image.Resampling.LANCZOS)


def attack() -> Image.Image:
    """The portrait on a phone that is held before the camera, 640x480.

    The display washes the picture out and cools it, its rows and columns beat with the camera's, its glass reflects a
    lamp, and its black frame is in view. This is not the code that made attacks for training.
    """
    screen = portrait().crop(_FILLS_THE_SCREEN).resize(_SCREEN_SIZE, Image.Resampling.LANCZOS)
    light = (np.asarray(screen, np.float32) / 255) ** 0.8 * 0.88 + 0.12
    light *= np.array([0.85, 0.95, 1.1], np.float32)
    rows, columns = np.mgrid[: _SCREEN_SIZE[1], : _SCREEN_SIZE[0]].astype(np.float32)
    for channel in range(3):  # each colour's cells sit a third of a pixel further, so that the beat is coloured
        light[..., channel] *= 1 + 0.12 * np.sin(2 * np.pi * (0.31 * columns + 0.03 * rows) + 2.1 * channel)
        light[..., channel] *= 1 + 0.08 * np.sin(2 * np.pi * (0.27 * rows + 0.02 * columns) + channel)
    screen = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
    frame = portrait().resize((640, 640)).crop((0, 160, 640, 640)).filter(ImageFilter.GaussianBlur(14))
    left, top = (SIZE[0] - screen.width) // 2, (SIZE[1] - screen.height) // 2
    right, bottom = left + screen.width, top + screen.height
    ImageDraw.Draw(frame).rounded_rectangle((left - 16, top - 28, right + 16, bottom + 28), 28, fill=(12, 12, 14))
    frame.paste(screen, (left, top))
    lamp = Image.new("L", SIZE, 0)
    glare = [(right - 150, top), (right - 60, top), (left + 150, bottom), (left + 60, bottom)]
    ImageDraw.Draw(lamp).polygon(glare, fill=60)
    frame.paste((255, 255, 255), mask=lamp.filter(ImageFilter.GaussianBlur(12)))
    seen = np.asarray(frame.filter(ImageFilter.GaussianBlur(1)), np.float32)
    noise = np.random.default_rng(0).normal(0, 3, (SIZE[1], SIZE[0], 1))
    return Image.fromarray(np.clip(seen + noise, 0, 255).astype(np.uint8))


def mask() -> Image.Image:
    """The person behind a paper mask of the face, with holes for the eyes, 640x480.

    Drawn without a fold or a texture of paper: the bundled network took it for live, and only a challenge is left.
    """
    frame = live()
    face = frame.crop((225, 90, 425, 385)).point(lambda value: int(30 + 0.8 * value))
    for colour, inset in (((246, 244, 238), 0), (None, 3)):
        shape = Image.new("L", face.size, 0)
        ImageDraw.Draw(shape).ellipse((inset, inset, 199 - inset, 294 - inset), fill=255)
        frame.paste(face if colour is None else colour, (225, 90), shape)
    holes = ImageDraw.Draw(frame)
    for x, y in ((287, 196), (361, 198)):
        holes.ellipse((x - 22, y - 11, x + 22, y + 11), fill=(246, 244, 238))
        holes.ellipse((x - 20, y - 9, x + 20, y + 9), fill=(28, 20, 18))
    return frame


def nobody() -> Image.Image:
    """An empty wall, 640x480."""
    return Image.new("RGB", SIZE, (120, 124, 128))


def far() -> Image.Image:
    """The person at the other end of the room, 640x480."""
    frame = nobody()
    frame.paste(live().resize((256, 192)), (192, 144))
    return frame


def aside() -> Image.Image:
    """The person half out of the picture, to their right, 640x480."""
    frame = nobody()
    frame.paste(live(), (-150, 0))
    return frame


def two() -> Image.Image:
    """Two people, 640x480."""
    frame, half = nobody(), live().crop((160, 0, 480, 480))
    for left in (0, 320):
        frame.paste(half, (left, 0))
    return frame


def darkness() -> Image.Image:
    """The person with hardly any light, 640x480."""
    return dimmed(0.12)


def dimmed(light: float) -> Image.Image:
    """The person with less light, 640x480: a network that answers from the mean scores each light differently."""
    return Image.fromarray((np.asarray(live(), np.float32) * light).astype(np.uint8))


def jpeg(picture: Image.Image) -> bytes:
    """As a camera sends it."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    return file.getvalue()


def mjpeg(picture: Image.Image, path: Path) -> Path:
    """As a video for the browser's fake camera: JPEGs one after the other."""
    path.write_bytes(jpeg(picture) * 2)
    return path
