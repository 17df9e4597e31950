"""What comes out of the library: frozen, typed, and ready for JSON."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Any, Optional, Tuple

__all__ = ["FaceBox", "LivenessResult", "Reason", "Verdict"]

Point = Tuple[float, float]


class Verdict(str, enum.Enum):
    """The answer about one frame, or about a stream up to this frame."""

    LIVE = "live"
    SPOOF = "spoof"
    REJECTED = "rejected"


class Reason(str, enum.Enum):
    """Why a frame was rejected: the face could not be judged, or not yet, so it was not accepted."""

    NO_FACE = "no_face"
    MULTIPLE_FACES = "multiple_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_CUT_OFF = "face_cut_off"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_FEW_FRAMES = "too_few_frames"


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
        ValueError: A number is not finite, or the box has no area.

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
        for name in ("x0", "y0", "x1", "y1", "score"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.landmarks is not None:
            object.__setattr__(self, "landmarks", tuple((float(x), float(y)) for x, y in self.landmarks))
        points = [number for point in self.landmarks or () for number in point]
        if not all(map(math.isfinite, (*self.edges, self.score, *points))):
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

    def overlap(self, other: FaceBox) -> float:
        """Intersection over union with another box, in [0, 1].

        Example:
            >>> FaceBox(0, 0, 2, 2).overlap(FaceBox(1, 0, 3, 2))
            0.3333333333333333
        """
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        if width <= 0 or height <= 0:
            return 0.0
        areas = (self.x1 - self.x0) * (self.y1 - self.y0) + (other.x1 - other.x0) * (other.y1 - other.y0)
        return width * height / (areas - width * height)

    def scaled(self, factor: float) -> FaceBox:
        """The same face in a picture ``factor`` times as large.

        Example:
            >>> FaceBox(1, 2, 3, 4).scaled(2).edges
            (2.0, 4.0, 6.0, 8.0)
        """
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


@dataclass(frozen=True)
class LivenessResult:
    """The verdict on one frame, with everything needed to explain it.

    Args:
        verdict: ``LIVE`` when the deciding number (``vote`` on a stream, else ``score``) is at least ``threshold``.
        score: P(bona fide) of this frame in [0, 1], higher is more live; ``None`` when no face could be judged.
        vote: Log-average of the stream's last scores in [0, 1]; ``None`` outside a stream or before its first score.
        threshold: The number that ``score`` or ``vote`` was held against.
        face: The face judged, in pixels of the upright picture; ``None`` when there was none.
        reason: Why the verdict is ``REJECTED``; ``None`` otherwise.
        frames: How many frames stand behind ``vote``; 0 outside a stream.
    """

    verdict: Verdict
    score: Optional[float]
    threshold: float
    vote: Optional[float] = None
    face: Optional[FaceBox] = None
    reason: Optional[Reason] = None
    frames: int = 0

    @property
    def is_live(self) -> bool:
        """True only for ``Verdict.LIVE``: a rejected frame is never live."""
        return self.verdict is Verdict.LIVE

    def to_dict(self) -> dict[str, Any]:
        """Plain strings, numbers and ``None`` for JSON.

        Example:
            >>> LivenessResult(Verdict.SPOOF, score=0.12, threshold=0.5).to_dict()["verdict"]
            'spoof'
        """
        return {
            "verdict": self.verdict.value,
            "is_live": self.is_live,
            "score": self.score,
            "vote": self.vote,
            "frames": self.frames,
            "threshold": self.threshold,
            "reason": None if self.reason is None else self.reason.value,
            "face": None if self.face is None else self.face.to_dict(),
        }
