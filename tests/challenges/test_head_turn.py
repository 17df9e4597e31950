"""A solid head answers a head turn; a picture does not, however it is held, moved or bent a little."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any, List, Optional, Tuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from tests.examples.flask_app.turning import Surface, turned

from facelive import FaceBox
from facelive.challenges import LOOK_SHAPE, Challenge, ChallengeStatus, HeadTurn, nose_offset
from facelive.face_network import BundledFaceDetector

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"
HEAD = np.array([(-31, -33, 0), (31, -33, 0), (0, 0, 24), (-25, 30, 2), (25, 30, 2)], float)
"""Five landmarks of a head in mm: right, down, towards the camera."""
FRONT, SIDE = np.random.default_rng(0).integers(0, 256, (2, LOOK_SHAPE[0] * LOOK_SHAPE[1])).tolist()
"""Two looks at a face of which neither is a warp of the other."""


def seen(
    points: Any, degrees: float, *, tilt: float = 0, roll: float = 0, away_mm: float = 450
) -> List[Tuple[float, float]]:
    """Landmarks in pixels of points that turn about the vertical axis, to the picture's right above 0."""
    turn, nod, lean = map(math.radians, (degrees, tilt, roll))
    across = np.array([[math.cos(turn), 0, math.sin(turn)], [0, 1, 0], [-math.sin(turn), 0, math.cos(turn)]])
    down = np.array([[1, 0, 0], [0, math.cos(nod), -math.sin(nod)], [0, math.sin(nod), math.cos(nod)]])
    round_ = np.array([[math.cos(lean), -math.sin(lean), 0], [math.sin(lean), math.cos(lean), 0], [0, 0, 1]])
    x, y, z = (points @ across.T @ down.T @ round_.T).T
    return list(zip((320 + 600 * x / (away_mm - z)).tolist(), (240 + 600 * y / (away_mm - z)).tolist()))


def flat(points: Any) -> Any:
    return points * (1, 1, 0)


def ask(
    challenge: HeadTurn, turns: List[List[Tuple[float, float]]], *, looks: Tuple[List[int], List[int]] = (FRONT, SIDE)
) -> ChallengeStatus:
    status = ChallengeStatus.PENDING
    for number, landmarks in enumerate(turns):
        offset = nose_offset(landmarks)
        status = challenge.update(None if offset is None else [offset, *looks[number >= 4]])
    return status


def film(points: Any, degrees: float, **where: float) -> List[List[Tuple[float, float]]]:
    """Four frames from the front, then a turn and four frames at its end."""
    return [seen(points, 0, **where)] * 4 + [seen(points, degrees * part, **where) for part in (0.4, 0.8, 1, 1, 1, 1)]


class TestGeometry:
    @pytest.mark.parametrize(("side", "degrees"), [("left", 25), ("right", -25)])
    def test_a_head_that_turns_to_the_asked_side_answers(self, side: Any, degrees: float) -> None:
        assert ask(HeadTurn(side=side), film(HEAD, degrees)) is ChallengeStatus.ANSWERED
        assert ask(HeadTurn(side=side, mirrored=True), film(HEAD, -degrees)) is ChallengeStatus.ANSWERED

    def test_a_head_that_turns_to_the_other_side_fails_for_good(self) -> None:
        challenge = HeadTurn(side="left")
        assert ask(challenge, film(HEAD, -25)) is ChallengeStatus.FAILED
        assert ask(challenge, film(HEAD, 25)) is ChallengeStatus.FAILED

    def test_a_head_that_looks_like_a_sheet_as_it_turns_does_not_answer(self) -> None:
        challenge = HeadTurn(side="left")
        assert ask(challenge, film(HEAD, 25), looks=(FRONT, FRONT)) is ChallengeStatus.PENDING
        assert ask(challenge, film(HEAD, 25)[4:], looks=(SIDE, SIDE)) is ChallengeStatus.ANSWERED
        assert ask(HeadTurn(side="left", most_like_a_sheet=1), film(HEAD, 25)) is ChallengeStatus.ANSWERED

    def test_what_measure_cannot_have_given_is_refused(self) -> None:
        with pytest.raises(ValueError, match="2969 numbers"):
            HeadTurn().update([0.0])

    def test_a_nod_or_eight_degrees_are_not_enough(self) -> None:
        assert ask(HeadTurn(side="left"), film(HEAD, 8)) is ChallengeStatus.PENDING
        still, nodded = seen(HEAD, 0), seen(HEAD, 0, tilt=25)
        assert ask(HeadTurn(side="left"), [still] * 4 + [nodded] * 6) is ChallengeStatus.PENDING

    @given(
        st.floats(-50, 50),
        st.floats(-20, 20),
        st.floats(-20, 20),
        st.floats(250, 900),
        st.sampled_from(["left", "right"]),
    )
    def test_a_flat_picture_never_answers(
        self, degrees: float, tilt: float, roll: float, away_mm: float, side: Any
    ) -> None:
        assert (
            ask(HeadTurn(side=side), film(flat(HEAD), degrees, tilt=tilt, roll=roll, away_mm=away_mm))
            is not ChallengeStatus.ANSWERED
        )

    @given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(-500, 500), st.floats(-30, 30))
    def test_the_nose_stays_where_it_is_under_every_affine_map(
        self, matrix: List[float], shift: float, degrees: float
    ) -> None:
        a, b, c, d = matrix
        assume(abs(a * d - b * c) > 0.2)
        landmarks = seen(HEAD, degrees)
        moved = [(a * x + b * y + shift, c * x + d * y - shift) for x, y in landmarks]
        assert nose_offset(moved) == pytest.approx(nose_offset(landmarks), abs=1e-6)

    def test_points_without_a_plane(self) -> None:
        assert nose_offset([(1.0, 1.0)] * 5) is None
        assert nose_offset([(float(x), 2.0 * x) for x in range(5)]) is None
        assert nose_offset([(0.0, 0.0)] * 4) is None
        challenge = HeadTurn()
        assert challenge.measure(np.zeros((9, 9, 3), np.uint8), FaceBox(0, 0, 9, 9)) is None
        assert challenge.update(None) is ChallengeStatus.PENDING and challenge.progress == 0


class TestOnPixels:
    @pytest.mark.parametrize("narrow", [0.9, 0.75, 0.6])
    def test_a_tilted_print_does_not_answer(self, narrow: float) -> None:
        """The portrait's far edge comes nearer the middle and shrinks, as a sheet's does that turns."""
        picture = Image.open(PORTRAIT).convert("RGB")
        width, height = picture.size
        faces = BundledFaceDetector()
        challenges = [HeadTurn(side="left"), HeadTurn(side="right")]
        for part in (0, 0, 0, 0, 1, 1, 1, 1):
            edge = width / (1 - part * (1 - narrow))
            high = part * height * (1 - narrow) / 4
            corners = (0, 0, 0, height, edge, height + high, edge, -high)
            tilted = picture.transform(picture.size, Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)
            pixels = np.asarray(tilted)
            face = faces.detect(pixels)[0]
            for challenge in challenges:
                assert challenge.update(challenge.measure(pixels, face)) is ChallengeStatus.PENDING

    @pytest.mark.parametrize(("side", "degrees"), [("left", 40), ("right", -40)])
    def test_a_head_answers_and_its_picture_on_a_sheet_or_a_mask_does_not(self, side: Any, degrees: float) -> None:
        faces, answers = BundledFaceDetector(), {}
        surfaces: List[Surface] = ["head", "flat", "bent", "mask"]
        for surface in surfaces:
            challenge = HeadTurn(side=side)
            for angle in (0, 0, 0, 0, degrees, degrees, degrees):
                pixels = np.asarray(turned(surface, angle))
                answers[surface] = challenge.update(challenge.measure(pixels, faces.detect(pixels)[0]))
        pending = ChallengeStatus.PENDING
        assert answers == {"head": ChallengeStatus.ANSWERED, "flat": pending, "bent": pending, "mask": pending}


class TestState:
    def test_it_is_a_challenge_and_says_what_to_do(self) -> None:
        challenge = HeadTurn(side="right")
        assert isinstance(challenge, Challenge) and challenge.screen is None
        assert challenge.guidance.value == "look_straight"
        ask(challenge, [seen(HEAD, 0)] * 4)
        assert challenge.guidance.value == "turn_right" and challenge.progress == 4 / 7
        assert HeadTurn(side="left").side == "left"

    def test_the_side_is_drawn(self) -> None:
        assert {HeadTurn().side for _ in range(64)} == {"left", "right"}

    @given(st.lists(st.one_of(st.none(), st.floats(-0.4, 0.4)), max_size=14))
    def test_it_goes_on_from_its_state_as_if_never_stopped(self, noses: List[Optional[float]]) -> None:
        whole, resumed = HeadTurn(side="left"), HeadTurn(side="right")
        resumed.restore(json.loads(json.dumps(whole.state)))
        for nose in noses:
            seen = None if nose is None else [nose, *(FRONT if abs(nose) < 0.1 else SIDE)]
            status = whole.update(seen)
            assert resumed.update(seen) is status
            state, resumed = json.loads(json.dumps(resumed.state)), HeadTurn(side="right")
            resumed.restore(state)
            assert resumed.state == whole.state

    def test_the_straight_face_is_kept_until_the_end_alone(self) -> None:
        challenge = HeadTurn(side="left")
        assert challenge.state["look"] == ""
        ask(challenge, film(HEAD, 25)[:6])
        assert base64.b64decode(challenge.state["look"]) == bytes(FRONT)
        ask(challenge, film(HEAD, 25)[6:], looks=(SIDE, SIDE))
        assert challenge.state["look"] == ""

    @pytest.mark.parametrize(
        "change",
        [
            {"side": "up"},
            {"still": 1},
            {"still": [0.0] * 9},
            {"still": [math.nan]},
            {"turned": 9},
            {"turned": 1},
            {"turned": None},
            {"look": "AAAA"},
            {"look": "?"},
            {"look": None},
        ],
    )
    def test_a_state_that_does_not_fit_changes_nothing(self, change: Any) -> None:
        challenge = HeadTurn(side="left")
        before = challenge.state
        for damaged in ({**before, **change}, {name: before[name] for name in before if name not in change}):
            with pytest.raises((KeyError, TypeError, ValueError)):
                challenge.restore(damaged)
        assert challenge.state == before

    @pytest.mark.parametrize(
        "options",
        [{"side": "up"}, {"least_shift": 0}, {"still_frames": 0}, {"turned_frames": 0}, {"most_like_a_sheet": 0}],
    )
    def test_options_out_of_range(self, options: Any) -> None:
        with pytest.raises(ValueError):
            HeadTurn(**options)
