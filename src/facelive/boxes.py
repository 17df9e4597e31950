"""Where a face is: a box in pixels, and what boxes can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence, Tuple

from facelive.words import as_number

__all__ = ["FaceBox", "Point", "overlap"]

Point = Tuple[float, float]

_FARTHEST_PX = 1e15  # far beyond any picture; areas are exact enough up to here


@dataclass(frozen=True)
class FaceBox:
    """A face in a picture, in pixels of the upright picture; the origin is its top left corner.

    Args:
        x0: Left edge; may lie outside the picture, as a face may.
        y0: Top edge.
        x1: Right edge, greater than ``x0``.
        y1: Bottom edge, greater than ``y0``.
        score: The face detector's certainty that this is a face, in [0, 1]; says nothing about liveness.
        landmarks: Five ``(x, y)`` points or none: the eye on the picture's left, the eye on its right,
            the nose tip, the mouth corner on the left, the one on the right.

    Numbers of any kind, NumPy's too, are kept as ``float``.

    Raises:
        ValueError: A number is none, not finite or far outside any picture, or the box has no area.

    Example:
        >>> FaceBox(10, 20, 110, 140).side_px
        120.0
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    landmarks: Optional[Tuple[Point, ...]] = None

    def __post_init__(self) -> None:
        try:
            for name in ("x0", "y0", "x1", "y1", "score"):
                object.__setattr__(self, name, float(getattr(self, name)))
            if self.landmarks is not None:
                object.__setattr__(self, "landmarks", tuple((float(x), float(y)) for x, y in self.landmarks))
        except Exception as error:  # whatever an object does when it is asked for a number
            raise ValueError(
                "a face box is four numbers in pixels, a score and perhaps five (x, y) landmarks"
            ) from error
        numbers = (*self.edges, self.score, *(number for point in self.landmarks or () for number in point))
        if not all(abs(number) <= _FARTHEST_PX for number in numbers):  # false for NaN too
            raise ValueError(f"a face box needs finite pixels and a finite score, not {self}")
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise ValueError(f"a face box is (left, top, right, bottom) with an area, not {self.edges}")

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """``(x0, y0, x1, y1)`` in pixels."""
        return (self.x0, self.y0, self.x1, self.y1)

    @property
    def side_px(self) -> float:
        """The longer side in pixels: what crops and quality limits are measured by."""
        return float(max(self.x1 - self.x0, self.y1 - self.y0))

    @property
    def center(self) -> Point:
        """The middle of the box in pixels."""
        return ((self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2)

    def touches(self, width: int, height: int) -> bool:
        """Whether any of the face lies in a picture of ``width`` by ``height`` pixels.

        Example:
            >>> FaceBox(-50, 0, 10, 60).touches(640, 480), FaceBox(640, 0, 700, 60).touches(640, 480)
            (True, False)
        """
        return self.x1 > 0 and self.y1 > 0 and self.x0 < width and self.y0 < height

    def overlap(self, other: FaceBox) -> float:
        """Intersection over union with another box, in [0, 1].

        Example:
            >>> FaceBox(0, 0, 2, 2).overlap(FaceBox(1, 0, 3, 2))
            0.3333333333333333
        """
        return overlap(self.edges, other.edges)

    def scaled(self, factor: float) -> FaceBox:
        """The same face in a picture ``factor`` times as large.

        Example:
            >>> FaceBox(1, 2, 3, 4).scaled(2).edges
            (2.0, 4.0, 6.0, 8.0)
        """
        factor = as_number(factor)
        if factor == 1:
            return self
        landmarks = self.landmarks and tuple((x * factor, y * factor) for x, y in self.landmarks)
        x0, y0, x1, y1 = (edge * factor for edge in self.edges)
        return FaceBox(x0, y0, x1, y1, self.score, landmarks)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists for JSON."""
        return {
            "box_px": [round(edge, 1) for edge in self.edges],
            "score": round(self.score, 4),
            "landmarks_px": None if self.landmarks is None else [[round(x, 1), round(y, 1)] for x, y in self.landmarks],
        }


def overlap(one: Sequence[float], two: Sequence[float]) -> float:
    """Intersection over union of two boxes that begin with ``(x0, y0, x1, y1)``; 0 where one has no area.

    Example:
        >>> overlap((0, 0, 2, 2), (1, 0, 3, 2))
        0.3333333333333333
    """
    width, height = min(one[2], two[2]) - max(one[0], two[0]), min(one[3], two[3]) - max(one[1], two[1])
    if not (width > 0 and height > 0):
        return 0.0
    areas = (one[2] - one[0]) * (one[3] - one[1]) + (two[2] - two[0]) * (two[3] - two[1])
    return width * height / (areas - width * height)
