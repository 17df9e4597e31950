"""From a picture's own colours to sRGB, by the profile that its camera wrote."""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from typing import Any, Optional

import numpy as np
from PIL import Image

from facelive.forks import LOADING
from facelive.images.limits import MAX_PROFILE_BYTES

__all__ = ["to_srgb"]

_TAGS = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
_MOST_BYTES_A_TAG = 16_384  # a curve of 4,096 points takes half of it
_WHITE = struct.pack(">3i", 63_190, 65_536, 54_061)  # D50, to which every profile's primaries are adapted


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture in sRGB.

    Profiles of three primaries and three curves count: Display P3, Adobe RGB, ProPhoto, and whatever cameras, phones
    and editors write into RGB pictures. Those made of tables (printers, scanners) and broken ones are passed over.

    Args:
        image: Of mode RGB.
        profile: An ICC profile; anything else is passed over.
    """
    plain = _plain(profile)
    transform = _transform(plain) if plain else None
    if transform is None:
        return image
    from PIL import ImageCms

    return ImageCms.applyTransform(image, transform) or image


def _plain(profile: bytes) -> Optional[bytes]:
    """A new profile of the same primaries and curves: the engine never sees a tag that could cost it more."""
    if len(profile) > MAX_PROFILE_BYTES or profile[16:24] != b"RGB XYZ " or profile[36:40] != b"acsp":
        return None
    try:
        (count,) = struct.unpack_from(">I", profile, 128)
        places = dict[bytes, bytes]()
        for number in range(min(count, 100)):
            tag, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
            places.setdefault(tag, profile[start : start + size])
        parts = [places[tag] for tag in _TAGS]
    except (struct.error, KeyError):
        return None
    kinds = {part[:4] for part in parts[:3]}, {part[:4] for part in parts[3:]}
    if kinds[0] != {b"XYZ "} or not kinds[1] <= {b"curv", b"para"} or max(map(len, parts)) > _MOST_BYTES_A_TAG:
        return None
    table, body, start = struct.pack(">I", len(parts)), b"", 132 + 12 * len(parts)
    for tag, part in zip(_TAGS, parts):
        table += struct.pack(">4sII", tag, start + len(body), len(part))
        body += part + bytes(-len(part) % 4)
    head = struct.pack(">I4s4s", start + len(body), b"", b"\4\x20\0\0") + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _WHITE
    return head.ljust(128, b"\0") + table + body


@lru_cache(maxsize=32)
def _transform(profile: bytes) -> Any:
    """The way to sRGB; ``None`` where the colours hardly change, or Pillow was built without colour management."""
    cube = np.stack(np.meshgrid(*[np.arange(0, 256, 15, dtype=np.uint8)] * 3), axis=-1).reshape(18, -1, 3)
    try:
        with LOADING:
            from PIL import ImageCms

        source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, ImageCms.ImageCmsProfile(target), "RGB", "RGB")
        changed = np.asarray(ImageCms.applyTransform(Image.fromarray(cube), transform)).astype(int)
    except Exception:  # the engine refuses what it cannot read, and ImportError says that there is none
        return None
    return transform if np.abs(changed - cube).max() > 2 else None
