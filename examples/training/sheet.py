"""A contact sheet of synthetic attacks on one portrait: ``python -m examples.training.sheet --out sheet.jpg``.

Rows: prints, screens, and mirrors (the same second camera without an attack). Use a portrait that may be shown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np
import numpy.typing as npt
from examples.training.augment import Box
from examples.training.spoofs import contact_rows
from PIL import Image

from facelive.crops import face_crop

__all__ = ["contact_sheet", "main"]

COLLINS = (178.0, 70.0, 270.0, 190.0)  # the face in examples/portrait.jpg


def contact_sheet(
    image: npt.NDArray[np.uint8], box: Box, *, columns: int = 6, side: int = 160, seed: int = 0
) -> npt.NDArray[np.uint8]:
    """Crops of attacks and mirrors side by side.

    Args:
        image: uint8, (H, W, 3), RGB: a live picture.
        box: Its face in pixels.
        columns: Draws of each kind.
        side: Pixels of a crop.
        seed: Of the first column; the next counts on.

    Returns:
        uint8, (3 * side, columns * side, 3), RGB.
    """
    rows = contact_rows(image, box, range(seed, seed + columns))
    return np.vstack([np.hstack([face_crop(one.image, one.box, scale=1.6, size=side) for one in row]) for row in rows])


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="sheet", description=__doc__)
    parser.add_argument("--portrait", type=Path, default=Path("examples/portrait.jpg"))
    parser.add_argument("--box", type=float, nargs=4, default=COLLINS, metavar=("X0", "Y0", "X1", "Y1"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    image = np.asarray(Image.open(options.portrait).convert("RGB"))
    x0, y0, x1, y1 = options.box
    Image.fromarray(contact_sheet(image, (x0, y0, x1, y1), seed=options.seed)).save(options.out, quality=88)
    return 0


if __name__ == "__main__":
    sys.exit(main())
