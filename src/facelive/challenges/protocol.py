"""What a session needs of a challenge."""

from __future__ import annotations

import enum
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
import numpy.typing as npt
from typing_extensions import Protocol, runtime_checkable

from facelive.guidance import Guidance
from facelive.results import FaceBox

__all__ = ["Challenge", "ChallengeStatus", "Screen"]

Screen = Tuple[str, str]
"""Two colours as ``#rrggbb``: the left and the right half of the screen, as the person sees it."""


class ChallengeStatus(enum.Enum):
    """How far a challenge has come. ``FAILED`` is final, and so is ``ANSWERED``."""

    PENDING = "pending"
    ANSWERED = "answered"
    FAILED = "failed"


@runtime_checkable
class Challenge(Protocol):
    """One challenge of one session; write your own with these members.

    ``measure`` must not look at the challenge's state, so that a server can run it outside its store's lock.
    """

    @property
    def name(self) -> str:
        """What kind it is; a state of another kind is not restored."""
        ...

    @property
    def guidance(self) -> Guidance:
        """What to tell the person before the next frame."""
        ...

    @property
    def screen(self) -> Optional[Screen]:
        """What the screen must show before the next frame is taken; ``None`` when it does not matter."""
        ...

    @property
    def progress(self) -> float:
        """How much of it is done, in [0, 1]."""
        ...

    @property
    def state(self) -> Dict[str, Any]:
        """All it remembers, ready for JSON; keep it from the client."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            KeyError, TypeError, ValueError: The state does not fit; the challenge stays as it was.
        """
        ...

    def measure(self, pixels: npt.NDArray[np.uint8], face: FaceBox) -> Optional[List[float]]:
        """The numbers of a frame that ``update`` needs; ``None`` when the frame has none.

        Args:
            pixels: uint8, (H, W, 3), RGB, 0-255, upright.
            face: The face in pixels of ``pixels``.
        """
        ...

    def update(self, seen: Optional[List[float]]) -> ChallengeStatus:
        """Take the numbers of the next judged frame."""
        ...
