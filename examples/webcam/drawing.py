"""What is drawn on a frame: the face, the verdict, the votes and the frame rate."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from facelive import LivenessResult, Reason, Verdict

__all__ = ["draw"]

Frame = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
GREY: Colour = (176, 168, 160)
COLOURS: dict[Verdict, Colour] = {  # blue, green, red, as OpenCV has them
    Verdict.LIVE: (130, 205, 80),
    Verdict.SPOOF: (95, 85, 240),
    Verdict.REJECTED: (90, 180, 245),
}
_FONT = cv2.FONT_HERSHEY_DUPLEX


def draw(frame: Frame, result: LivenessResult, scores: Sequence[float], *, window: int, fps: float) -> None:
    """Draw a verdict onto a frame, in place.

    Args:
        frame: uint8, (H, W, 3), BGR, 0-255; changed.
        result: The verdict of the stream up to this frame.
        scores: The scores that vote, oldest first, each a P(bona fide) in [0, 1].
        window: How many scores vote at most.
        fps: Frames judged per second.
    """
    colour = COLOURS[result.verdict]
    if result.face is not None:
        _corners(frame, result.face.edges, colour)
    height, width = frame.shape[:2]
    unit = max(8, min(width, height) // 40)
    bar = frame[height - 5 * unit :]
    bar[:] = bar // 4  # dark enough for white text on any picture
    baseline = height - 3 * unit
    end = _text(frame, _words(result), (unit, baseline), unit * 1.5, colour)
    if result.vote is not None:
        _text(frame, f"{result.vote * 100:.2f}% Real", (end + 2 * unit, baseline), unit, WHITE)
    for index in range(window):
        middle = (2 * unit + index * 2 * unit, height - unit - unit // 2)
        if index < len(scores):
            voted = Verdict.LIVE if scores[index] >= result.threshold else Verdict.SPOOF
            cv2.circle(frame, middle, unit * 2 // 3, COLOURS[voted], cv2.FILLED, cv2.LINE_AA)
        else:
            cv2.circle(frame, middle, unit * 2 // 3, GREY, 1, cv2.LINE_AA)
    rate = f"{fps:.0f} frames/s"
    _text(frame, rate, (width - unit - _width(rate, unit * 0.8), height - unit), unit * 0.8, WHITE)


def _words(result: LivenessResult) -> str:
    if result.reason is Reason.TOO_FEW_FRAMES:
        return "Looking"
    if result.reason is not None:
        return str(result.reason.value).replace("_", " ").capitalize()
    return "Real" if result.is_live else "Fake"


def _corners(frame: Frame, edges: tuple[float, float, float, float], colour: Colour) -> None:
    """A box of which only the corners are drawn, so that the face stays visible."""
    left, top, right, bottom = (round(edge) for edge in edges)
    arm = max(4, min(right - left, bottom - top) // 5)
    thick = max(2, min(frame.shape[:2]) // 200)
    for x, y, along, down in (
        (left, top, arm, arm),
        (right, top, -arm, arm),
        (left, bottom, arm, -arm),
        (right, bottom, -arm, -arm),
    ):
        cv2.line(frame, (x, y), (x + along, y), colour, thick, cv2.LINE_AA)
        cv2.line(frame, (x, y), (x, y + down), colour, thick, cv2.LINE_AA)


def _text(frame: Frame, words: str, place: tuple[int, int], height_px: float, colour: Colour) -> int:
    """Write words and return where they end."""
    cv2.putText(frame, words, place, _FONT, height_px / 22, colour, max(1, round(height_px / 14)), cv2.LINE_AA)
    return place[0] + _width(words, height_px)


def _width(words: str, height_px: float) -> int:
    (width, _), _ = cv2.getTextSize(words, _FONT, height_px / 22, max(1, round(height_px / 14)))
    return int(width)
