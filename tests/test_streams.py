"""What a vote over frames says, on the scene of known scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scene import ELSEWHERE, FACE, BoxInMind, brightness, frame

from facelive import (
    FaceBox,
    ImageError,
    LivenessDetector,
    LivenessResult,
    LogAverageVoter,
    Reason,
    StreamState,
    Verdict,
    log_average,
)


@pytest.fixture
def detector() -> LivenessDetector:
    """One frame is enough here, so that the vote alone decides."""
    return LivenessDetector(brightness(), faces=BoxInMind(), min_frames=1)


class TestVote:
    def test_the_vote_is_the_log_average_of_the_last_five(self, detector: LivenessDetector) -> None:
        stream, scores = detector.stream(), []
        for light in (0.9, 0.2, 0.8, 0.4, 0.6, 0.3, 0.7):
            result = stream.update(frame(light))
            assert result.score is not None
            scores.append(result.score)
            assert result.vote == log_average(scores[-5:])
            assert result.frames == min(len(scores), 5)
            assert result.is_live is (result.vote >= 0.5)

    def test_streams_are_strangers(self, detector: LivenessDetector) -> None:
        first, second = detector.stream(), detector.stream()
        first.update(frame(0.9))
        assert second.update(frame(0.3)).vote == pytest.approx(0.3, abs=0.01)

    def test_a_rejected_frame_does_not_vote(self, detector: LivenessDetector) -> None:
        stream = detector.stream()
        vote = stream.update(frame(0.9)).vote
        rejected = stream.update(np.zeros((480, 640, 3), np.uint8))
        assert (rejected.verdict, rejected.vote, rejected.frames) == (Verdict.REJECTED, vote, 1)
        assert stream.update(frame(0.9)).frames == 2

    def test_a_result_without_a_score_is_never_live_whatever_it_says(self, detector: LivenessDetector) -> None:
        stream = detector.stream()
        stream.update(frame(0.9))
        unjudged = LivenessResult(Verdict.LIVE, score=None, threshold=0.5, face=FACE)
        assert stream.vote(unjudged).verdict is Verdict.REJECTED

    def test_a_broken_frame_changes_nothing(self, detector: LivenessDetector) -> None:
        stream = detector.stream()
        vote = stream.update(frame(0.9)).vote
        with pytest.raises(ImageError):
            stream.update(b"broken")
        assert stream.update(np.zeros((480, 640, 3), np.uint8)).vote == vote

    def test_too_few_frames_accept_nobody(self) -> None:
        stream = LivenessDetector(brightness(), faces=BoxInMind(), min_frames=3).stream()
        verdicts = [stream.update(frame(0.9)) for _ in range(3)]
        assert [result.verdict for result in verdicts] == [Verdict.REJECTED, Verdict.REJECTED, Verdict.LIVE]
        assert verdicts[0].reason is Reason.TOO_FEW_FRAMES
        assert stream.update(frame(0.2)).verdict is not Verdict.REJECTED

    def test_a_real_face_cannot_vouch_for_a_picture_held_up_elsewhere(self, detector: LivenessDetector) -> None:
        stream = detector.stream()
        for _ in range(5):
            assert stream.update(frame(0.9), face=FACE).is_live
        result = stream.update(frame(0.2), face=ELSEWHERE)
        assert (result.verdict, result.frames) == (Verdict.SPOOF, 1)

    @pytest.mark.parametrize("factor", [0.4, 2.5])
    def test_a_face_that_changes_its_size_starts_a_new_vote(self, detector: LivenessDetector, factor: float) -> None:
        stream = detector.stream()
        stream.update(frame(0.9), face=FACE)
        half = FACE.side_px * factor / 2
        x, y = FACE.center
        assert stream.update(frame(0.9), face=FaceBox(x - half, y - half, x + half, y + half)).frames == 1

    def test_a_head_that_moves_keeps_its_votes(self, detector: LivenessDetector) -> None:
        stream = detector.stream()
        for step in range(4):
            moved = FaceBox(FACE.x0 + 40 * step, FACE.y0, FACE.x1 + 40 * step, FACE.y1)
            assert stream.update(frame(0.9), face=moved).frames == step + 1

    def test_a_face_gone_for_a_whole_window_starts_a_new_vote(self, detector: LivenessDetector) -> None:
        stream = detector.stream()
        stream.update(frame(0.9))
        for expected in (1, 1, 1, 1, 0):
            assert stream.update(np.zeros((480, 640, 3), np.uint8)).frames == expected

    def test_stale_frames_fall_out(self, detector: LivenessDetector) -> None:
        stream = detector.stream(max_age_ms=1000)
        stream.update(frame(0.9), timestamp_ms=0)
        assert stream.update(frame(0.9), timestamp_ms=900).frames == 2
        assert stream.update(frame(0.9), timestamp_ms=1500).frames == 2
        assert stream.update(frame(0.9), timestamp_ms=9999).frames == 1

    def test_without_timestamps_the_clock_of_the_machine_counts(self, detector: LivenessDetector) -> None:
        stream = detector.stream(max_age_ms=60_000)
        assert [stream.update(frame(0.9)).frames for _ in range(2)] == [1, 2]

    @pytest.mark.parametrize("timestamp", [float("nan"), -1.0])
    def test_a_clock_that_runs_backwards_changes_nothing(self, detector: LivenessDetector, timestamp: float) -> None:
        stream = detector.stream(max_age_ms=1000)
        stream.update(frame(0.9), timestamp_ms=0)
        with pytest.raises(ValueError, match="timestamp_ms"):
            stream.update(frame(0.2), face=ELSEWHERE, timestamp_ms=timestamp)
        assert stream.update(frame(0.9), timestamp_ms=10).frames == 2

    def test_reset_forgets(self, detector: LivenessDetector) -> None:
        stream = detector.stream()
        stream.update(frame(0.9))
        stream.reset()
        assert stream.update(frame(0.2)).frames == 1


def test_a_voter_of_ones_own_agrees_with_the_stream(detector: LivenessDetector) -> None:
    stream, voter = detector.stream(), LogAverageVoter()
    for score in (0.9, 0.3, 0.6):
        result = stream.update(frame(score))
        assert result.score is not None
        assert result.vote == voter.update(result.score)


DETECTOR = LivenessDetector(brightness(), faces=BoxInMind(), window=4, min_frames=2)
JUDGED = [DETECTOR.predict(frame(0.8), face=face) for face in (FACE, ELSEWHERE)]
JUDGED += [DETECTOR.predict(frame(0.3)), DETECTOR.predict(np.zeros((480, 640, 3), np.uint8))]


class TestState:
    @given(st.lists(st.tuples(st.sampled_from(JUDGED), st.integers(0, 900)), min_size=1, max_size=14))
    def test_a_stream_goes_on_from_its_state_as_if_never_stopped(self, frames: list[tuple[object, int]]) -> None:
        whole, state, now_ms = DETECTOR.stream(max_age_ms=1000), None, 0
        for judged, pause_ms in frames:
            now_ms += pause_ms
            resumed = DETECTOR.stream(max_age_ms=1000, state=state)
            expected = whole.vote(judged, timestamp_ms=now_ms)  # type: ignore[arg-type]
            assert resumed.vote(judged, timestamp_ms=now_ms) == expected  # type: ignore[arg-type]
            state = json.loads(json.dumps(resumed.state))

    def test_a_judged_frame_votes_as_its_picture_does(self, detector: LivenessDetector) -> None:
        by_picture, by_result = detector.stream(), detector.stream()
        for score in (0.9, 0.4, 0.6):
            assert by_picture.update(frame(score)) == by_result.vote(detector.predict(frame(score)))

    @pytest.mark.parametrize(
        "state",
        [
            {"scores": [1.5]},
            {"scores": "a"},
            {"scores": None},
            {"scores": [0.5] * 6, "timestamps_ms": [0.0] * 6},
            {"scores": []},
            {"timestamps_ms": []},
            {"scores": [0.5, 0.5], "timestamps_ms": [9.0, 1.0]},
            {"face_px": None},
            {"face_px": [0.0, 0.0, 0.0, 0.0]},
            {"face_px": [1.0, 2.0]},
            {"face_px": "abcd"},
            {"rejected": -1},
            {"rejected": 5},
            {"rejected": "x"},
        ],
    )
    def test_a_state_that_no_stream_has_changes_nothing(self, detector: LivenessDetector, state: StreamState) -> None:
        stream = detector.stream(max_age_ms=1000)
        stream.update(frame(0.9), timestamp_ms=0.0)
        before = stream.state
        whole = {"scores": [0.5], "timestamps_ms": [0.0], "face_px": [0.0, 0.0, 9.0, 9.0], "rejected": 0}
        for damaged in ({**whole, **state}, {name: whole[name] for name in whole if name not in state}):
            with pytest.raises(ValueError, match="this is not the state of a stream like this one"):
                stream.restore(damaged)  # type: ignore[arg-type]
        assert stream.state == before
