"""One visit, one decision: frames until a full window is judged, then accepted or refused, then closed."""

from __future__ import annotations

import math
import time
from typing import Any, Callable, Dict, Mapping, Optional

from facelive.challenges.protocol import Challenge, ChallengeStatus, Screen
from facelive.errors import SessionClosedError
from facelive.faces import FaceLike
from facelive.forks import OneAtATime
from facelive.guidance import GUIDANCE, Guidance
from facelive.images import ImageLike, read_image
from facelive.results import FaceBox, LivenessResult
from facelive.session_results import (
    SessionDecision,
    SessionFrame,
    SessionMemory,
    SessionReason,
    SessionState,
    SessionStep,
)
from facelive.voting import finite_ms, log_average
from facelive.words import as_number, quoted

__all__ = ["LivenessSession"]

# docs/sessions.md has the measurements behind these.
_MIN_OVERLAP = 0.6  # of the face with itself, one judged frame earlier
_MAX_SIZE_CHANGE = 1.3
_MAX_MISSED = 3  # frames without a judged face, once a face was judged


class LivenessSession:
    """One visit of one person, closed by its decision. One thread feeds it; should several, it still decides once.

    It is accepted when a full window of frames was judged, their vote reaches the threshold, none lies below the
    floor, the face stayed the same in place and size, no more than three frames in between were without it, the time
    was kept, and the challenge, if there is one, was answered. While one frame alone has been judged the face may still
    move: the visit then starts from the newer one. With a challenge all frames up to its answer are judged and vote.

    Make one with ``LivenessDetector.session()``.

    Args:
        judge: ``LivenessDetector.predict``, or what takes and gives the same.
        window: How many judged frames a decision needs, at least 1.
        floor: No judged frame may score below this, in [0, 1].
        seconds: The visit must end within this time of its first frame.
        challenge: What the person is asked to do besides; fresh, for this session alone.
        state: Another session's ``state``, to go on where it stopped. One that is damaged, or of another version,
            window or challenge, is dropped: the session starts anew, and ``state_discarded`` is true.
        order: Colour order of arrays, ``"RGB"`` or ``"BGR"``.

    Raises:
        ValueError: ``window``, ``floor`` or ``seconds`` is out of range.
    """

    def __init__(
        self,
        judge: Callable[..., LivenessResult],
        *,
        window: int = 5,
        floor: float = 0.3,
        seconds: float = 15,
        challenge: Optional[Challenge] = None,
        state: Optional[SessionState] = None,
        order: str = "RGB",
    ) -> None:
        if not (as_number(window) >= 1 and 0 <= as_number(floor) <= 1 and 0 < as_number(seconds) < math.inf):
            given = ", ".join(map(quoted, (window, floor, seconds)))
            raise ValueError(f"window is at least 1, floor in [0, 1], seconds above 0, not {given}")
        self._judge = judge
        self._floor = floor
        self._limit_ms = seconds * 1000
        self._challenge = challenge
        self._order = order
        self._step = OneAtATime()
        self._memory = SessionMemory(window, answered=challenge is None)
        self.state_discarded = state is not None and not self._restore(state)

    def update(
        self, image: ImageLike, *, face: Optional[FaceLike] = None, timestamp_ms: Optional[float] = None
    ) -> SessionStep:
        """Judge the next frame and take it.

        Args:
            image: As in ``LivenessDetector.predict``.
            face: As in ``LivenessDetector.predict``.
            timestamp_ms: When the frame was taken, on a steady clock; this machine's unless given. Machines that share
                a state need a clock that they share.

        Returns:
            What the frame did; its ``decision`` is set on the last frame of the visit and on no other.

        Raises:
            ImageError: The picture cannot be read; the session stays as it was.
            SessionClosedError: The session has decided already.
            ValueError: ``timestamp_ms`` is not finite; the session stays as it was.
        """
        self._check_open()
        return self.take(self.look(image, face=face), timestamp_ms=timestamp_ms)

    def look(self, image: ImageLike, *, face: Optional[FaceLike] = None) -> SessionFrame:
        """Judge a frame and measure what the challenge needs; changes nothing, and any session like this can take it.

        A server looks first, which takes time, and takes the frame under its store's lock.

        Raises:
            ImageError: The picture cannot be read.
        """
        if self._challenge is None:
            return SessionFrame(self._judge(image, face=face, order=self._order), seen=None)
        picture = read_image(image, order=self._order)
        result = self._judge(picture, face=face)
        if result.score is None or result.face is None:
            return SessionFrame(result, seen=None)
        return SessionFrame(result, self._challenge.measure(picture.pixels, result.face.scaled(1 / picture.scale)))

    def take(self, frame: SessionFrame, *, timestamp_ms: Optional[float] = None) -> SessionStep:
        """Take a frame that ``look`` has judged; see ``update``."""
        with self._step:
            return self._take(frame, timestamp_ms)

    def _take(self, frame: SessionFrame, timestamp_ms: Optional[float]) -> SessionStep:
        self._check_open()
        memory = self._memory
        refusal = self._refusal(frame, self._elapsed_ms(timestamp_ms))
        if refusal is not None or (memory.answered and len(memory.scores) >= memory.window):
            vote = log_average(memory.scores) if memory.scores else None
            memory.decision = SessionDecision(refusal is None, refusal, vote, len(memory.scores))
        guidance = self._guidance_after(frame.result)
        return SessionStep(frame.result, guidance, self.screen, self.progress, memory.decision)

    @property
    def decision(self) -> Optional[SessionDecision]:
        """How the visit ended; ``None`` while it goes on."""
        return self._memory.decision

    @property
    def guidance(self) -> Optional[Guidance]:
        """What to tell the person before the first frame; ``None`` once it has been decided."""
        if self.decision is not None:
            return None
        return Guidance.LOOK_STRAIGHT if self._challenge is None else self._challenge.guidance

    @property
    def screen(self) -> Optional[Screen]:
        """What the screen must show for the next frame; ``None`` unless a challenge asks for light."""
        return self._challenge.screen if self._challenge is not None and self.decision is None else None

    @property
    def progress(self) -> float:
        """How far the visit is, in [0, 1]; 1 once it has been decided."""
        if self.decision is not None:
            return 1.0
        judged = min(len(self._memory.scores) / self._memory.window, 1.0)
        return judged if self._challenge is None else (judged + self._challenge.progress) / 2

    @property
    def state(self) -> SessionState:
        """What a later session needs to go on from here: scores, a box, times, the challenge; no picture."""
        with self._step:
            return self._memory.to_state(_challenge_state(self._challenge))

    def _check_open(self) -> None:
        if self.decision is not None:
            raise SessionClosedError("this session has decided already: start a new one for the next visit")

    def _elapsed_ms(self, timestamp_ms: Optional[float]) -> float:
        now_ms = time.monotonic() * 1000 if timestamp_ms is None else finite_ms(timestamp_ms)
        memory = self._memory
        if memory.started_ms is None or memory.last_ms is None:
            memory.started_ms = memory.last_ms = now_ms
        if memory.last_ms - now_ms > self._limit_ms:
            return math.inf  # another clock, for one after a restart: nobody knows how long it has been
        memory.last_ms = max(memory.last_ms, now_ms)  # two machines' clocks differ a little, and time does not run back
        return memory.last_ms - memory.started_ms

    def _refusal(self, frame: SessionFrame, elapsed_ms: float) -> Optional[SessionReason]:
        """Remember a frame; the reason why it ends the visit, or ``None``."""
        memory, score, face = self._memory, frame.result.score, frame.result.face
        if elapsed_ms > self._limit_ms:
            return SessionReason.TIMED_OUT
        if score is None or face is None:
            memory.missed += bool(memory.scores)
            return SessionReason.FACE_LOST if memory.missed > _MAX_MISSED else None
        if memory.face is not None and not same_face(memory.face, face):
            if len(memory.scores) > 1:
                return SessionReason.FACE_CHANGED
            memory.scores.clear()
        memory.face = face
        memory.scores.append(score)
        if score < self._floor:
            return SessionReason.FRAME_BELOW_FLOOR
        if len(memory.scores) >= memory.window and log_average(memory.scores) < frame.result.threshold:
            return SessionReason.NOT_LIVE
        return self._challenged(frame) if len(memory.scores) > 1 else None  # the first frame may still be dropped

    def _challenged(self, frame: SessionFrame) -> Optional[SessionReason]:
        if self._challenge is None or self._memory.answered:
            return None
        status = self._challenge.update(frame.seen)
        self._memory.answered = status is ChallengeStatus.ANSWERED
        return SessionReason.CHALLENGE_FAILED if status is ChallengeStatus.FAILED else None

    def _guidance_after(self, result: LivenessResult) -> Optional[Guidance]:
        if self.decision is not None:
            return None
        if result.reason is not None:
            return GUIDANCE.get(result.reason, self.guidance)
        return Guidance.HOLD_STILL if self._memory.answered else self.guidance

    def _restore(self, state: Mapping[str, Any]) -> bool:
        """Go on from a state, or stay new and return false."""
        try:
            memory = SessionMemory.from_state(state, window=self._memory.window)
            said = state["challenge"]
            if (None if said is None else said["name"]) != (self._challenge.name if self._challenge else None):
                return False
            if self._challenge is None and not memory.answered:
                return False
            if self._challenge is not None:
                self._challenge.restore(said)
        except Exception:  # whatever a damaged state trips over
            return False
        self._memory = memory
        return True


def _challenge_state(challenge: Optional[Challenge]) -> Optional[Dict[str, Any]]:
    return None if challenge is None else {**challenge.state, "name": challenge.name}


def same_face(before: FaceBox, now: FaceBox) -> bool:
    """Whether a face stayed in place and size from one judged frame to the next, as a session asks.

    Example:
        >>> same_face(FaceBox(0, 0, 100, 100), FaceBox(5, 5, 105, 105))
        True
    """
    change = max(now.side_px / before.side_px, before.side_px / now.side_px)
    return before.overlap(now) >= _MIN_OVERLAP and change <= _MAX_SIZE_CHANGE
