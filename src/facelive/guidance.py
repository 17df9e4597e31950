"""What to tell the person before a camera."""

from __future__ import annotations

from typing import Mapping

from facelive.results import Reason
from facelive.words import Word

__all__ = ["GUIDANCE", "Guidance"]


class Guidance(Word):
    """What the person can do so that the next frame is better; the words are the application's."""

    FACE_THE_CAMERA = "face_the_camera"
    ONE_PERSON_ONLY = "one_person_only"
    COME_CLOSER = "come_closer"
    MOVE_INTO_VIEW = "move_into_view"
    HOLD_STILL = "hold_still"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    LOOK_STRAIGHT = "look_straight"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_AT_THE_SCREEN = "look_at_the_screen"


GUIDANCE: Mapping[Reason, Guidance] = {
    Reason.NO_FACE: Guidance.FACE_THE_CAMERA,
    Reason.MULTIPLE_FACES: Guidance.ONE_PERSON_ONLY,
    Reason.FACE_TOO_SMALL: Guidance.COME_CLOSER,
    Reason.FACE_CUT_OFF: Guidance.MOVE_INTO_VIEW,
    Reason.TOO_BLURRED: Guidance.HOLD_STILL,
    Reason.TOO_DARK: Guidance.MORE_LIGHT,
    Reason.TOO_BRIGHT: Guidance.LESS_LIGHT,
}
"""What to tell the person for each reason why a frame could not be judged."""
