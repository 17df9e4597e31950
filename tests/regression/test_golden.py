"""Bundled models give the scores they gave when they were released, on every runtime and Python."""

from __future__ import annotations

import json

import pytest
from tests.regression.golden import GOLDEN, scores

from facelive import bundled_models

TOLERANCE = 0.03  # float16 weights on two runtimes, Pillow 9 to 13: the largest difference seen was below 0.01


@pytest.mark.parametrize("model", sorted(bundled_models()))
def test_scores_are_those_of_the_release(model: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))[model]
    assert scores(model) == pytest.approx(golden, abs=TOLERANCE)
