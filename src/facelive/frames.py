"""Pictures on their way to a result: one small value for each, and what a batch of them needs."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Iterable, Iterator, Optional, Tuple

import numpy as np
import numpy.typing as npt

from facelive.errors import FaceliveError
from facelive.forks import LOADING
from facelive.images import is_single
from facelive.results import FaceBox, LivenessResult, Reason, Verdict

__all__ = ["Frame", "numbered", "picture_name", "with_progress"]

_MISSING: Any = object()


@dataclass
class Frame:
    """What a picture comes to: its face and the views of it, or the reason why there are none; later its score.

    Args:
        face: The face in pixels of the original picture.
        views: uint8, (V, S, S, 3), RGB: what the model sees.
        reason: Why there are no views.
        error: Why the picture could not be read.
        score: P(bona fide) in [0, 1], once the model has seen the views.
    """

    face: Optional[FaceBox] = None
    views: Optional[npt.NDArray[np.uint8]] = None
    reason: Optional[Reason] = None
    error: Optional[str] = None
    score: Optional[float] = None

    def result(self, threshold: float) -> LivenessResult:
        """The verdict at a threshold; without a score it is REJECTED.

        Example:
            >>> print(Frame(score=0.7).result(0.5).verdict)
            live
        """
        verdict = Verdict.REJECTED if self.score is None else Verdict.of(self.score, threshold)
        return LivenessResult(verdict, self.score, threshold, face=self.face, reason=self.reason, error=self.error)


def numbered(images: Iterable[Any], faces: Optional[Iterable[Any]] = None) -> Iterator[Tuple[int, Any, Any]]:
    """Each picture with its number and its face, or ``None`` for all; reads no further ahead.

    Raises:
        ValueError: There are not as many faces as pictures, or ``images`` is one picture.

    Example:
        >>> list(numbered(["a.jpg", "b.jpg"]))
        [(0, 'a.jpg', None), (1, 'b.jpg', None)]
    """
    if is_single(images):
        raise ValueError("predict_batch takes a list of pictures; hand a single one to predict")
    if faces is None:
        return ((index, image, None) for index, image in enumerate(images))
    counts = _length(images), _length(faces)
    if None not in counts and counts[0] != counts[1]:
        raise ValueError(f"{counts[0]} pictures came with {counts[1]} faces: give one box or None per picture")
    return _paired(images, faces)


def _paired(images: Iterable[Any], faces: Iterable[Any]) -> Iterator[Tuple[int, Any, Any]]:
    for index, (image, face) in enumerate(zip_longest(images, faces, fillvalue=_MISSING)):
        if image is _MISSING or face is _MISSING:
            raise ValueError(f"picture {index} came without a {'face' if face is _MISSING else 'picture'}")
        yield index, image, face


def with_progress(items: Iterator[Any], images: Iterable[Any]) -> Iterator[Any]:
    """The same items with a bar on standard error.

    Raises:
        FaceliveError: tqdm is not installed.
    """
    try:
        with LOADING:
            from tqdm import tqdm
    except ImportError as error:
        raise FaceliveError("progress=True needs tqdm, run: pip install tqdm") from error
    return iter(tqdm(items, total=_length(images), unit="picture"))


def picture_name(index: int, image: object) -> str:
    """How an error names a picture of a batch: by its number, and by its path if it has one; never by its data.

    Example:
        >>> picture_name(3, "holiday/face.jpg"), picture_name(4, b"...")
        ("picture 3 ('holiday/face.jpg')", 'picture 4')
    """
    path: object = image
    if isinstance(image, os.PathLike):
        with suppress(Exception):  # the picture's own error says what is wrong with its path
            path = os.fspath(image)
    named = isinstance(path, str) and len(path) <= 260 and path[:5].lower() != "data:"
    return f"picture {index} ({path!r})" if named else f"picture {index}"


def _length(items: Any) -> Optional[int]:
    return len(items) if hasattr(items, "__len__") else None
