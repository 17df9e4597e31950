from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facelive import FaceBox, LivenessResult, Reason, Verdict

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
