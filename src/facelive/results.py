"""What comes out of the library: frozen, typed, and ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from PIL import Image
from typing_extensions import Literal

from facelive.boxes import FaceBox
from facelive.drawing import draw_face
from facelive.images import ImageLike
from facelive.words import Word

__all__ = ["FaceBox", "LivenessResult", "Reason", "Verdict"]


class Verdict(Word):
    """The answer about one frame, or about a stream up to this frame; ``f"{verdict}"`` is ``live``."""

    LIVE = "live"
    SPOOF = "spoof"
    REJECTED = "rejected"

    @classmethod
    def of(cls, score: float, threshold: float) -> Verdict:
        """LIVE from the threshold up, else SPOOF: the one place where a score becomes a verdict.

        Args:
            score: P(bona fide) in [0, 1], of a frame or of a vote; higher is more live.
            threshold: The operating point in [0, 1].

        Example:
            >>> print(Verdict.of(0.5, 0.5))
            live
        """
        return cls.LIVE if score >= threshold else cls.SPOOF


class Reason(Word):
    """Why a frame was rejected: the face could not be judged, or not yet, so it was not accepted."""

    UNREADABLE = "unreadable"
    NO_FACE = "no_face"
    MULTIPLE_FACES = "multiple_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_CUT_OFF = "face_cut_off"
    TOO_BLURRED = "too_blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_FEW_FRAMES = "too_few_frames"


@dataclass(frozen=True)
class LivenessResult:
    """The verdict on one frame, with everything needed to explain it. It is true, as ``if result:`` asks, only if live.

    Args:
        verdict: ``LIVE`` when the deciding number (``vote`` on a stream, else ``score``) is at least ``threshold``.
        score: P(bona fide) of this frame in [0, 1], higher is more live; ``None`` when no face could be judged.
        vote: Log-average of the stream's last scores in [0, 1]; ``None`` outside a stream or before its first score.
        threshold: The number that ``score`` or ``vote`` was held against.
        face: The face judged, in pixels of the upright picture; ``None`` when there was none.
        reason: Why the verdict is ``REJECTED``; ``None`` otherwise.
        frames: How many frames stand behind ``vote``; 0 outside a stream.
        error: Why the picture could not be read, where ``predict_batch`` was asked to go on; else ``None``.

    Example:
        >>> print(LivenessResult(Verdict.LIVE, score=0.931, threshold=0.5))
        live: score 0.931, threshold 0.5
    """

    verdict: Verdict
    score: Optional[float]
    threshold: float
    vote: Optional[float] = None
    face: Optional[FaceBox] = None
    reason: Optional[Reason] = None
    frames: int = 0
    error: Optional[str] = None

    @property
    def is_live(self) -> bool:
        """True only for ``Verdict.LIVE``: a rejected frame is never live."""
        return self.verdict is Verdict.LIVE

    def __bool__(self) -> bool:
        return self.is_live

    def __str__(self) -> str:
        words = [f" {self.error or self.reason}"] if self.reason else []
        if self.vote is not None and self.frames:
            words.append(f" vote {self.vote:.3f} of {self.frames} frame{'s' * (self.frames > 1)}")
        elif self.score is not None:
            words.append(f" score {self.score:.3f}")
        if self.score is not None:
            words.append(f" threshold {self.threshold:g}")
        return f"{self.verdict}:{','.join(words)}"

    def annotate(self, image: ImageLike, *, order: Literal["RGB", "BGR"] = "RGB") -> Image.Image:
        """Draw the face box, verdict and score on a copy of the picture that was judged.

        Args:
            image: The same picture that ``predict`` was given.
            order: The colour order of an array.

        Returns:
            A new upright RGB picture; green is live, red is spoof, grey is rejected.

        Raises:
            ImageError: The picture cannot be read.

        Example:
            >>> import numpy as np
            >>> result = LivenessResult(Verdict.LIVE, score=0.9, threshold=0.5, face=FaceBox(20, 20, 60, 60))
            >>> result.annotate(np.zeros((80, 100, 3), np.uint8)).size
            (100, 80)
        """
        deciding = self.score if self.vote is None else self.vote
        words = (self.verdict, self.reason, None if deciding is None else f"{deciding:.2f}")
        edges = None if self.face is None else self.face.edges
        return draw_face(image, edges, " ".join(f"{word}" for word in words if word), self.verdict.value, order=order)

    def to_dict(self) -> dict[str, Any]:
        """Plain strings, numbers and ``None`` for JSON; ``error`` is there only when the picture could not be read.

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
            **({} if self.error is None else {"error": self.error}),
        }
