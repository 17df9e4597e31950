"""The frames of one client and the vote over them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Callable, List, Optional

from typing_extensions import TypedDict

from facelive.faces import FaceLike, as_face
from facelive.forks import OneAtATime
from facelive.images import ImageLike
from facelive.results import FaceBox, LivenessResult, Reason, Verdict
from facelive.voting import LogAverageVoter
from facelive.words import json_number, shown

__all__ = ["LivenessStream", "StreamState"]


class StreamState(TypedDict):
    """All that a stream remembers, ready for JSON and a store that several machines share; keep it from the client."""

    scores: List[float]
    timestamps_ms: List[float]
    face_px: Optional[List[float]]
    rejected: int


class LivenessStream:
    """The frames of one client, in order, with a vote over the last of them; never shared.

    A face that jumps, in place or in size, starts a new vote, so that a real face cannot vouch for the picture
    held up after it. So does a face that was gone for ``window`` frames.

    Make one with ``LivenessDetector.stream()``.
    """

    __slots__ = ("_face", "_judge", "_min_frames", "_rejected", "_step", "_voter")

    def __init__(self, judge: Callable[..., LivenessResult], voter: LogAverageVoter, *, min_frames: int) -> None:
        self._judge = judge
        self._voter = voter
        self._min_frames = min_frames
        self._face: Optional[FaceBox] = None
        self._rejected = 0
        self._step = OneAtATime()

    def update(
        self, image: ImageLike, *, face: Optional[FaceLike] = None, timestamp_ms: Optional[float] = None
    ) -> LivenessResult:
        """Judge the next frame and vote.

        Args:
            image: As in ``LivenessDetector.predict``.
            face: As in ``LivenessDetector.predict``.
            timestamp_ms: When the frame was taken, for ``max_age_ms``; the time of this call unless given.

        Returns:
            The verdict of the vote that includes this frame. A rejected frame is REJECTED and does not vote; with
            fewer than ``min_frames`` votes a live vote is REJECTED too, with ``TOO_FEW_FRAMES``.

        Raises:
            ImageError: The picture cannot be read; the vote stays as it was.
            ValueError: With ``max_age_ms``, ``timestamp_ms`` is not finite or runs backwards; the vote stays as it was.
        """
        return self.vote(self._judge(image, face=face), timestamp_ms=timestamp_ms)

    def vote(self, result: LivenessResult, *, timestamp_ms: Optional[float] = None) -> LivenessResult:
        """Vote on a frame that ``LivenessDetector.predict`` has judged already; see ``update``."""
        with self._step:
            return self._vote(result, timestamp_ms)

    def _vote(self, result: LivenessResult, timestamp_ms: Optional[float]) -> LivenessResult:
        if result.score is None or result.face is None:
            return self._pass_over(result)
        if timestamp_ms is None and self._voter.max_age_ms is not None:
            timestamp_ms = time.monotonic() * 1000
        vote = self._voter.update(result.score, timestamp_ms=timestamp_ms)
        if self._face is not None and _jumped(self._face, result.face):
            self._voter.reset()
            vote = self._voter.update(result.score, timestamp_ms=timestamp_ms)
        self._face, self._rejected = result.face, 0
        verdict, reason = Verdict.of(vote, result.threshold), None
        if verdict is Verdict.LIVE and self._voter.frames < self._min_frames:
            verdict, reason = Verdict.REJECTED, Reason.TOO_FEW_FRAMES
        return replace(result, verdict=verdict, reason=reason, vote=vote, frames=self._voter.frames)

    def reset(self) -> None:
        """Forget every vote, as a new stream."""
        with self._step:
            self._forget()

    def _forget(self) -> None:
        self._voter.reset()
        self._face, self._rejected = None, 0

    @property
    def state(self) -> StreamState:
        """What a later stream needs to go on from here: at most a window of scores, a box, a count; no picture."""
        with self._step:
            return StreamState(
                scores=list(self._voter.scores),
                timestamps_ms=list(self._voter.timestamps_ms),
                face_px=None if self._face is None else list(self._face.edges),
                rejected=self._rejected,
            )

    def restore(self, state: StreamState) -> None:
        """Go on from a state.

        Raises:
            ValueError: The state is not one that a stream like this can have; this one stays as it was.
        """
        voter = LogAverageVoter(self._voter.window, max_age_ms=self._voter.max_age_ms)
        try:
            scores, edges, rejected = state["scores"], state["face_px"], state["rejected"]
            times = state["timestamps_ms"] if voter.max_age_ms is not None else [None] * len(scores)
            face = None if edges is None else as_face(edges)
            possible = len(scores) == len(times) and len(scores) <= voter.window and bool(scores) == (face is not None)
            if not possible or type(rejected) is not int or not 0 <= rejected < voter.window:
                raise ValueError("its scores, timestamps, face and count do not fit together")
            for score, timestamp_ms in zip(scores, times):
                voter.update(json_number(score), timestamp_ms=timestamp_ms)
        except Exception as error:  # whatever a damaged state trips over
            raise ValueError(
                f"this is not the state of a stream like this one ({shown(error, 100)}): start a new one"
            ) from error
        self._voter, self._face, self._rejected = voter, face, rejected

    def _pass_over(self, result: LivenessResult) -> LivenessResult:
        self._rejected += 1
        if self._rejected >= self._voter.window:
            self._forget()
        return replace(result, verdict=Verdict.REJECTED, vote=self._voter.score, frames=self._voter.frames)


def _jumped(before: FaceBox, now: FaceBox) -> bool:
    # A head that moves between two frames still overlaps itself; a picture held up elsewhere does not.
    return before.overlap(now) < 0.1 or not 0.5 < now.side_px / before.side_px < 2
