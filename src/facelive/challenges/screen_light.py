"""Light from the screen: it shows colours in an order that nobody knows before, and the face must reflect them.

The first frame is taken while the screen is white, each later one while it shows a colour. The camera's exposure
changes all channels alike and drops out. A screen that plays a recording shines by itself and reflects little.
"""

from __future__ import annotations

import secrets
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
import numpy.typing as npt

from facelive.challenges.protocol import ChallengeStatus, Screen
from facelive.crops import face_crop
from facelive.guidance import Guidance
from facelive.results import FaceBox
from facelive.words import as_number, json_number, quoted

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

_MOST_LIGHT = 1e6  # of a state's numbers: sums of larger ones end in infinity
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
        >>> challenge.update([-2.0] * 3).value, challenge.update([-2.0] * 3).value
        ('pending', 'failed')
    """

    name = "screen_light"
    guidance = Guidance.LOOK_AT_THE_SCREEN

    def __init__(self, *, colours: int = 4) -> None:
        if not as_number(colours) >= 1:
            raise ValueError(f"colours is at least 1, not {quoted(colours)}")
        self.colours = colours
        self._asked: List[str] = [WHITE]  # the colours so far, the next one last
        self._lights: List[List[float]] = []
        self._failed = False

    @property
    def screen(self) -> Optional[Screen]:
        """The colour for the next frame, the same on both halves; ``None`` once the challenge has ended."""
        if self._status is not ChallengeStatus.PENDING:
            return None
        return COLOURS[self._asked[-1]], COLOURS[self._asked[-1]]

    @property
    def progress(self) -> float:
        """The part of its frames that was taken, in [0, 1]."""
        return len(self._lights) / (1 + self.colours)

    @property
    def state(self) -> Dict[str, Any]:
        """The colours asked for, the next one last, and the light on the face at each but the next."""
        return {"asked": list(self._asked), "lights": [list(light) for light in self._lights], "failed": self._failed}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, with its colours.

        Raises:
            KeyError, TypeError, ValueError: The state does not fit; this one stays as it was.
        """
        asked, failed = list(state["asked"]), state["failed"]
        lights = [[json_number(number) for number in light] for light in state["lights"]]
        fits = (
            asked[:1] == [WHITE]
            and all(name in _NAMES for name in asked[1:])
            and len(asked) == min(1 + len(lights), 1 + self.colours)
            and len(lights) <= 1 + self.colours
            and all(len(light) == 3 and all(abs(number) <= _MOST_LIGHT for number in light) for light in lights)
            and isinstance(failed, bool)
        )
        if not fits:
            raise ValueError("no screen light like this one has such a state")
        self._asked, self._lights, self._failed = asked, lights, failed

    def measure(self, pixels: npt.NDArray[np.uint8], face: FaceBox) -> Optional[List[float]]:
        """The light on the face; see ``face_light``."""
        return face_light(pixels, face)

    def update(self, seen: Optional[List[float]]) -> ChallengeStatus:
        """Take the light on the face while the screen showed what ``screen`` asked for."""
        if self._status is not ChallengeStatus.PENDING or seen is None:
            return self._status  # without a face the same colour once more: nobody can wait for one that suits
        self._lights.append(list(seen))
        taken = len(self._lights)
        if taken > 1:
            self._failed = not follows(self._lights[0], seen, self._asked[-1])
        if taken <= self.colours:
            self._asked.append(secrets.choice([name for name in _NAMES if name != self._asked[-1]]))
        return self._status

    @property
    def _status(self) -> ChallengeStatus:
        if self._failed:
            return ChallengeStatus.FAILED
        return ChallengeStatus.ANSWERED if len(self._lights) == 1 + self.colours else ChallengeStatus.PENDING


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
    middle = _LINEAR[face_crop(pixels, face.edges, scale=0.6, size=48)]
    light: List[float] = np.log(middle.mean((0, 1))).tolist()
    return light


def follows(before: Sequence[float], now: Sequence[float], colour: str) -> bool:
    """Whether a face's light went from white to ``colour`` rather than to any other colour, or nowhere.

    Args:
        before: ``face_light`` while the screen was white.
        now: ``face_light`` of the frame in question.
        colour: A name of ``COLOURS``, not white.

    Example:
        >>> follows([-2.0] * 3, [-1.9, -2.1, -2.1], "red")
        True
        >>> follows([-2.0] * 3, [-2.0] * 3, "red")
        False
    """
    shift = np.subtract(now, before, dtype=np.float64)
    shift -= shift.mean()
    if not np.linalg.norm(shift) >= _LEAST_SHIFT:
        return False
    return max(_DIRECTIONS, key=lambda name: float(shift @ _DIRECTIONS[name])) == colour
