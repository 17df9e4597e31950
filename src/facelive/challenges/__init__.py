"""Challenges: what a session may ask of the person besides a live face. They can refuse a visit, never accept one.

Landmarks and pixels go in, answered or not comes out; nothing here knows about HTTP.
"""

from facelive.challenges.head_turn import HeadTurn, nose_offset
from facelive.challenges.protocol import Challenge, ChallengeStatus
from facelive.challenges.screen_light import COLOURS, ScreenLight, face_light, follows
from facelive.challenges.sheets import LOOK_SHAPE, face_look, sheet_likeness

__all__ = [
    "COLOURS",
    "LOOK_SHAPE",
    "Challenge",
    "ChallengeStatus",
    "HeadTurn",
    "ScreenLight",
    "face_light",
    "face_look",
    "follows",
    "nose_offset",
    "sheet_likeness",
]
