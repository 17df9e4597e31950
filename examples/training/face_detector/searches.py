"""Two ways of searching that were weighed: a second look with a margin, and the previous box first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from examples.training.face_detector.data import Sample
from examples.training.face_detector.measures import Detector, Picture, best, framed, milliseconds

from facelive.results import FaceBox

Search = Callable[[Picture, FaceBox], Sequence[FaceBox]]
MARGIN = 0.25
AROUND = 3.0
"""The previous box is searched in a square of this many sides."""


def with_margin(detector: Detector, picture: Picture) -> list[FaceBox]:
    """Search the picture on a grey ground that is a quarter of its longer side wider on every side."""
    margin = round(MARGIN * max(picture.shape[:2]))
    padded = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), constant_values=114)
    return [_moved(face, -margin, -margin) for face in detector.detect(padded)]


def around(detector: Detector, picture: Picture, previous: FaceBox) -> list[FaceBox]:
    """Search only the neighbourhood of the previous face."""
    (x, y), half = previous.center, AROUND * previous.side_px / 2
    left, top = max(0, round(x - half)), max(0, round(y - half))
    part = picture[top : max(top + 1, round(y + half)), left : max(left + 1, round(x + half))]
    return [_moved(face, left, top) for face in detector.detect(np.ascontiguousarray(part))] if part.size else []


def _moved(face: FaceBox, x: float, y: float) -> FaceBox:
    return FaceBox(face.x0 + x, face.y0 + y, face.x1 + x, face.y1 + y, face.score)


def second_look(detector: Detector, samples: Sequence[Sample]) -> dict[str, float]:
    """Part of the pictures whose face is found at IoU 0.5: at once, always with a margin, or with it when need be."""
    found: dict[str, list[bool]] = {"plain": [], "margin": [], "margin when none": []}
    for sample in samples:
        picture, box = sample.read(), sample.boxes[0]
        plain, wide = detector.detect(picture), with_margin(detector, picture)
        for name, faces in (("plain", plain), ("margin", wide), ("margin when none", plain or wide)):
            found[name].append(best(faces, box)[0] >= 0.5)
    return {name: round(float(np.mean(hits)), 4) for name, hits in found.items()}


def previous_first(
    detector: Detector, samples: Sequence[Sample], scenes: Sequence[Sample], parts: Sequence[float] = (0.2, 0.4)
) -> dict[str, Any]:
    """A face drifts by 2 % of its side from one 640×480 frame to the next: whole frame against neighbourhood.

    For each size of the face: part of the faces found again, median move of the box against the face in parts of its
    side, and milliseconds.
    """
    searches: dict[str, Search] = {
        "whole": lambda picture, _: detector.detect(picture),
        "around": lambda picture, previous: around(detector, picture, previous),
    }
    out: dict[str, Any] = {}
    for part in parts:
        rng = np.random.default_rng(0)
        moves: dict[str, list[float]] = {name: [] for name in searches}
        times: dict[str, float] = {}
        for sample in samples:
            frame, box = framed(sample, scenes[int(rng.integers(len(scenes)))].read(), part, rng)
            seen = best(detector.detect(frame), box)[1]
            if seen is None:
                continue
            shift = np.maximum(1, np.rint(rng.uniform(0.01, 0.02, 2) * seen.side_px)).astype(int)
            for name, search in searches.items():
                moves[name].append(_drift(search, frame, seen, (int(shift[0]), int(shift[1]))))
            if not times:
                times = milliseconds({name: partial(search, frame, seen) for name, search in searches.items()})
        out[f"{part:g}"] = {
            name: {
                "found": round(float(np.isfinite(values).mean()), 4),
                "moves": round(float(np.median(values)), 4),
                "ms": round(times[name], 2),
            }
            for name, values in moves.items()
            if values
        }
    return out


def _drift(search: Search, frame: Picture, seen: FaceBox, shift: tuple[int, int]) -> float:
    """Move of the box against the face over one step of a stream, in parts of its side; infinite when it is lost."""
    edges = np.array(seen.edges, np.float32)
    overlap, before = best(search(frame, seen), edges)
    if before is None or overlap < 0.5:
        return np.inf
    moved = np.array(before.edges, np.float32) - np.tile(shift, 2).astype(np.float32)
    overlap, after = best(search(frame[shift[1] :, shift[0] :].copy(), before), moved)
    if after is None or overlap < 0.5:
        return np.inf
    return float(np.abs(np.array(after.edges, np.float32) - moved).max() / before.side_px)
