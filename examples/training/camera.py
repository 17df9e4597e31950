"""What lies between a scene and a model: a camera, its codec, a picture cut close, a detector that misses by a little.

Every step is drawn without looking at the label, so that neither sharpness, size, brightness nor compression says
which class a picture belongs to.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter

__all__ = [
    "Box",
    "Camera",
    "Pixels",
    "blended",
    "cut",
    "grain",
    "jittered",
    "margins",
    "motion_blur",
    "recompress",
    "shoot",
]

Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
_STRIP = np.random.default_rng(0).standard_normal(1 << 20, np.float32)


@dataclass(frozen=True)
class Camera:
    """How far each step may go; a probability is the share of pictures it is applied to.

    Args:
        face_px: Smallest and largest longer side of the face while the picture is degraded, drawn on a log scale.
        reach: Most of the picture that is kept, in sides of the face.
        rotation_deg: Largest roll, in degrees.
        rotated: Share of pictures rolled, of those with surroundings to lose.
        jpeg: Share of pictures compressed once more.
        jpeg_quality: Lowest and highest JPEG quality.
        blur: Share of pictures put out of focus, and the same share again moved while exposed.
        sharpen: Share of pictures sharpened as cameras do.
        tone: Share of pictures with another exposure, gamma, contrast and colour cast.
        noise: Share of pictures with sensor noise.
        shift: Largest offset of a face's box in units of its longer side.
        zoom: Smallest and largest factor on a face's box.
        close: Share of pictures cut to 1 to 1.6 times the face, as many are that people hand in.
    """

    face_px: tuple[float, float] = (36.0, 120.0)
    reach: float = 4.0
    rotation_deg: float = 10.0
    rotated: float = 0.3
    jpeg: float = 0.6
    jpeg_quality: tuple[int, int] = (30, 95)
    blur: float = 0.15
    sharpen: float = 0.15
    tone: float = 0.8
    noise: float = 0.3
    shift: float = 0.07
    zoom: tuple[float, float] = (0.87, 1.18)
    close: float = 0.25


def shoot(image: Pixels, box: Box, rng: np.random.Generator, camera: Camera) -> tuple[Pixels, Box]:
    """Film a picture once more.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255.
        box: Its face in pixels.
        rng: Consumed; the same state gives the same result.
        camera: How far each step may go.

    Returns:
        The new picture, and the face in it.
    """
    image, box = cut(image, box, (camera.reach / 2 - 0.5,) * 4)
    side = max(box[2] - box[0], box[3] - box[1])
    factor = math.exp(rng.uniform(math.log(camera.face_px[0]), math.log(camera.face_px[1]))) / side
    resample = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)[int(rng.integers(2))]
    size = (max(24, round(image.shape[1] * factor)), max(24, round(image.shape[0] * factor)))
    scale_x, scale_y = size[0] / image.shape[1], size[1] / image.shape[0]
    image = np.asarray(Image.fromarray(image).resize(size, resample, reducing_gap=2.0))
    box = (box[0] * scale_x, box[1] * scale_y, box[2] * scale_x, box[3] * scale_y)
    angle = float(rng.uniform(-camera.rotation_deg, camera.rotation_deg))
    if rng.random() < camera.rotated and min(margins(image, box)) > 0.15:
        image, box = _rolled(image, box, angle)
    image = _optics(image, max(box[2] - box[0], box[3] - box[1]) / 85, rng, camera)
    image = _tone(image, rng, camera)
    if rng.random() < camera.jpeg:
        image = recompress(image, int(rng.integers(camera.jpeg_quality[0], camera.jpeg_quality[1] + 1)))
    return image, box


def margins(image: Pixels, box: Box) -> tuple[float, float, float, float]:
    """How much of the picture lies left, above, right and below of the face, in sides of the face."""
    height, width = image.shape[:2]
    side = max(box[2] - box[0], box[3] - box[1])
    return (box[0] / side, box[1] / side, (width - box[2]) / side, (height - box[3]) / side)


def cut(image: Pixels, box: Box, most: tuple[float, float, float, float]) -> tuple[Pixels, Box]:
    """Cut a picture to at most these margins around its face, unless next to nothing would stay.

    Args:
        image: uint8, (H, W, 3).
        box: Its face in pixels.
        most: Left, top, right and bottom, in sides of the face; below 0 cuts into the face.

    Returns:
        The part, a view, and the face in it.
    """
    height, width = image.shape[:2]
    side = max(box[2] - box[0], box[3] - box[1])
    left, top = max(0, round(box[0] - most[0] * side)), max(0, round(box[1] - most[1] * side))
    right, bottom = min(width, round(box[2] + most[2] * side)), min(height, round(box[3] + most[3] * side))
    if right - left < 24 or bottom - top < 24:
        return image, box
    return image[top:bottom, left:right], (box[0] - left, box[1] - top, box[2] - left, box[3] - top)


def blended(image: Pixels, box: Box, other: Pixels, face: Box, share: float) -> Pixels:
    """A picture with another one shining through, its face upon the first one's.

    Args:
        image: uint8, (H, W, 3).
        box: Its face in pixels.
        other: uint8, (H, W, 3); where it ends, the first picture stays as it is.
        face: The other's face.
        share: Of the other picture in what is seen, in [0, 1].
    """
    scale_x, scale_y = (face[2] - face[0]) / (box[2] - box[0]), (face[3] - face[1]) / (box[3] - box[1])
    numbers = (scale_x, 0.0, face[0] - scale_x * box[0], 0.0, scale_y, face[1] - scale_y * box[1])
    laid = [
        picture.transform(image.shape[1::-1], Image.Transform.AFFINE, numbers, Image.Resampling.BILINEAR)
        for picture in (Image.fromarray(other), Image.new("L", other.shape[1::-1], round(255 * share)))
    ]
    return np.asarray(Image.composite(laid[0], Image.fromarray(image), laid[1]))


def jittered(box: Box, rng: np.random.Generator, *, shift: float, zoom: tuple[float, float]) -> Box:
    """A box that misses by a little: moved by up to ``shift`` of its longer side and scaled."""
    side = max(box[2] - box[0], box[3] - box[1])
    dx, dy = (float(step) * side for step in rng.uniform(-shift, shift, 2))
    grown = (float(rng.uniform(*zoom)) - 1) / 2
    wide, high = grown * (box[2] - box[0]), grown * (box[3] - box[1])
    return (box[0] + dx - wide, box[1] + dy - high, box[2] + dx + wide, box[3] + dy + high)


def recompress(image: Pixels, quality: int) -> Pixels:
    """Through a JPEG encoder and back, at the chroma subsampling most cameras use."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def grain(shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Normal noise of unit deviation, cut from a fixed strip: drawing it afresh would cost more than the rest."""
    count = math.prod(shape)
    strip = _STRIP if count < len(_STRIP) else np.resize(_STRIP, count + 1)  # a large picture sees it again
    start = int(rng.integers(len(strip) - count))
    return strip[start : start + count].reshape(shape)


def motion_blur(image: Pixels, length_px: float, angle: float) -> Pixels:
    """Blur along a straight path.

    Args:
        image: uint8, (H, W, 3).
        length_px: Length of the path in pixels.
        angle: Its direction in radians.
    """
    steps = max(2, round(length_px))
    reach = math.ceil(length_px / 2)
    height, width = image.shape[:2]
    wide = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    total = np.zeros(image.shape, np.uint16)
    for step in np.linspace(-0.5, 0.5, steps):
        top = reach + round(step * length_px * math.sin(angle))
        left = reach + round(step * length_px * math.cos(angle))
        total += wide[top : top + height, left : left + width]
    return np.asarray(total // np.uint16(steps), np.uint8)


def _rolled(image: Pixels, box: Box, angle_deg: float) -> tuple[Pixels, Box]:
    """Roll a picture about its face and keep the upright part of it that is still whole: real pixels only."""
    height, width = image.shape[:2]
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    turned = Image.fromarray(image).rotate(angle_deg, Image.Resampling.BILINEAR, center=middle)
    lost = abs(math.tan(math.radians(angle_deg)))
    aside, below = (math.ceil(max(at, end - at) * lost) for at, end in ((middle[1], height), (middle[0], width)))
    left, top = min(aside, int(box[0])), min(below, int(box[1]))
    right, bottom = max(width - aside, math.ceil(box[2])), max(height - below, math.ceil(box[3]))
    return np.asarray(turned)[top:bottom, left:right], (box[0] - left, box[1] - top, box[2] - left, box[3] - top)


def _optics(image: Pixels, scale: float, rng: np.random.Generator, camera: Camera) -> Pixels:
    """Focus, motion or sharpening, at most one of them; ``scale`` is 1 where the face has 85 pixels."""
    draw = rng.random()
    if draw < camera.blur:
        return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.4)) * scale)))
    if draw < 2 * camera.blur:
        return motion_blur(image, float(rng.uniform(2, 6)) * scale, float(rng.uniform(0, math.pi)))
    if draw < 2 * camera.blur + camera.sharpen:
        mask = ImageFilter.UnsharpMask(float(rng.uniform(0.6, 1.5)), int(rng.integers(40, 130)), 0)
        return np.asarray(Image.fromarray(image).filter(mask))
    return image


def _tone(image: Pixels, rng: np.random.Generator, camera: Camera) -> Pixels:
    toned, noisy = rng.random() < camera.tone, rng.random() < camera.noise
    if toned:
        ramp = np.linspace(0, 1, 256)
        gamma, gain = math.exp(rng.normal(0, 0.28)), math.exp(rng.normal(0, 0.14))
        contrast, lift = float(rng.uniform(0.75, 1.25)), float(rng.uniform(-0.06, 0.06))
        cast = np.exp(rng.normal(0, 0.09, 3))
        curves = [((ramp**gamma * gain * tint - 0.5) * contrast + 0.5 + lift) for tint in cast]
        table = (np.clip(np.concatenate(curves), 0, 1) * 255).round().astype(np.uint8)
        picture = Image.fromarray(image).point(table.tolist())
        if rng.random() < 0.4:
            picture = ImageEnhance.Color(picture).enhance(float(rng.uniform(0.3, 1.5)))
        image = np.asarray(picture)
    if noisy:
        sigma = np.float32(rng.uniform(1, 10))
        image = np.clip(np.rint(image + sigma * grain(image.shape, rng)), 0, 255).astype(np.uint8)
    return image
