"""What comes out of a session: steps, one decision, and the state for a store."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from typing_extensions import TypedDict

from facelive.challenges.protocol import Screen
from facelive.guidance import Guidance
from facelive.results import FaceBox, LivenessResult
from facelive.words import Word, json_number

__all__ = ["SessionDecision", "SessionFrame", "SessionMemory", "SessionReason", "SessionState", "SessionStep"]

_VERSION = 1


class SessionReason(Word):
    """Why a session refused."""

    NOT_LIVE = "not_live"
    FRAME_BELOW_FLOOR = "frame_below_floor"
    FACE_CHANGED = "face_changed"
    FACE_LOST = "face_lost"
    CHALLENGE_FAILED = "challenge_failed"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True)
class SessionDecision:
    """How a visit ended.

    Args:
        accepted: Whether the person may pass; ``bool(decision)`` says the same.
        reason: Why not; ``None`` when accepted.
        vote: Log-average of the visit's scores in [0, 1]; ``None`` without one.
        frames: How many judged frames stand behind ``vote``.

    Example:
        >>> bool(SessionDecision(False, SessionReason.TIMED_OUT, vote=None, frames=0))
        False
    """

    accepted: bool
    reason: Optional[SessionReason]
    vote: Optional[float]
    frames: int

    def __bool__(self) -> bool:
        return self.accepted

    def to_dict(self) -> Dict[str, Any]:
        """Plain strings, numbers and ``None`` for JSON."""
        reason = None if self.reason is None else self.reason.value
        return {"accepted": self.accepted, "reason": reason, "vote": self.vote, "frames": self.frames}


@dataclass(frozen=True)
class SessionStep:
    """What one frame did.

    Args:
        result: The frame alone, without the others' votes.
        guidance: What to tell the person before the next frame; ``None`` after the decision.
        screen: What the screen must show for the next frame; ``None`` unless a challenge asks for light.
        progress: How far the visit is, in [0, 1].
        decision: The end of the visit, on its last frame; ``None`` before.
    """

    result: LivenessResult
    guidance: Optional[Guidance]
    screen: Optional[Screen]
    progress: float
    decision: Optional[SessionDecision]


class SessionFrame(NamedTuple):
    """A frame that was judged and not yet taken.

    Args:
        result: The frame alone.
        seen: The numbers that the challenge needs of it; ``None`` without a challenge or a face.
    """

    result: LivenessResult
    seen: Optional[List[float]]


class SessionState(TypedDict):
    """All that a session remembers, ready for JSON and a store; keep it from the client."""

    version: int
    window: int
    scores: List[float]
    face_px: Optional[List[float]]
    missed: int
    started_ms: Optional[float]
    last_ms: Optional[float]
    answered: bool
    challenge: Optional[Dict[str, Any]]
    decision: Optional[Dict[str, Any]]


@dataclass
class SessionMemory:
    """What a session remembers besides its challenge's own state.

    Args:
        window: How many judged frames a decision needs.
        answered: Whether the challenge was answered, or there is none.
        scores: Of the judged frames, in order, in [0, 1].
        face: The last face judged.
        missed: Frames without a judged face since the first judged one.
        started_ms: When the first frame came; ``None`` before it.
        last_ms: When the last one came.
        decision: How the visit ended; ``None`` while it goes on.
    """

    window: int
    answered: bool
    scores: List[float] = field(default_factory=list)
    face: Optional[FaceBox] = None
    missed: int = 0
    started_ms: Optional[float] = None
    last_ms: Optional[float] = None
    decision: Optional[SessionDecision] = None

    def to_state(self, challenge: Optional[Dict[str, Any]]) -> SessionState:
        """Plain numbers and lists for JSON, with those of the challenge."""
        return SessionState(
            version=_VERSION,
            window=self.window,
            scores=list(self.scores),
            face_px=None if self.face is None else list(self.face.edges),
            missed=self.missed,
            started_ms=self.started_ms,
            last_ms=self.last_ms,
            answered=self.answered,
            challenge=challenge,
            decision=None if self.decision is None else self.decision.to_dict(),
        )

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, window: int) -> SessionMemory:
        """Read a state of this version and window.

        Raises:
            KeyError, TypeError, ValueError: It is another's, or no session can have it.
        """
        if state["version"] != _VERSION or state["window"] != window:
            raise ValueError("a state of another version or window")
        scores = [json_number(score) for score in state["scores"]]
        times = [json_number(time) for time in (state["started_ms"], state["last_ms"]) if time is not None]
        x0, y0, x1, y1 = map(json_number, state["face_px"] or (0, 0, 1, 1))
        face = None if state["face_px"] is None else FaceBox(x0, y0, x1, y1)
        decision = None
        if state["decision"] is not None:
            decision = SessionDecision(**state["decision"])
            reason = None if decision.reason is None else SessionReason(decision.reason)
            decision = replace(decision, accepted=decision.accepted is True, reason=reason)
        missed, answered = state["missed"], state["answered"]
        whole = (
            all(0 <= score <= 1 for score in scores)
            and all(map(math.isfinite, times))
            and times == sorted(times)
            and len(times) in (0, 2)
            and bool(scores) == (face is not None)
            and not (scores and not times)
            and type(missed) is int
            and missed >= 0
            and isinstance(answered, bool)
            and (decision is None or decision.accepted == (decision.reason is None))
        )
        if not whole:
            raise ValueError("a state that no session can have")
        started_ms, last_ms = times or (None, None)
        return cls(window, answered, scores, face, missed, started_ms, last_ms, decision)
