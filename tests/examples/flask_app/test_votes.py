"""Votes that a store keeps are the library's stream, frame for frame."""

from __future__ import annotations

from typing import Optional

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples.flask_app.scene import ROOT, live

from facelive import FaceBox, LivenessDetector, LivenessModel

pytest.importorskip("flask", reason="Flask is not installed: pip install 'facelive[examples]'")

from examples.flask_app.votes import Votes

PERSON = np.asarray(live())
PLACES = [FaceBox(230, 100, 400, 330), FaceBox(240, 110, 410, 340), FaceBox(20, 20, 90, 110)]
MAX_AGE_MS = 4_000.0
MEAN = LivenessModel.from_file(ROOT / "tests/networks/sigmoid.tflite", live_class=1, value_range=(0, 1))


class Told:
    """A face detector that is told where the face is."""

    def __init__(self) -> None:
        self.face: Optional[FaceBox] = None

    def detect(self, image: npt.NDArray[np.uint8]) -> list[FaceBox]:
        return [] if self.face is None else [self.face]


frames = st.lists(
    st.tuples(st.sampled_from([None, *PLACES]), st.floats(0.5, 1.0), st.integers(0, 6_000)), min_size=1, max_size=14
)


@settings(deadline=None, max_examples=30)
@given(frames, st.integers(1, 4))
def test_votes_kept_between_frames_are_the_stream(
    frames: list[tuple[Optional[FaceBox], float, int]], min_frames: int
) -> None:
    faces = Told()
    detector = LivenessDetector(MEAN, faces=faces, window=4, min_frames=min_frames, threshold=0.4)
    stream = detector.stream(max_age_ms=MAX_AGE_MS)
    votes, now_ms = Votes(), 1.0e12
    for face, light, pause_ms in frames:
        now_ms += pause_ms
        faces.face = face
        frame = (PERSON * light).astype(np.uint8)
        expected = stream.update(frame, timestamp_ms=now_ms)
        result, votes = votes.cast(detector.predict(frame), detector, now_ms=now_ms, max_age_ms=MAX_AGE_MS)
        assert result == expected
        votes = Votes.from_json(votes.to_json())
        assert len(votes.ballots) <= detector.window


def test_a_clock_that_steps_back_does_not_break_the_vote() -> None:
    detector = LivenessDetector(min_frames=2)
    result = detector.predict(PERSON)
    _, votes = Votes().cast(result, detector, now_ms=5_000, max_age_ms=MAX_AGE_MS)
    voted, _ = votes.cast(result, detector, now_ms=1_000, max_age_ms=MAX_AGE_MS)
    assert voted.frames == 2
