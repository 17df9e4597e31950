"""One loop over a camera, a film or a stream: read, judge, draw, show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np
import numpy.typing as npt

from facelive import LivenessDetector, LivenessResult

__all__ = ["Options", "SourceError", "run"]

WINDOW_TITLE = "facelive (Esc ends, R starts anew)"
Frame = npt.NDArray[np.uint8]  # (H, W, 3), BGR, as OpenCV has it
_ESCAPE, _Q, _R = 27, ord("q"), ord("r")


class SourceError(Exception):
    """The source cannot be opened or the result cannot be written; the message says what to try."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the loop does with each frame.

    Args:
        source: A camera's index, the path of a film, or the URL of a stream.
        headless: Open no window.
        out: Path of a film to write, with everything drawn on it; empty for none.
        as_json: Print one JSON object a frame instead of a line whenever the verdict changes.
        max_frames: End after this many frames; 0 goes on until the source ends.
    """

    source: str = "0"
    headless: bool = False
    out: str = ""
    as_json: bool = False
    max_frames: int = 0


def run(detector: LivenessDetector, options: Options, output: TextIO) -> LivenessResult:
    """Judge a source frame by frame; whatever happens, the camera is released.

    Args:
        detector: Judges the frames; its window votes.
        options: The source and what becomes of its frames.
        output: Where lines are printed.

    Returns:
        The verdict up to the last frame.

    Raises:
        SourceError: The source cannot be opened or gives no frame, the film cannot be written, or no window can be
            shown.
    """
    result = None
    if options.out and Path(options.out).resolve() == Path(options.source).resolve():
        raise SourceError(f"{options.out!r} is the film that is judged: write to another one")
    with ExitStack() as stack:
        capture = _open(options.source)
        stack.callback(capture.release)
        film = _Film(options.out, capture.get(cv2.CAP_PROP_FPS)) if options.out else None
        if film:
            stack.callback(film.close)
        if not options.headless:
            stack.callback(_close_window)
        stream = detector.stream(order="BGR")
        for number, frame in enumerate(_frames(capture, options.max_frames)):
            before = result
            result = stream.update(frame)
            _print(output, number, result, before, as_json=options.as_json)
            drawn = cv2.cvtColor(np.asarray(result.annotate(frame, order="BGR")), cv2.COLOR_RGB2BGR)
            if film:
                film.write(drawn)
            if not options.headless:
                key = _show(drawn)
                if key in (_ESCAPE, _Q):
                    break
                if key == _R:
                    stream.reset()
    if result is None:
        raise SourceError(f"{options.source!r} gave no frame: see that nothing else uses it, or give another source")
    return result


def _open(source: str) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    if not capture.isOpened():
        capture.release()
        what = f"camera {source}" if source.isdecimal() else repr(source)
        raise SourceError(f"cannot open {what}: give a camera's index (0 is the first), a film's path or a URL")
    if source.isdecimal():
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not a queue of old ones
    return capture


def _frames(capture: cv2.VideoCapture, max_frames: int) -> Iterator[Frame]:
    """The frames of a source until it ends, each the caller's own."""
    count = 0
    while not max_frames or count < max_frames:
        there, frame = capture.read()
        if not there:
            return
        count += 1
        yield np.asarray(frame, np.uint8)


def _print(
    output: TextIO, number: int, result: LivenessResult, before: LivenessResult | None, *, as_json: bool
) -> None:
    if as_json:
        print(json.dumps({"frame": number, **result.to_dict()}), file=output, flush=True)
    elif before is None or (result.verdict, result.reason) != (before.verdict, before.reason):
        why = "" if result.reason is None else f" ({result.reason})"
        vote = "" if result.vote is None else f", P(live) {result.vote:.3f} over {result.frames} frames"
        print(f"frame {number}: {result.verdict}{why}{vote}", file=output, flush=True)


class _Film:
    """The film that is written; it takes its size from the first frame."""

    def __init__(self, path: str, fps: float) -> None:
        self._path = path
        self._fps = fps if 1 <= fps <= 240 else 15.0  # cameras and streams often do not know theirs
        self._writer: cv2.VideoWriter | None = None

    def write(self, frame: Frame) -> None:
        if self._writer is None:
            codec = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(self._path, codec, self._fps, (frame.shape[1], frame.shape[0]))
            if not self._writer.isOpened():
                raise SourceError(f"cannot write {self._path!r}: give the path of an .mp4 in a folder that exists")
        self._writer.write(frame)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


def _show(frame: Frame) -> int:
    try:
        cv2.imshow(WINDOW_TITLE, frame)
        return int(cv2.waitKey(1)) & 0xFF
    except cv2.error as error:
        raise SourceError("this OpenCV opens no window here: add --headless, or install opencv-python") from error


def _close_window() -> None:
    try:
        cv2.destroyAllWindows()
    except cv2.error:  # an OpenCV without windows has none to close
        return
