"""The votes of a session as a value that any store can keep, cast by the library's own stream."""

from __future__ import annotations

import json
from dataclasses import dataclass

from facelive import FaceBox, LivenessDetector, LivenessResult, LivenessStream, LogAverageVoter, Verdict

__all__ = ["Ballot", "Votes"]


@dataclass(frozen=True)
class Ballot:
    """One vote.

    Args:
        score: P(bona fide) of its frame, in [0, 1].
        edges: The face, ``(x0, y0, x1, y1)`` in pixels.
        timestamp_ms: When the frame came, in milliseconds since 1970.
    """

    score: float
    edges: tuple[float, float, float, float]
    timestamp_ms: float


@dataclass(frozen=True)
class Votes:
    """What a server remembers of one client between two frames: at most a window of ballots, never a picture.

    Args:
        ballots: The last votes, oldest first.
        rejected: How many frames in a row had no usable face since the last of them.
    """

    ballots: tuple[Ballot, ...] = ()
    rejected: int = 0

    def cast(
        self, result: LivenessResult, detector: LivenessDetector, *, now_ms: float, max_age_ms: float
    ) -> tuple[LivenessResult, Votes]:
        """Vote on a frame that ``detector`` has judged.

        Args:
            result: The verdict on the frame alone.
            detector: Its window, threshold and ``min_frames`` rule the vote.
            now_ms: When the frame came, in milliseconds since 1970.
            max_age_ms: Ballots older than this no longer count.

        Returns:
            The verdict of the vote that includes the frame, and the votes to keep.
        """
        judge = _Judge(detector)
        stream = LivenessStream(judge, LogAverageVoter(detector.window, max_age_ms=max_age_ms))
        for ballot in self.ballots:
            judge.verdict = _verdict(ballot, detector.threshold)
            stream.update(b"", timestamp_ms=ballot.timestamp_ms)
        for _ in range(self.rejected):
            judge.verdict = LivenessResult(Verdict.REJECTED, score=None, threshold=detector.threshold)
            stream.update(b"")
        if self.ballots:  # two machines' clocks differ, and a stream does not run backwards
            now_ms = max(now_ms, self.ballots[-1].timestamp_ms)
        judge.verdict = result
        voted = stream.update(b"", timestamp_ms=now_ms)
        if result.score is None or result.face is None:
            return voted, Votes(self.ballots, self.rejected + 1) if voted.frames else Votes()
        ballots = (*self.ballots, Ballot(result.score, result.face.edges, now_ms))
        return voted, Votes(ballots[-voted.frames :])

    def to_json(self) -> str:
        """The votes as a store outside this process keeps them."""
        return json.dumps([self.rejected, [[one.score, one.edges, one.timestamp_ms] for one in self.ballots]])

    @classmethod
    def from_json(cls, text: str | bytes) -> Votes:
        """What ``to_json`` wrote."""
        rejected, ballots = json.loads(text)
        return cls(tuple(Ballot(score, tuple(edges), time_ms) for score, edges, time_ms in ballots), rejected)


class _Judge(LivenessDetector):
    """Stands before a stream with a verdict already there, so that a vote runs no network and can be repeated."""

    def __init__(self, detector: LivenessDetector) -> None:
        self.min_frames = detector.min_frames
        self.verdict = LivenessResult(Verdict.REJECTED, score=None, threshold=detector.threshold)

    def predict(self, image: object, *, face: FaceBox | None = None) -> LivenessResult:
        return self.verdict


def _verdict(ballot: Ballot, threshold: float) -> LivenessResult:
    return LivenessResult(Verdict.SPOOF, score=ballot.score, threshold=threshold, face=FaceBox(*ballot.edges))
