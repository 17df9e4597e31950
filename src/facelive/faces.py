"""Where the face is: the detector that comes with the library, the door for any other, and which face counts."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt
from PIL import Image
from typing_extensions import Literal, Protocol, runtime_checkable

from facelive.errors import ImageError
from facelive.results import FaceBox, Reason
from facelive.runtime import TFLiteModel

__all__ = ["BundledFaceDetector", "FaceBox", "FaceDetector", "choose_face"]

_FILE = Path(__file__).parent / "assets" / "face_detector.tflite"
_SIZE = 160
_STRIDE = 8
_GRID = _SIZE // _STRIDE
_ANCHOR_PX = 32.0
_PAD = np.float32(114 / 127.5 - 1)  # the grey beside a letterboxed picture, as in training
_SAME_FACE = 0.4  # boxes that overlap more than this are one face
_CENTRAL = 0.05  # faces whose middle lies in this outer part of the picture give way to others

_Floats = npt.NDArray[np.float32]


@runtime_checkable
class FaceDetector(Protocol):
    """Anything that finds faces: wrap YuNet, MediaPipe or a server's boxes in a class with this one method."""

    def detect(self, image: npt.NDArray[np.uint8]) -> Sequence[FaceBox]:
        """Find the faces of a picture.

        Args:
            image: uint8, (H, W, 3), RGB, 0-255, upright.

        Returns:
            The faces in any order, in pixels of ``image``; empty when there is none.
        """
        ...


class BundledFaceDetector:
    """The face detector that comes with the library: one small TFLite network, loaded at the first picture.

    It looks at the picture shrunk to 160 pixels: of faces a fifth as high as the picture it finds nine in ten, of
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

    def __init__(self, *, score_threshold: float = 0.5, num_threads: int = 1) -> None:
        if not 0 < score_threshold < 1:
            raise ValueError(f"score_threshold lies between 0 and 1, not {score_threshold}")
        self.score_threshold = score_threshold
        self.num_threads = num_threads
        self._model: Optional[TFLiteModel] = None
        self._lock = threading.Lock()

    def detect(self, image: npt.NDArray[np.uint8]) -> list[FaceBox]:
        """Find the faces of a picture; threads may call this at the same time.

        Args:
            image: uint8, (H, W, 3), RGB, 0-255, upright.

        Returns:
            Faces with five landmarks, best score first, in pixels of ``image``. The middle of each lies in the
            picture; its edges may lie outside, as the face does.

        Raises:
            ImageError: ``image`` is not such an array.
            RuntimeUnavailableError: No TFLite runtime works here.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ImageError(f"faces are found in a uint8 (H, W, 3) array, not {image.dtype} {image.shape}")
        batch, origin, pixels = _letterbox(image)
        (grid,) = self._loaded().run(batch)
        found = _suppress(_decode(grid[0], self.score_threshold))
        found[:, :14] = (found[:, :14] - np.tile(origin, 7)) * np.tile(pixels, 7)
        return _boxes(found, image.shape[1], image.shape[0])

    def _loaded(self) -> TFLiteModel:
        if self._model is None:
            with self._lock:
                if self._model is None:
                    self._model = TFLiteModel(_FILE.read_bytes(), name=_FILE.name, num_threads=self.num_threads)
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        return {"score_threshold": self.score_threshold, "num_threads": self.num_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def choose_face(
    boxes: Sequence[FaceBox], width: int, height: int, multiple: Literal["largest", "reject"] = "largest"
) -> Union[FaceBox, Reason]:
    """Pick the face that a verdict is about.

    The largest face wins; one whose middle lies in the outer 5 % of the picture wins only when there is no other.

    Args:
        boxes: Faces in pixels of the picture, in any order.
        width: The picture's width in pixels.
        height: Its height.
        multiple: ``"largest"`` picks one of several faces, ``"reject"`` refuses to choose.

    Returns:
        A face, or ``NO_FACE``, or ``MULTIPLE_FACES``.

    Raises:
        ValueError: ``multiple`` is neither.

    Example:
        >>> choose_face([FaceBox(0, 0, 10, 10), FaceBox(20, 20, 60, 60)], 100, 100).x0
        20
    """
    if multiple not in ("largest", "reject"):
        raise ValueError(f"multiple is 'largest' or 'reject', not {multiple!r}")
    inside = [box for box in boxes if box.x1 > 0 and box.y1 > 0 and box.x0 < width and box.y0 < height]
    if not inside:
        return Reason.NO_FACE
    if multiple == "reject" and len(inside) > 1:
        return Reason.MULTIPLE_FACES

    def rank(box: FaceBox) -> tuple[bool, float]:
        x, y = box.center
        edge = min(x / width, 1 - x / width, y / height, 1 - y / height)
        return edge >= _CENTRAL, box.side_px

    return max(inside, key=rank)


def _letterbox(image: npt.NDArray[np.uint8]) -> tuple[_Floats, _Floats, _Floats]:
    """The network's input, where the picture starts in it (x, y), and picture pixels per input pixel (x, y)."""
    height, width = image.shape[:2]
    scale = _SIZE / max(width, height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (_SIZE - inner[0]) // 2, (_SIZE - inner[1]) // 2
    # reducing_gap=1 averages whole blocks first: a fifth of the time of the filter alone.
    small = Image.fromarray(image).resize(inner, Image.Resampling.BILINEAR, reducing_gap=1.0)
    batch = np.full((1, _SIZE, _SIZE, 3), _PAD, np.float32)
    part = batch[0, top : top + inner[1], left : left + inner[0]]
    np.multiply(np.asarray(small), np.float32(1 / 127.5), out=part)
    part -= 1
    return batch, np.array([left, top], np.float32), np.array([width / inner[0], height / inner[1]], np.float32)


def _decode(grid: _Floats, score_threshold: float) -> _Floats:
    """Cells that see a face, best first: float32, (n, 15): box, five landmarks, score, in input pixels."""
    cells = grid.reshape(-1, 15)
    logit = math.log(score_threshold / (1 - score_threshold))
    seen = np.flatnonzero(cells[:, 0] >= logit)
    seen = seen[np.argsort(-cells[seen, 0], kind="stable")]
    cells = cells[seen]
    middles = np.stack([seen % _GRID, seen // _GRID], 1).astype(np.float32) * _STRIDE + _STRIDE / 2
    sizes = _ANCHOR_PX * np.exp(np.clip(cells[:, 3:5], -5, 5))
    points = np.tile(middles, 6) + cells[:, [1, 2, *range(5, 15)]] * np.tile(sizes, 6)
    found = np.empty((len(cells), 15), np.float32)
    found[:, 0:2] = points[:, :2] - sizes / 2
    found[:, 2:4] = points[:, :2] + sizes / 2
    found[:, 4:14] = points[:, 2:]
    found[:, 14] = 1 / (1 + np.exp(-cells[:, 0]))
    return found


def _suppress(found: _Floats) -> _Floats:
    """One row per face: the mean of the rows that overlap its best one, weighted by score.

    The mean moves half as much as the best row alone when the picture shifts, and liveness scores move with the box.
    """
    faces = []
    while len(found):
        same = _overlaps(found[0], found) > _SAME_FACE
        same[0] = True  # also when its box has no area
        weights = found[same, 14]
        faces.append(weights @ found[same] / weights.sum())
        faces[-1][14] = found[0, 14]
        found = found[~same]
    return np.array(faces, np.float32).reshape(-1, 15)


def _overlaps(one: _Floats, many: _Floats) -> _Floats:
    """Intersection over union of one row with many."""
    low, high = np.maximum(one[:2], many[:, :2]), np.minimum(one[2:4], many[:, 2:4])
    inner = np.clip(high - low, 0, None).prod(1)
    areas = (many[:, 2:4] - many[:, :2]).prod(1) + (one[2:4] - one[:2]).prod()
    return np.asarray(inner / np.maximum(areas - inner, np.float32(1e-9)), np.float32)


def _boxes(found: _Floats, width: int, height: int) -> list[FaceBox]:
    """Rows in picture pixels as faces; what is not finite, has no area or lies outside the picture is dropped."""
    middle = (found[:, :2] + found[:, 2:4]) / 2
    inside = ((middle >= 0) & (middle <= (width, height))).all(1)
    good = inside & np.isfinite(found).all(1) & (found[:, 2:4] > found[:, :2]).all(1)
    return [
        FaceBox(row[0], row[1], row[2], row[3], score=row[14], landmarks=tuple(zip(row[4:14:2], row[5:14:2])))
        for row in found[good].tolist()
    ]
