"""Turn your head: a nose stands out of the plane of eyes and mouth, a picture's does not.

The nose's place in the plane through eyes and mouth corners is a number that no shift, turn, tilt or stretch of a flat
picture changes. When a head turns, the nose moves against that plane, by its height times the tangent of the angle.
Landmarks are drawn to where a turned face would have its nose, on a bent picture too. So the turned face is also held
against the straight one, as if both were one sheet.
"""

from __future__ import annotations

import base64
import secrets
from operator import attrgetter
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
import numpy.typing as npt
from typing_extensions import Literal

from facelive.boxes import FaceBox, Point
from facelive.challenges.protocol import ChallengeStatus, Screen
from facelive.challenges.sheets import LOOK_SHAPE, face_look, sheet_likeness
from facelive.crops import face_crop
from facelive.face_network import BundledFaceDetector
from facelive.guidance import Guidance
from facelive.words import as_number, json_number

__all__ = ["HeadTurn", "nose_offset"]

_PLANE = np.array([(-0.5, 0.0), (0.5, 0.0), (-0.4, 1.0), (0.4, 1.0)])
"""Eyes and mouth corners of a face seen from the front, in units of the distance of its eyes."""

_MOST_SHIFT = 1e6  # of a state's numbers: sums of larger ones end in infinity
_LOOK_BYTES = LOOK_SHAPE[0] * LOOK_SHAPE[1]
_FACES = BundledFaceDetector()
_side_px = attrgetter("side_px")


class HeadTurn:
    """Asks the person to look straight, then to turn the head to a side drawn at random.

    A flat picture fails however it is moved, and most bent ones do. A recording of a head that turns to the asked side
    passes, which is why the side is drawn anew for every session. It belongs to one session.

    Its state holds a small grey picture of the straight face until it has been answered.

    Args:
        side: The side as the person says it; drawn by ``secrets`` unless given.
        mirrored: The frames are mirrored, as a selfie preview is.
        least_shift: How far the nose must move against the plane of eyes and mouth, in distances of the eyes.
        most_like_a_sheet: A turned frame does not count from this ``sheet_likeness`` on, in (0, 1].
        still_frames: Frames that look straight, before the turn.
        turned_frames: Frames in a row that must show the turn.

    Raises:
        ValueError: An option is out of range.

    Example:
        >>> challenge = HeadTurn(side="left")
        >>> challenge.guidance.value
        'look_straight'
        >>> straight, turned = np.random.default_rng(0).integers(0, 256, (2, 56 * 53)).tolist()
        >>> [challenge.update([0.0, *straight]).value for _ in range(4)][-1]
        'pending'
        >>> [challenge.update([0.2, *turned]).value for _ in range(3)][-1]
        'answered'
    """

    name = "head_turn"
    screen: Optional[Screen] = None

    def __init__(
        self,
        *,
        side: Optional[Literal["left", "right"]] = None,
        mirrored: bool = False,
        least_shift: float = 0.1,
        most_like_a_sheet: float = 0.94,
        still_frames: int = 4,
        turned_frames: int = 3,
    ) -> None:
        if side not in (None, "left", "right"):
            raise ValueError(f"side is 'left', 'right' or None, not {side!r}")
        if not (0 < as_number(least_shift) < 1 and as_number(still_frames) >= 1 and as_number(turned_frames) >= 1):
            raise ValueError("least_shift lies in (0, 1), still_frames and turned_frames are at least 1")
        if not 0 < as_number(most_like_a_sheet) <= 1:
            raise ValueError(f"most_like_a_sheet lies in (0, 1], not {most_like_a_sheet}")
        self.side: str = secrets.choice(("left", "right")) if side is None else side
        self.mirrored = mirrored
        self.least_shift = least_shift
        self.most_like_a_sheet = most_like_a_sheet
        self.still_frames = still_frames
        self.turned_frames = turned_frames
        self._still: List[float] = []
        self._look = b""  # the last face that looked straight, as ``face_look`` gives it; empty before and after
        self._turned = 0  # frames in a row to the asked side; below zero, to the other

    @property
    def guidance(self) -> Guidance:
        """``LOOK_STRAIGHT``, then ``TURN_LEFT`` or ``TURN_RIGHT``."""
        if len(self._still) < self.still_frames:
            return Guidance.LOOK_STRAIGHT
        return Guidance.TURN_LEFT if self.side == "left" else Guidance.TURN_RIGHT

    @property
    def progress(self) -> float:
        """The part of the frames it needs that it has, in [0, 1]."""
        return (len(self._still) + max(self._turned, 0)) / (self.still_frames + self.turned_frames)

    @property
    def state(self) -> Dict[str, Any]:
        """The side, where the nose was, the turned frames so far, and the straight face until the end."""
        look = base64.b64encode(self._look).decode("ascii")
        return {"side": self.side, "still": list(self._still), "turned": self._turned, "look": look}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, with its side.

        Raises:
            KeyError, TypeError, ValueError: The state does not fit; this one stays as it was.
        """
        side, still, turned = state["side"], [json_number(x) for x in state["still"]], state["turned"]
        look, whole = base64.b64decode(state["look"], validate=True), len(still) == self.still_frames
        if (
            side not in ("left", "right")
            or not all(abs(x) <= _MOST_SHIFT for x in still)
            or len(still) > self.still_frames
        ):
            raise ValueError("no head turn like this one has such a state")
        if type(turned) is not int or abs(turned) > self.turned_frames or (turned and not whole):
            raise ValueError("no head turn like this one has such a state")
        if len(look) != (_LOOK_BYTES if still and abs(turned) < self.turned_frames else 0):
            raise ValueError("no head turn like this one has such a state")
        self.side, self._still, self._turned, self._look = side, still, turned, look

    def measure(self, pixels: npt.NDArray[np.uint8], face: FaceBox) -> Optional[List[float]]:
        """The nose's place in the plane, then the pixels of ``face_look``; ``None`` where no landmarks are found.

        The bundled detector looks at the face alone, so that a face of 80 pixels is measured as well as one of 170.
        """
        crop = face_crop(pixels, face.edges, scale=1.5, size=160)
        found = max(_FACES.detect(crop), key=_side_px, default=None)
        if found is None or found.landmarks is None:
            return None
        offset = nose_offset(found.landmarks)
        return None if offset is None else [offset, *face_look(crop, found.landmarks).ravel().tolist()]

    def update(self, seen: Optional[List[float]]) -> ChallengeStatus:
        """Take what ``measure`` gave for the next frame.

        Raises:
            ValueError: It is not as long as what ``measure`` gives.
        """
        if abs(self._turned) == self.turned_frames:
            return self._status
        if seen is None:
            return ChallengeStatus.PENDING
        if len(seen) != 1 + _LOOK_BYTES:
            raise ValueError(f"a head turn needs the {1 + _LOOK_BYTES} numbers that measure gives, not {len(seen)}")
        look = np.array(seen[1:], np.uint8)
        if len(self._still) < self.still_frames:
            self._still.append(seen[0])
            self._look = look.tobytes()
            return ChallengeStatus.PENDING
        # Whoever turns to their left moves their nose to the picture's right, unless the picture is mirrored.
        towards = 1 if (self.side == "left") != self.mirrored else -1
        shift = towards * (seen[0] - float(np.median(self._still)))
        if shift >= self.least_shift:
            self._turned = 0 if self._is_sheet(look, near_left=towards > 0) else max(self._turned, 0) + 1
        elif shift <= -self.least_shift:
            self._turned = min(self._turned, 0) - 1
        else:
            self._turned = 0
        if abs(self._turned) == self.turned_frames:
            self._look = b""
        return self._status

    def _is_sheet(self, look: npt.NDArray[np.uint8], *, near_left: bool) -> bool:
        straight = np.frombuffer(self._look, np.uint8).reshape(LOOK_SHAPE)
        likeness = sheet_likeness(straight, look.reshape(LOOK_SHAPE), near_left=near_left)
        return likeness >= self.most_like_a_sheet

    @property
    def _status(self) -> ChallengeStatus:
        if abs(self._turned) < self.turned_frames:
            return ChallengeStatus.PENDING
        return ChallengeStatus.ANSWERED if self._turned > 0 else ChallengeStatus.FAILED


def nose_offset(landmarks: Sequence[Point]) -> Optional[float]:
    """How far the nose lies to the side in the plane of eyes and mouth, in distances of the eyes.

    Eyes and mouth corners are laid on those of a face seen from the front, by the affine map with the least squared
    error, and the nose goes along. For a flat picture seen from afar the result is the same wherever it is seen from.

    Args:
        landmarks: Eye, eye, nose, mouth corner, mouth corner, as in ``FaceBox``, in pixels.

    Returns:
        0 for a nose in the middle, above 0 when it lies to the picture's right; ``None`` when there are not five points
        or they lie on a line.

    Example:
        >>> face = [(40, 50), (60, 50), (50, 60), (42, 70), (58, 70)]
        >>> abs(nose_offset(face)) < 1e-9
        True
        >>> round(nose_offset([(2 * x + y, y / 2) for x, y in face]), 6) == round(nose_offset(face), 6)
        True
    """
    if len(landmarks) != 5:
        return None
    points = np.column_stack([np.asarray(landmarks, np.float64), np.ones(5)])
    nose, plane = points[2], points[[0, 1, 3, 4]]
    scale = float(np.linalg.norm(plane[1, :2] - plane[0, :2]))
    solution, _, rank, _ = np.linalg.lstsq(plane, _PLANE[:, 0], rcond=1e-6)
    if rank < 3 or scale == 0:
        return None
    return float(nose @ solution)
