"""What the tests hold before a camera: a live face, an attack, no face, no light; all from one public portrait."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

ROOT = Path(__file__).parents[3]
SIZE = (640, 480)
_PERSON = (54, 0, 394, 255)  # head and shoulders, as before a laptop
_FACE = (177.0, 52.0, 270.0, 176.0)

Pixels = npt.NDArray[np.uint8]


def portrait() -> Image.Image:
    """NASA's portrait of Eileen Collins, 512x512."""
    return Image.open(ROOT / "examples" / "portrait.jpg").convert("RGB")


def live() -> Image.Image:
    """A person before a camera, 640x480."""
    return portrait().crop(_PERSON).resize(SIZE, Image.Resampling.LANCZOS)


def attack(seed: int = 15) -> Image.Image:
    """The portrait on a simulated screen, filmed by a second camera, 640x480."""
    from examples.training.spoofs import present

    replay = present(np.asarray(portrait()), _FACE, np.random.default_rng(seed), species="screen")
    frame = Image.new("RGB", SIZE, (90, 92, 96))
    frame.paste(Image.fromarray(replay.image).resize((480, 480), Image.Resampling.BICUBIC), (80, 0))
    return frame


def nobody() -> Image.Image:
    """An empty wall, 640x480."""
    return Image.new("RGB", SIZE, (120, 124, 128))


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
