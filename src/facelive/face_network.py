"""The face detector that comes with the library: one small TFLite network and how to read its grid."""

from __future__ import annotations

import hashlib
import json
import math
from itertools import compress
from operator import itemgetter, mul
from pathlib import Path
from typing import Any, List, Optional

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelive.boxes import FaceBox, overlap
from facelive.crops import to_pillow
from facelive.errors import ImageError, ModelError
from facelive.forks import LOADING
from facelive.tflite import TFLiteModel

__all__ = ["BundledFaceDetector"]

_FILE = Path(__file__).parent / "assets" / "face_detector.tflite"
_SIZE = 160
_STRIDE = 8
_GRID = _SIZE // _STRIDE
_ANCHOR_PX = 32.0
_PAD = 114  # the grey beside a letterboxed picture, as in training
_SAME_FACE = 0.4  # boxes that overlap more than this are one face

_Floats = npt.NDArray[np.float32]
_Row = List[float]  # a face: box, five landmarks, score; 15 numbers


class BundledFaceDetector:
    """The face detector that comes with the library: one small TFLite network, loaded at the first picture.

    It sees the picture shrunk to 160 pixels: of faces a fifth as high as the picture it finds nine in ten, of
    smaller ones fewer. Threads may share it; it pickles small, and another process loads its own network.

    Args:
        score_threshold: Faces scored below this are not reported, in (0, 1).
        num_threads: Threads inside one call; 1 is fastest at this size.

    Raises:
        ValueError: ``score_threshold`` is out of range.

    Example:
        >>> BundledFaceDetector().detect(np.zeros((480, 640, 3), np.uint8))
        []
    """

    __slots__ = ("_model", "num_threads", "score_threshold")

    def __init__(self, *, score_threshold: float = 0.5, num_threads: int = 1) -> None:
        if not 0 < score_threshold < 1:
            raise ValueError(f"score_threshold lies between 0 and 1, not {score_threshold}")
        self.score_threshold = score_threshold
        self.num_threads = num_threads
        self._model: Optional[TFLiteModel] = None

    def detect(self, image: npt.NDArray[np.uint8]) -> list[FaceBox]:
        """Find the faces of a picture; threads may call this at the same time.

        Args:
            image: uint8, (H, W, 3), RGB, 0-255, upright.

        Returns:
            Faces with five landmarks, best score first, in pixels of ``image``. The middle of each lies in the
            picture; its edges may lie outside, as the face does.

        Raises:
            ImageError: ``image`` is not such an array.
            ModelError: The network's file is not the one that came with the library.
            RuntimeUnavailableError: No TFLite runtime works here.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ImageError(f"faces are found in a uint8 (H, W, 3) array, not {image.dtype} {image.shape}")
        height, width = image.shape[:2]
        batch, left, top, inner_width, inner_height = _letterbox(image)
        (grid,) = self._loaded().run(batch, value_range=(-1, 1))
        found = _suppress(_decode(grid[0], self.score_threshold))
        for row in found:
            row[0:14:2] = [(x - left) * width / inner_width for x in row[0:14:2]]
            row[1:14:2] = [(y - top) * height / inner_height for y in row[1:14:2]]
        return _boxes(found, width, height)

    def _loaded(self) -> TFLiteModel:
        if self._model is None:
            with LOADING:
                if self._model is None:
                    content = _genuine(_FILE)
                    self._model = TFLiteModel(content, name=_FILE.name, num_threads=self.num_threads, checked=True)
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        return {"score_threshold": self.score_threshold, "num_threads": self.num_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _genuine(path: Path) -> bytes:
    """The bytes of a file, if they are those that the card beside it names."""
    content = path.read_bytes()
    said, found = json.loads(path.with_suffix(".json").read_bytes())["sha256"], hashlib.sha256(content).hexdigest()
    if said != found:
        raise ModelError(f"{path.name} has sha256 {found}, but its card says {said}: install facelive again")
    return content


def _letterbox(image: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], int, int, int, int]:
    """What the network sees, uint8, (1, S, S, 3), and left, top, width and height of the picture in it."""
    height, width = image.shape[:2]
    scale = _SIZE / max(width, height)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (_SIZE - inner_width) // 2, (_SIZE - inner_height) // 2
    # Two rows a pixel are enough to average over; reducing_gap=1 averages whole blocks, then filters little.
    rows = image[:: max(1, height // (2 * inner_height))]
    small = to_pillow(rows).resize((inner_width, inner_height), Image.Resampling.BILINEAR, reducing_gap=1.0)
    batch = np.full((1, _SIZE, _SIZE, 3), _PAD, np.uint8)
    batch[0, top : top + inner_height, left : left + inner_width] = np.asarray(small)
    return batch, left, top, inner_width, inner_height


# A handful of cells see a face: for so few, plain Python takes less time than NumPy's calls.


def _decode(grid: _Floats, score_threshold: float) -> list[_Row]:
    """Cells that see a face, best first, in input pixels."""
    cells = grid.reshape(-1, 15)
    seen = np.flatnonzero(cells[:, 0] >= math.log(score_threshold / (1 - score_threshold)))
    found = []
    for index, (logit, *cell) in zip(seen.tolist(), cells[seen].tolist()):
        row, column = divmod(index, _GRID)
        middle_x, middle_y = (column + 0.5) * _STRIDE, (row + 0.5) * _STRIDE
        width, height = (_ANCHOR_PX * math.exp(max(min(size, 5), -5)) for size in cell[2:4])
        xs = [middle_x + x * width for x in (cell[0], *cell[4::2])]
        ys = [middle_y + y * height for y in (cell[1], *cell[5::2])]
        box = [xs[0] - width / 2, ys[0] - height / 2, xs[0] + width / 2, ys[0] + height / 2]
        points = [edge for point in zip(xs[1:], ys[1:]) for edge in point]
        found.append([*box, *points, 1 / (1 + math.exp(-logit))])
    return sorted(found, key=itemgetter(14), reverse=True)


def _suppress(found: list[_Row]) -> list[_Row]:
    """One row per face: the mean of the rows that overlap its best one, weighted by score.

    The mean moves half as much as the best row alone when the picture shifts, and liveness scores move with the box.
    """
    faces = []
    while found:
        best, rest = found[0], found[1:]
        is_same = [overlap(best, row) > _SAME_FACE for row in rest]
        same = [best, *compress(rest, is_same)]
        found = [row for row, joined in zip(rest, is_same) if not joined]
        scores = [row[14] for row in same]
        total = sum(scores)
        faces.append([sum(map(mul, column, scores)) / total for column in zip(*same)])
        faces[-1][14] = best[14]
    return faces


def _boxes(found: list[_Row], width: int, height: int) -> list[FaceBox]:
    """Rows in picture pixels as faces; what is not finite, has no area or lies outside the picture is dropped."""
    return [
        FaceBox(row[0], row[1], row[2], row[3], score=row[14], landmarks=tuple(zip(row[4:14:2], row[5:14:2])))
        for row in found
        if all(map(math.isfinite, row))
        and row[0] < row[2]
        and row[1] < row[3]
        and 0 <= row[0] + row[2] <= 2 * width
        and 0 <= row[1] + row[3] <= 2 * height
    ]
