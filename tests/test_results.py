from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelive import FaceBox, Guidance, LivenessResult, Reason, SessionReason, Verdict

edges = st.floats(-1000, 1000)
extents = st.floats(0.5, 1000)
boxes = st.builds(lambda x, y, w, h: FaceBox(x, y, x + w, y + h), edges, edges, extents, extents)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_share(first: FaceBox, second: FaceBox) -> None:
    assert 0 <= first.overlap(second) <= 1
    assert first.overlap(second) == pytest.approx(second.overlap(first))
    assert first.overlap(first) == pytest.approx(1)


@given(boxes, st.floats(0.1, 10))
def test_scaling_scales_every_length(box: FaceBox, factor: float) -> None:
    assert box.scaled(factor).side_px == pytest.approx(box.side_px * factor, rel=1e-6)
    assert box.scaled(factor).center == pytest.approx([c * factor for c in box.center], abs=1e-6)


def test_landmarks_scale_with_their_face() -> None:
    face = FaceBox(0, 0, 10, 10, landmarks=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10)))
    assert face.scaled(2).landmarks == ((2, 4), (6, 8), (10, 12), (14, 16), (18, 20))


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (5, 0, 1, 5), (0, 0, math.nan, 5), (0, 0, math.inf, 5), (0, 5, 5, 5)])
def test_a_box_has_an_area(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="face box"):
        FaceBox(*box)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_live_is_live(verdict: Verdict) -> None:
    assert LivenessResult(verdict, score=0.9, threshold=0.5).is_live is (verdict is Verdict.LIVE)


def test_a_result_is_json() -> None:
    face = FaceBox(1, 2, 3, 4, score=0.9, landmarks=((1, 2),) * 5)
    result = LivenessResult(Verdict.REJECTED, score=None, threshold=0.5, face=face, reason=Reason.TOO_DARK)
    assert json.loads(json.dumps(result.to_dict())) == {
        "verdict": "rejected",
        "is_live": False,
        "score": None,
        "vote": None,
        "frames": 0,
        "threshold": 0.5,
        "reason": "too_dark",
        "face": {"box_px": [1, 2, 3, 4], "score": 0.9, "landmarks_px": [[1, 2]] * 5},
    }


def test_numbers_of_numpy_are_plain_numbers_for_json() -> None:
    numbers: Any = (*np.array([1, 2, 30, 40]), np.float32(0.5), np.ones((5, 2), np.float32))
    box = FaceBox(*numbers)
    result = LivenessResult(Verdict.LIVE, score=0.9, threshold=0.5, face=box)
    assert json.loads(json.dumps(result.to_dict()))["face"]["box_px"] == [1.0, 2.0, 30.0, 40.0]


@pytest.mark.parametrize("broken", [{"score": math.nan}, {"landmarks": ((0.0, math.inf),)}])
def test_a_face_has_no_number_that_json_lacks(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a face box needs finite pixels and a finite score"):
        FaceBox(0, 0, 9, 9, **broken)


def test_a_result_is_true_only_if_live() -> None:
    assert [bool(LivenessResult(verdict, 0.9, 0.5)) for verdict in Verdict] == [True, False, False]


def test_words_format_as_themselves_on_every_python() -> None:
    for word in (*Verdict, *Reason, *Guidance, *SessionReason):
        assert (f"{word}", str(word), f"{word:>30}") == (word.value, word.value, f"{word.value:>30}")
    assert f"{Verdict.LIVE} {Reason.NO_FACE}" == "live no_face"


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (LivenessResult(Verdict.LIVE, 0.931, 0.5), "live: score 0.931, threshold 0.5"),
        (LivenessResult(Verdict.REJECTED, None, 0.5, reason=Reason.NO_FACE), "rejected: no_face"),
        (LivenessResult(Verdict.SPOOF, 0.2, 0.5, vote=0.25, frames=3), "spoof: vote 0.250 of 3 frames, threshold 0.5"),
    ],
)
def test_a_result_says_itself_in_one_line(result: LivenessResult, line: str) -> None:
    assert str(result) == line


def test_dataclass_encoders_take_a_result() -> None:
    result = LivenessResult(Verdict.LIVE, 0.9, 0.5, face=FaceBox(1, 2, 3, 4, landmarks=((1, 2),) * 5))
    assert json.loads(json.dumps(dataclasses.asdict(result)))["verdict"] == "live"


def test_a_typo_in_an_attribute_is_an_error() -> None:
    with pytest.raises(AttributeError):
        LivenessResult(Verdict.LIVE, 0.9, 0.5).verdit = "live"  # type: ignore[attr-defined]


@pytest.mark.parametrize("edge", [10**400, "a", None, math.nan, 1e300, -(10**400)])
def test_a_box_of_impossible_numbers_is_refused_in_a_sentence(edge: Any) -> None:
    with pytest.raises(ValueError, match="a face box") as refused:
        FaceBox(0, 0, edge, 9)
    assert len(str(refused.value)) < 300


def test_a_score_on_the_threshold_is_live() -> None:
    assert [Verdict.of(score, 0.5) for score in (0.49, 0.5, 0.51)] == [Verdict.SPOOF, Verdict.LIVE, Verdict.LIVE]


def test_touching_is_overlapping_by_some_pixels() -> None:
    assert FaceBox(-9, -9, 1, 1).touches(5, 5) and FaceBox(4, 4, 9, 9).touches(5, 5)
    assert not FaceBox(-9, 0, 0, 5).touches(5, 5) and not FaceBox(0, 5, 5, 9).touches(5, 5)


@pytest.mark.parametrize("size", [(640, 480), (1, 1), (30, 2000)])
def test_a_drawn_result_is_a_copy_with_the_box(size: tuple[int, int]) -> None:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    for face in (None, FaceBox(-1e9, -5, 1e9, 20), FaceBox(0, 0, size[0], size[1])):
        drawn = LivenessResult(Verdict.LIVE, 0.9, 0.5, face=face).annotate(pixels)
        assert drawn.size == size and np.asarray(drawn).any() and not pixels.any()
