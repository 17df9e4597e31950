"""What lies between a face and a model's input: a camera, its codec, and a detector that misses by a little.

Every step is drawn without looking at the label, so that neither sharpness, size, brightness nor compression
says which class a picture belongs to.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter

from facelive.crops import face_crop

__all__ = [
    "AugmentPolicy",
    "augment",
    "cut_close",
    "grain",
    "jitter_box",
    "motion_blur",
    "recompress",
    "rotated_crop",
    "tightened",
]

Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
_STRIP = np.random.default_rng(0).standard_normal(1 << 20, np.float32)


@dataclass(frozen=True)
class AugmentPolicy:
    """How far each step may go; a probability is the share of pictures it is applied to.

    Args:
        crop_scale: Side of the crop in units of the face's longer side.
        shift: Largest offset of the box in units of its longer side.
        zoom: Smallest and largest factor on ``crop_scale``.
        rotation_deg: Largest roll, in degrees.
        rotated: Share of pictures rolled; rolling resamples once more, so some are left alone.
        tighten: Share of pictures cut down to little more than the face before the crop, as many sources are.
        side_px: Smallest and largest side at which the picture is degraded, drawn on a log scale.
        jpeg: Share of pictures compressed once more.
        jpeg_quality: Lowest and highest JPEG quality.
        blur: Share of pictures put out of focus, and the same share again moved while exposed.
        sharpen: Share of pictures sharpened as cameras do.
        tone: Share of pictures with another exposure, gamma, contrast and colour cast.
        noise: Share of pictures with sensor noise.
    """

    crop_scale: float = 1.5
    shift: float = 0.08
    zoom: tuple[float, float] = (0.85, 1.2)
    rotation_deg: float = 12.0
    rotated: float = 0.6
    tighten: float = 0.3
    side_px: tuple[float, float] = (56.0, 200.0)
    jpeg: float = 0.6
    jpeg_quality: tuple[int, int] = (30, 95)
    blur: float = 0.15
    sharpen: float = 0.15
    tone: float = 0.8
    noise: float = 0.3


def tightened(image: Pixels, box: Box, rng: np.random.Generator, policy: AugmentPolicy) -> tuple[Pixels, Box]:
    """Cut the policy's share of pictures to 1 to 1.5 times the face, for either class; give back the others."""
    if rng.random() >= policy.tighten:
        return image, box
    return cut_close(image, box, float(rng.uniform(1.0, 1.5)))


def cut_close(image: Pixels, box: Box, factor: float) -> tuple[Pixels, Box]:
    """Cut a picture to ``factor`` times its face, unless next to nothing would stay: a crop's rim is then mirrored.

    Returns:
        The part, a view, and the face in it.
    """
    height, width = image.shape[:2]
    half_x, half_y = factor * (box[2] - box[0]) / 2, factor * (box[3] - box[1]) / 2
    middle_x, middle_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, top = max(0, round(middle_x - half_x)), max(0, round(middle_y - half_y))
    right, bottom = min(width, round(middle_x + half_x)), min(height, round(middle_y + half_y))
    if right - left < 24 or bottom - top < 24:
        return image, box
    return image[top:bottom, left:right], (box[0] - left, box[1] - top, box[2] - left, box[3] - top)


def augment(image: Pixels, box: Box, rng: np.random.Generator, policy: AugmentPolicy, size: int = 128) -> Pixels:
    """Draw one model input from a picture, tightened or not.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255.
        box: Face in pixels.
        rng: Consumed; the same state gives the same result.
        policy: How far each step may go.
        size: Side of the result.

    Returns:
        uint8, (size, size, 3), RGB, 0-255.
    """
    scale = policy.crop_scale * float(rng.uniform(*policy.zoom))
    box = jitter_box(box, policy.shift, rng)
    angle = float(rng.uniform(-policy.rotation_deg, policy.rotation_deg)) * float(rng.random() < policy.rotated)
    side = math.exp(rng.uniform(math.log(policy.side_px[0]), math.log(policy.side_px[1])))
    crop = rotated_crop(image, box, scale=scale, angle_deg=angle, size=round(side))
    if rng.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
    crop = _optics(crop, rng, policy)
    crop = _tone(crop, rng, policy)
    if rng.random() < policy.jpeg:
        crop = recompress(crop, int(rng.integers(policy.jpeg_quality[0], policy.jpeg_quality[1] + 1)))
    if crop.shape[0] == size:
        return crop
    resample = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)[int(rng.integers(2))]
    return np.asarray(Image.fromarray(crop).resize((size, size), resample))


def jitter_box(box: Box, shift: float, rng: np.random.Generator) -> Box:
    """Move a box by up to ``shift`` of its longer side along each axis."""
    side = max(box[2] - box[0], box[3] - box[1])
    dx, dy = (float(step) * side for step in rng.uniform(-shift, shift, 2))
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


def rotated_crop(image: Pixels, box: Box, *, scale: float, angle_deg: float, size: int) -> Pixels:
    """The library's own crop, rolled by ``angle_deg`` about its centre; nothing black enters at the corners.

    Returns:
        uint8, (size, size, 3), RGB, 0-255.
    """
    if abs(angle_deg) < 0.5:
        return face_crop(image, box, scale=scale, size=size)
    reach = abs(math.cos(math.radians(angle_deg))) + abs(math.sin(math.radians(angle_deg)))
    wide = math.ceil(size * reach)
    crop = face_crop(image, box, scale=scale * wide / size, size=wide)
    rolled = Image.fromarray(crop).rotate(angle_deg, Image.Resampling.BILINEAR)
    start = (wide - size) // 2
    return np.asarray(rolled)[start : start + size, start : start + size]


def recompress(image: Pixels, quality: int) -> Pixels:
    """Through a JPEG encoder and back, at the chroma subsampling most cameras use."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def grain(shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Normal noise of unit deviation, cut from a fixed strip: drawing it afresh would cost more than the rest."""
    count = math.prod(shape)
    start = int(rng.integers(len(_STRIP) - count))
    return _STRIP[start : start + count].reshape(shape)


def motion_blur(crop: Pixels, length_px: float, angle: float) -> Pixels:
    """Move a picture by ``length_px`` along ``angle`` while it is exposed.

    Args:
        crop: uint8, (H, W, 3).
        length_px: Length of the path in pixels.
        angle: Its direction in radians.
    """
    steps = max(2, round(length_px))
    reach = math.ceil(length_px / 2)
    height, width = crop.shape[:2]
    wide = np.pad(crop, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    total = np.zeros(crop.shape, np.uint16)
    for step in np.linspace(-0.5, 0.5, steps):
        top = reach + round(step * length_px * math.sin(angle))
        left = reach + round(step * length_px * math.cos(angle))
        total += wide[top : top + height, left : left + width]
    return np.asarray(total // np.uint16(steps), np.uint8)


def _optics(crop: Pixels, rng: np.random.Generator, policy: AugmentPolicy) -> Pixels:
    draw = rng.random()
    side = crop.shape[0]
    if draw < policy.blur:
        radius = float(rng.uniform(0.3, 1.4)) * side / 128
        return np.asarray(Image.fromarray(crop).filter(ImageFilter.GaussianBlur(radius)))
    if draw < 2 * policy.blur:
        return motion_blur(crop, float(rng.uniform(2, 6)) * side / 128, float(rng.uniform(0, math.pi)))
    if draw < 2 * policy.blur + policy.sharpen:
        mask = ImageFilter.UnsharpMask(float(rng.uniform(0.6, 1.5)), int(rng.integers(40, 130)), 0)
        return np.asarray(Image.fromarray(crop).filter(mask))
    return crop


def _tone(crop: Pixels, rng: np.random.Generator, policy: AugmentPolicy) -> Pixels:
    toned, noisy = rng.random() < policy.tone, rng.random() < policy.noise
    if toned:
        ramp = np.linspace(0, 1, 256, dtype=np.float64)
        gamma, gain = math.exp(rng.normal(0, 0.2)), math.exp(rng.normal(0, 0.12))
        contrast, lift = float(rng.uniform(0.75, 1.25)), float(rng.uniform(-0.06, 0.06))
        cast = np.exp(rng.normal(0, 0.06, 3))
        curves = [((ramp**gamma * gain * tint - 0.5) * contrast + 0.5 + lift) for tint in cast]
        table = (np.clip(np.stack(curves), 0, 1) * 255).round().astype(np.uint8)
        crop = np.stack([table[channel][crop[..., channel]] for channel in range(3)], axis=-1)
        if rng.random() < 0.4:
            crop = np.asarray(ImageEnhance.Color(Image.fromarray(crop)).enhance(float(rng.uniform(0.3, 1.5))))
    if noisy:
        sigma = float(rng.uniform(1, 10))
        crop = np.clip(np.rint(crop + sigma * grain(crop.shape, rng)), 0, 255).astype(np.uint8)
    return crop
