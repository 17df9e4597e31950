"""Challenges: what a session may ask of the person besides a live face. They can refuse a visit, never accept one.

Landmarks and pixels go in, answered or not comes out; nothing here knows about HTTP.
"""

from facelive.challenges.head_turn import HeadTurn, nose_offset
from facelive.challenges.protocol import Challenge, ChallengeStatus
from facelive.challenges.screen_light import COLOURS, ScreenLight, face_light, follows

__all__ = ["COLOURS", "Challenge", "ChallengeStatus", "HeadTurn", "ScreenLight", "face_light", "follows", "nose_offset"]
