"""Light from the screen: it shows colours in an order that nobody knows before, and the face must reflect them.

The first frame is taken while the screen is white, each later one while it shows a colour. The camera's exposure
changes all channels alike and drops out. A screen that plays a recording shines by itself and reflects little.
"""

from __future__ import annotations

import math
import secrets
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
import numpy.typing as npt

from facelive.challenges.protocol import ChallengeStatus, Screen
from facelive.crops import face_crop
from facelive.guidance import Guidance
from facelive.results import FaceBox

__all__ = ["COLOURS", "ScreenLight", "face_light", "follows"]

WHITE = "white"
COLOURS = {
    WHITE: "#ffffff",
    "red": "#ff0000",
    "yellow": "#ffff00",
    "green": "#00ff00",
    "cyan": "#00ffff",
    "blue": "#0000ff",
    "magenta": "#ff00ff",
}
"""What a screen can be asked to show; the six beside white lie evenly around it."""

_NAMES = [name for name in COLOURS if name != WHITE]
_LEAST_SHIFT = 0.015
"""Noise and movement shift a face by up to 0.010, a screen of a twentieth of the room's light by 0.018 or more."""

_LINEAR = (np.arange(1, 257, dtype=np.float64) / 256) ** 2.2
_HUES = {name: np.array([int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]) for name, code in COLOURS.items()}
_DIRECTIONS = {
    name: (_HUES[name] - _HUES[name].mean()) / np.linalg.norm(_HUES[name] - _HUES[name].mean()) for name in _NAMES
}


class ScreenLight:
    """Asks for white, then for colours drawn at random; every one must be seen on the face. One miss fails.

    Show ``screen`` for half a second before each frame is taken. It belongs to one session.

    Args:
        colours: How many colours follow white; each is guessed once in six times.

    Raises:
        ValueError: ``colours`` is below 1.

    Example:
        >>> challenge = ScreenLight(colours=1)
        >>> challenge.screen
        ('#ffffff', '#ffffff')
        >>> challenge.update([0.0, 0.0, 0.0]).value, challenge.update([0.0, 0.0, 0.0]).value
        ('pending', 'failed')
    """

    name = "screen_light"
    guidance = Guidance.LOOK_AT_THE_SCREEN

    def __init__(self, *, colours: int = 4) -> None:
        if colours < 1:
            raise ValueError(f"colours is at least 1, not {colours}")
        self.colours = colours
        self._white: Optional[List[float]] = None
        self._colour = WHITE
        self._followed = 0
        self._failed = False

    @property
    def screen(self) -> Optional[Screen]:
        """The colour of both halves for the next frame; ``None`` once the challenge has ended."""
        if self._failed or self._followed == self.colours:
            return None
        return COLOURS[self._colour], COLOURS[self._colour]

    @property
    def progress(self) -> float:
        """The part of the colours that was seen, white among them, in [0, 1]."""
        return ((self._white is not None) + self._followed) / (1 + self.colours)

    @property
    def state(self) -> Dict[str, Any]:
        """The light of the white frame, the colour of the next one, and how many followed."""
        return {
            "white": self._white,
            "colour": self._colour,
            "followed": self._followed,
            "failed": self._failed,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, with its colour.

        Raises:
            KeyError, TypeError, ValueError: The state does not fit; this one stays as it was.
        """
        colour, followed, failed = state["colour"], int(state["followed"]), state["failed"]
        white = None if state["white"] is None else [float(light) for light in state["white"]]
        fits = colour in COLOURS and 0 <= followed <= self.colours and isinstance(failed, bool)
        if white is None:
            fits = fits and colour == WHITE and not followed and not failed
        else:
            fits = fits and colour != WHITE and len(white) == 3 and all(map(math.isfinite, white))
        if not fits:
            raise ValueError("no screen light like this one has such a state")
        self._white, self._colour, self._followed, self._failed = white, colour, followed, failed

    def measure(self, pixels: npt.NDArray[np.uint8], face: FaceBox) -> Optional[List[float]]:
        """The light on the face; see ``face_light``."""
        return face_light(pixels, face)

    def update(self, seen: Optional[List[float]]) -> ChallengeStatus:
        """Take the light on the face while the screen showed what ``screen`` asked for."""
        if self._failed or self._followed == self.colours:
            return self._status
        if seen is None:
            return ChallengeStatus.PENDING  # the same colour once more: nobody can wait for one that suits
        if self._white is None:
            self._white = list(seen)
        elif follows(self._white, seen, self._colour):
            self._followed += 1
        else:
            self._failed = True
        self._colour = secrets.choice([name for name in _NAMES if name != self._colour])
        return self._status

    @property
    def _status(self) -> ChallengeStatus:
        if self._failed:
            return ChallengeStatus.FAILED
        return ChallengeStatus.ANSWERED if self._followed == self.colours else ChallengeStatus.PENDING


def face_light(pixels: npt.NDArray[np.uint8], face: FaceBox) -> List[float]:
    """The mean colour of a face's middle: the logarithm of linear red, green and blue.

    Args:
        pixels: uint8, (H, W, 3), RGB, 0-255, upright.
        face: The face in pixels of ``pixels``.

    Raises:
        ValueError: The face lies outside the picture.

    Example:
        >>> [round(light, 2) for light in face_light(np.full((90, 90, 3), 127, np.uint8), FaceBox(20, 20, 70, 70))]
        [-1.52, -1.52, -1.52]
    """
    middle = face_crop(pixels, face.edges, scale=0.6, size=48)
    light: List[float] = np.log(_LINEAR[middle].mean((0, 1))).tolist()
    return light


def follows(before: Sequence[float], now: Sequence[float], colour: str) -> bool:
    """Whether a face's light went from white to ``colour`` rather than to any other colour, or nowhere.

    Args:
        before: ``face_light`` while the screen was white.
        now: ``face_light`` of the frame in question.
        colour: A name of ``COLOURS``, not white.

    Example:
        >>> follows([-2.0, -2.0, -2.0], [-1.9, -2.1, -2.1], "red")
        True
        >>> follows([-2.0, -2.0, -2.0], [-2.0, -2.0, -2.0], "red")
        False
    """
    shift = np.subtract(now, before)
    shift -= shift.mean()
    if not np.linalg.norm(shift) >= _LEAST_SHIFT:
        return False
    return max(_DIRECTIONS, key=lambda name: float(shift @ _DIRECTIONS[name])) == colour
