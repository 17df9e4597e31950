"""The measurements behind docs/sessions.md, on rows and surfaces with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from examples.training.sessions.turns import bent, seen, slanted
from examples.training.sessions.visits import accepted, rate


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([0.9] * 5, True), ([0.9] * 4, False), ([0.9, 0.9, 0.9, 0.9, 0.2], False), ([0.4] * 5, False)],
)
def test_a_visit_is_what_a_session_says(scores: list[float], expected: bool) -> None:
    assert accepted([{"score": score} for score in scores], floor=0.3, window=5, threshold=0.5) is expected


def test_a_rate_has_an_interval() -> None:
    assert rate([True] + [False] * 99) == "1.0 (0.0-5.4, n=100)"
    assert rate([]) == "-"


def test_a_surface_from_the_front_shows_the_still_and_narrows_as_it_turns() -> None:
    box = (100.0, 60.0, 200.0, 190.0)
    white = np.full((300, 300, 3), 255, np.uint8)
    wide = [
        int((seen(white, box, relief, degrees, distance=4, face_px=100)[240] == 255).all(-1).sum())
        for relief, degrees in ((bent(np.inf), 0), (bent(np.inf), 60), (bent(0.6), 0))
    ]
    assert wide[0] > wide[1] and wide[0] > wide[2]


def test_a_leaning_axis_leaves_the_middle_in_its_place() -> None:
    assert float(slanted(0.6, 30)(0.0, 0.0)) == 0
    assert float(slanted(0.6, 0)(0.3, 0.2)) == float(bent(0.6)(0.3, 0.2)) < 0
