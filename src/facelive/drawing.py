"""Draws a verdict on a picture, for people who look at results."""

from __future__ import annotations

from typing import Optional

from PIL import Image, ImageDraw, ImageFont
from typing_extensions import Literal

from facelive.forks import LOADING
from facelive.images import ImageLike, read_image

__all__ = ["draw_face"]

_COLOURS = {"live": (0, 150, 60), "spoof": (200, 30, 30), "rejected": (90, 90, 90)}


def draw_face(
    image: ImageLike,
    box: Optional[tuple[float, float, float, float]],
    text: str,
    verdict: str,
    *,
    order: Literal["RGB", "BGR"] = "RGB",
) -> Image.Image:
    """Draw a box and a line of text on a copy of a picture, in the verdict's colour; without a box in the corner.

    Example:
        >>> import numpy as np
        >>> draw_face(np.zeros((80, 100, 3), np.uint8), (20, 20, 60, 60), "live 0.93", "live").mode
        'RGB'
    """
    picture = Image.fromarray(read_image(image, order=order).pixels).copy()
    pen, colour, side = ImageDraw.Draw(picture), _COLOURS[verdict], min(picture.size)
    line, margin = max(2, side // 160), max(2, side // 120)
    x, y = 0.0, 0.0
    if box is not None:
        # A box far outside would take Pillow long to draw.
        x0, x1 = (min(max(edge, -line), picture.width + line) for edge in box[::2])
        y0, y1 = (min(max(edge, -line), picture.height + line) for edge in box[1::2])
        pen.rectangle((x0, y0, x1, y1), outline=colour, width=line)
        x, y = x0, y0
    font = _font(max(12, side // 24))
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    x = max(0.0, min(x, picture.width - width))
    y = max(0.0, min(y - height, picture.height - height))
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    pen.text((x + margin - left, y + margin - top), text, fill=(255, 255, 255), font=font)
    return picture


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    try:
        with LOADING:
            return ImageFont.load_default(size)
    except (TypeError, ImportError):  # Pillow before 10.1 and Pillow without FreeType have one small font
        return ImageFont.load_default()
