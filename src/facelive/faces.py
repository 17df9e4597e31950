"""Where the face is: the door for any face detector, what counts as a box, and which face a verdict is about."""

from __future__ import annotations

from itertools import islice
from typing import Any, Iterable, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt
from typing_extensions import Literal, Protocol, runtime_checkable

from facelive.cards import ModelCard
from facelive.errors import ImageError, ModelError
from facelive.face_network import BundledFaceDetector
from facelive.images import ImageLike, Picture, readings
from facelive.results import FaceBox, Reason
from facelive.words import quoted, shown

__all__ = [
    "BundledFaceDetector",
    "FaceBox",
    "FaceDetector",
    "FaceLike",
    "as_face",
    "checked_detector",
    "choose_face",
    "detected",
    "face_of_crop",
    "find_face",
]

FaceLike = Union[FaceBox, Sequence[float], npt.NDArray[Any]]
"""A ``FaceBox``, or ``(x0, y0, x1, y1)`` in pixels, or those with a score in [0, 1] behind them."""

_SIDES_PX = (360, 720)  # of a large JPEG's shorter side, at first and for a small face
_ENOUGH = 0.75  # a near view of so many of the input's pixels is as good: scores move by 0.02 at most in 95 of 100
_CENTRAL = 0.05  # faces whose middle lies in this outer part of the picture give way to others


@runtime_checkable
class FaceDetector(Protocol):
    """Anything that finds faces: wrap YuNet, MediaPipe or a server's boxes in a class with this one method."""

    def detect(self, image: npt.NDArray[np.uint8]) -> Iterable[FaceLike]:
        """Find the faces of a picture.

        Args:
            image: uint8, (H, W, 3), RGB, 0-255, upright.

        Returns:
            The faces in any order, each a ``FaceBox`` or ``(x0, y0, x1, y1)``, perhaps with a score behind, in pixels
            of ``image``; empty when there is none.
        """
        ...


def as_face(face: FaceLike) -> FaceBox:
    """A box, from whatever a caller gives as one.

    Raises:
        ImageError: It is no box in pixels.

    Example:
        >>> as_face((10, 20, 110, 140)).side_px
        120.0
    """
    if isinstance(face, FaceBox):
        return face
    try:
        x0, y0, x1, y1, *score = islice(face, 6)
        if len(score) > 1:
            raise ValueError("more than 5 numbers are too many")
        return FaceBox(x0, y0, x1, y1, *score)
    except Exception as error:  # whatever it does when it is asked for its numbers
        raise ImageError(
            "a face is a FaceBox or (x0, y0, x1, y1): left, top, right, bottom in pixels, "
            f"not {_shape(face)} ({shown(error, 200)})"
        ) from error


def face_in(face: FaceLike, width: int, height: int, *, scale: float = 1.0) -> FaceBox:
    """As ``as_face``, in a picture of ``width`` by ``height`` pixels that was read at a ``scale``-th of its size.

    Raises:
        ImageError: It is no box in pixels, or lies outside the picture.
    """
    box = as_face(face).scaled(1 / scale)
    if not box.touches(width, height):
        raise ImageError(f"the face {box.edges} lies outside the {width}x{height} picture: give its pixels")
    return box


def checked_detector(detector: Optional[FaceDetector]) -> Optional[FaceDetector]:
    """The same face detector, or ``None`` for pictures that are crops already; a ``ModelError`` for anything else."""
    if detector is None or (callable(getattr(detector, "detect", None)) and not isinstance(detector, type)):
        return detector
    raise ModelError(
        f"faces is an object with a detect(image) method, or None for pictures that are crops, not {quoted(detector)}"
    )


def detected(detector: FaceDetector, image: npt.NDArray[np.uint8]) -> list[FaceBox]:
    """The faces that a detector finds, as boxes; a ``ModelError`` when it answers with something else than faces."""
    answer = detector.detect(image)
    try:
        return [as_face(face) for face in answer]
    except Exception as error:  # whatever its answer does when it is asked for faces
        name = type(detector).__name__
        raise ModelError(
            f"{name}.detect() answered with {_shape(answer)}, not with faces, each a FaceBox or a row "
            "(x0, y0, x1, y1) or (x0, y0, x1, y1, score)"
        ) from error


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
        20.0
    """
    if multiple not in ("largest", "reject"):
        raise ValueError(f"multiple is 'largest' or 'reject', not {multiple!r}")
    inside = [box for box in boxes if box.touches(width, height)]
    if not inside:
        return Reason.NO_FACE
    if multiple == "reject" and len(inside) > 1:
        return Reason.MULTIPLE_FACES

    def rank(box: FaceBox) -> tuple[bool, float]:
        x, y = box.center
        edge = min(x / width, 1 - x / width, y / height, 1 - y / height)
        return edge >= _CENTRAL, box.side_px

    return max(inside, key=rank)


def face_of_crop(width: int, height: int, scale: float) -> FaceBox:
    """The face in a picture that is itself a face crop: centred, with the margin that ``scale`` leaves around it.

    Example:
        >>> face_of_crop(300, 300, 1.5).edges
        (50.0, 50.0, 250.0, 250.0)
    """
    half = max(width, height) / scale / 2
    return FaceBox(width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)


def find_face(
    image: ImageLike,
    face: Optional[FaceLike],
    order: str,
    faces: Optional[FaceDetector],
    card: ModelCard,
    multiple: Literal["largest", "reject"] = "largest",
) -> Tuple[Picture, Union[FaceBox, Reason]]:
    """Read a picture, a large JPEG finer where its face is small, and find the face that a verdict is about.

    Args:
        image: As ``LivenessDetector.predict`` takes it.
        face: A box in the original's pixels, if the caller gave one; it may be far smaller than one that is looked
            for, so it gets every pixel.
        order: Colour order of an array.
        faces: The detector; one of the caller's own may see more in a finer picture. ``None`` takes the picture as a
            face crop.
        card: Of the model: how many pixels of a face it has use for.
        multiple: As in ``choose_face``.

    Returns:
        The picture as it was read, and the face in its pixels, or why there is none.
    """
    ours = faces is None or isinstance(faces, BundledFaceDetector)
    sides = (None,) if face is not None else _SIDES_PX if ours else _SIDES_PX[1:]
    for picture in readings(image, sides, order=order):
        height, width = picture.pixels.shape[:2]
        found: Union[FaceBox, Reason]
        if face is not None:
            found = face_in(face, width, height, scale=picture.scale)
        elif faces is None:
            found = face_of_crop(width, height, card.crop_scale)
        else:
            found = choose_face(detected(faces, picture.pixels), width, height, multiple)
        # A face that was not found is not found in finer pixels either: the network sees few of them.
        if isinstance(found, Reason) or found.side_px * card.crop_scale >= _ENOUGH * card.input_size:
            break
    return picture, found


def _shape(given: object) -> str:
    """What was handed in, in few words and without its content."""
    shape = getattr(given, "shape", None)
    if isinstance(shape, tuple):
        return f"an array {shape}"
    name = "None" if given is None else f"a {type(given).__name__}"
    return f"{name} of {len(given)}" if isinstance(given, (list, tuple)) else name
