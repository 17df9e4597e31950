"""The challenge: say four digits, drawn at random, while the camera watches."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from facelive import FaceBox, Guidance
from facelive.challenges import Challenge, ChallengeStatus

__all__ = ["DIGITS", "PHRASES", "SpokenDigits"]

DIGITS = 4
PHRASES = 2
"""Who is not understood is asked once more, for other digits; each phrase is guessed once in 10,000 times."""
_LEAST_FRAMES = 3


class SpokenDigits:
    """Asks for four random digits, after another challenge if there is one; it can refuse a visit, never accept one.

    The frames go on being judged meanwhile, and it is answered on a frame: at least three must have been judged since
    the digits were asked for. Sound comes in from elsewhere, as ``hear``. It belongs to one session.

    Args:
        first: What the person is asked to do before.

    Example:
        >>> challenge = SpokenDigits()
        >>> challenge.update([]).value, len(challenge.asked)
        ('pending', 4)
        >>> challenge.hear(challenge.nonce, said=True)
        True
        >>> [challenge.update([]).value for _ in range(2)]
        ['pending', 'answered']
    """

    def __init__(self, first: Challenge | None = None) -> None:
        self._first = first
        self._waiting_for_first = first is not None
        self._said: bool | None = None
        self._frames = 0
        self._phrases = 0
        self._draw()

    def _draw(self) -> None:
        self.asked = [secrets.randbelow(10) for _ in range(DIGITS)]
        self.nonce = secrets.token_urlsafe(12)
        self._phrases += 1

    @property
    def name(self) -> str:
        """Also names the challenge before it, so that no state of another pair is restored."""
        return "spoken_digits" if self._first is None else f"{self._first.name}+spoken_digits"

    @property
    def waiting(self) -> bool:
        """Whether it waits for the digits to be said."""
        return not self._waiting_for_first and self._said is None

    @property
    def guidance(self) -> Guidance:
        """That of the challenge before, then ``LOOK_STRAIGHT``; the digits are in ``asked``."""
        return self._first.guidance if self._first is not None and self._waiting_for_first else Guidance.LOOK_STRAIGHT

    @property
    def screen(self) -> tuple[str, str] | None:
        """That of the challenge before."""
        return self._first.screen if self._first is not None and self._waiting_for_first else None

    @property
    def progress(self) -> float:
        """In [0, 1]; the challenge before is half of it."""
        mine = 1.0 if self._said is not None else 0.0
        return mine if self._first is None else (self._first.progress + mine) / 2

    @property
    def state(self) -> dict[str, Any]:
        """The digits, their nonce and whether they were said; no sound."""
        return {
            "asked": list(self.asked),
            "nonce": self.nonce,
            "said": self._said,
            "frames": self._frames,
            "phrases": self._phrases,
            "waiting_for_first": self._waiting_for_first,
            "first": None if self._first is None else self._first.state,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            KeyError, TypeError, ValueError: The state does not fit; the challenge stays as it was.
        """
        asked, nonce, said = list(state["asked"]), state["nonce"], state["said"]
        frames, phrases, waiting = state["frames"], state["phrases"], state["waiting_for_first"]
        fits = (
            len(asked) == DIGITS
            and all(type(digit) is int and 0 <= digit <= 9 for digit in asked)
            and isinstance(nonce, str)
            and said in (None, True, False)
            and type(frames) is int
            and type(phrases) is int
            and 1 <= phrases <= PHRASES
            and isinstance(waiting, bool)
            and not (waiting and (self._first is None or said is not None))
        )
        if not fits:
            raise ValueError("no such challenge has such a state")
        if self._first is not None:
            self._first.restore(state["first"])
        self.asked, self.nonce, self._said = asked, nonce, said
        self._frames, self._phrases, self._waiting_for_first = frames, phrases, waiting

    def measure(self, pixels: npt.NDArray[np.uint8], face: FaceBox) -> list[float] | None:
        """What the challenge before needs."""
        return None if self._first is None else self._first.measure(pixels, face)

    def update(self, seen: list[float] | None) -> ChallengeStatus:
        """Take the next judged frame."""
        if self._first is not None and self._waiting_for_first:
            status = self._first.update(seen)
            self._waiting_for_first = status is not ChallengeStatus.ANSWERED
            return status if self._waiting_for_first else ChallengeStatus.PENDING
        self._frames += 1
        if self._said is None or self._frames < _LEAST_FRAMES:
            return ChallengeStatus.PENDING
        return ChallengeStatus.ANSWERED if self._said else ChallengeStatus.FAILED

    def asks(self, nonce: str) -> bool:
        """Whether it waits for the digits of this nonce."""
        return self.waiting and secrets.compare_digest(nonce.encode(), self.nonce.encode())

    def hear(self, nonce: str, *, said: bool) -> bool:
        """Take whether the digits were said; after the first time that they were not, others are drawn.

        Args:
            nonce: Of the digits that were listened for.
            said: Whether they were said.

        Returns:
            False, and nothing is taken, when other digits are asked for, or none any more.
        """
        if not self.asks(nonce):
            return False
        if said or self._phrases == PHRASES:
            self._said = said
        else:
            self._draw()
        return True
