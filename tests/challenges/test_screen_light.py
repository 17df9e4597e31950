"""A face that the screen lights answers; one that shines by itself, or stays as it was, does not."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, List, Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facelive import FaceBox
from facelive.challenges import COLOURS, Challenge, ChallengeStatus, ScreenLight, face_light, follows

PORTRAIT = np.asarray(Image.open(Path(__file__).parents[2] / "examples" / "portrait.jpg").convert("RGB"))
FACE = FaceBox(PORTRAIT.shape[1] * 0.3, PORTRAIT.shape[0] * 0.2, PORTRAIT.shape[1] * 0.7, PORTRAIT.shape[0] * 0.7)
NAMES = [name for name in COLOURS if name != "white"]
STILL = [-2.0, -2.0, -2.0]


def lit(screen: Tuple[str, str], strength: float, *, tint: Any = (1, 1, 1), exposure: float = 1.0) -> Any:
    """The portrait in the light of a room and of a screen, which adds up in linear RGB."""
    colour = np.array([int(screen[0][at : at + 2], 16) / 255 for at in (1, 3, 5)])
    light = (PORTRAIT / 255) ** 2.2 * (np.array(tint) + strength * np.maximum(colour, 0.02)) * exposure / 1.5
    noise = np.random.default_rng(0).normal(0, 3, PORTRAIT.shape)
    return np.clip(255 * np.minimum(light, 1) ** (1 / 2.2) + noise, 0, 255).astype(np.uint8)


def answer(challenge: ScreenLight, strength: float, **room: Any) -> ChallengeStatus:
    status = ChallengeStatus.PENDING
    while challenge.screen is not None:
        status = challenge.update(challenge.measure(lit(challenge.screen, strength, **room), FACE))
    return status


class TestLight:
    @pytest.mark.parametrize("tint", [(1, 1, 1), (1.25, 1, 0.7), (0.85, 1, 1.2)])
    @pytest.mark.parametrize("exposure", [0.6, 1.0])
    def test_a_face_before_the_screen_answers(self, tint: Any, exposure: float) -> None:
        assert answer(ScreenLight(), 0.2, tint=tint, exposure=exposure) is ChallengeStatus.ANSWERED

    def test_a_face_that_the_screen_does_not_reach_fails(self) -> None:
        assert answer(ScreenLight(), 0.0) is ChallengeStatus.FAILED

    def test_each_colour_is_told_from_the_others(self) -> None:
        lights = {name: face_light(lit((code, code), 0.1), FACE) for name, code in COLOURS.items()}
        for shown in NAMES:
            assert [name for name in NAMES if follows(lights["white"], lights[shown], name)] == [shown]

    def test_a_store_may_write_whole_numbers_without_a_point(self) -> None:
        assert follows([-2] * 3, [-1, -3, -3], "red")

    def test_a_face_outside_the_picture_has_no_light(self) -> None:
        with pytest.raises(ValueError, match="outside"):
            face_light(PORTRAIT, FaceBox(-50, -50, -10, -10))

    @given(st.floats(0.2, 5))
    def test_the_exposure_does_not_matter(self, exposure: float) -> None:
        before, now = STILL, [-1.9, -2.07, -2.1]
        brighter = [light + math.log(exposure) for light in now]
        assert [follows(before, now, name) for name in NAMES] == [follows(before, brighter, name) for name in NAMES]


class TestChallenge:
    def test_it_starts_white_and_never_asks_for_the_same_colour_twice_in_a_row(self) -> None:
        challenge, shown = ScreenLight(colours=30), []
        while challenge.screen is not None:
            shown.append(challenge.screen[0])
            challenge.update(challenge.measure(lit(challenge.screen, 0.3), FACE))
        assert isinstance(challenge, Challenge) and len(shown) == 31 and shown[0] == "#ffffff"
        assert "#ffffff" not in shown[1:] and len(set(shown)) > 3
        assert all(one != other for one, other in zip(shown, shown[1:]))

    def test_a_frame_without_a_face_asks_for_the_same_colour_again(self) -> None:
        challenge = ScreenLight()
        challenge.update(STILL)
        asked = challenge.screen
        assert challenge.update(None) is ChallengeStatus.PENDING and challenge.screen == asked

    def test_failed_is_final(self) -> None:
        challenge = ScreenLight()
        assert [challenge.update(STILL) for _ in range(3)][1:] == [ChallengeStatus.FAILED] * 2
        assert challenge.screen is None

    @given(st.lists(st.sampled_from([None, STILL, [-1.9, -2.1, -2.1], [-2.1, -1.9, -2.1]]), max_size=8))
    def test_it_goes_on_from_its_state_as_if_never_stopped(self, lights: List[Any]) -> None:
        challenge = ScreenLight(colours=2)
        for light in lights:
            again = ScreenLight(colours=2)
            again.restore(json.loads(json.dumps(challenge.state)))
            assert (again.state, again.screen, again.progress) == (
                challenge.state,
                challenge.screen,
                challenge.progress,
            )
            assert again.update(light) is challenge.update(light)

    @pytest.mark.parametrize(
        "change",
        [
            {"asked": []},
            {"asked": ["white", "white"]},
            {"asked": ["white", "red", "green"]},
            {"asked": 1},
            {"lights": [[1.0, 2.0]]},
            {"lights": [[math.nan] * 3]},
            {"lights": []},
            {"failed": None},
        ],
    )
    def test_a_state_that_does_not_fit_changes_nothing(self, change: Any) -> None:
        challenge = ScreenLight()
        challenge.update(STILL)
        before = challenge.state
        for damaged in ({**before, **change}, {name: before[name] for name in before if name not in change}):
            with pytest.raises((KeyError, TypeError, ValueError)):
                challenge.restore(damaged)
        assert challenge.state == before

    def test_at_least_one_colour(self) -> None:
        with pytest.raises(ValueError, match="colours"):
            ScreenLight(colours=0)
