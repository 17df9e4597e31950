"""What is measured about a face detector: recall, false boxes, landmarks, stability, light, size, rotation and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from examples.training.face_detector.data import Sample, YuNet, iou

from facelive.results import FaceBox

Picture = npt.NDArray[np.uint8]
FACE_PARTS = (0.12, 0.15, 0.2, 0.3, 0.5, 0.8, 1.0)
"""Longer side of the face over the frame's shorter side."""


class Detector(Protocol):
    """A face detector that answers with boxes."""

    def detect(self, image: Picture) -> Sequence[FaceBox]:
        """The faces in a picture, uint8, (H, W, 3), RGB."""


class YuNetDetector:
    """OpenCV's YuNet as a :class:`facelive.faces.FaceDetector`; with a width it shrinks larger pictures to that."""

    def __init__(self, weights: Path, width: int | None = None, score: float = 0.6) -> None:
        self._net, self._width = YuNet(weights, score), width

    def detect(self, image: Picture) -> list[FaceBox]:
        scale = self._width / image.shape[1] if self._width else 1.0
        small = cv2.resize(image, None, fx=scale, fy=scale) if scale < 1 else image
        found = self._net.detect(np.asarray(small, np.uint8))
        found[:, :14] /= min(scale, 1.0)
        return [
            FaceBox(row[0], row[1], row[2], row[3], min(row[14], 1.0), tuple(zip(row[4:14:2], row[5:14:2])))
            for row in found.tolist()
        ]


class HaarDetector:
    """OpenCV's frontal Haar cascade, with the neighbours it is usually called with."""

    def __init__(self) -> None:
        self._net = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def detect(self, image: Picture) -> list[FaceBox]:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        found = self._net.detectMultiScale(grey, 1.1, 5)
        return [FaceBox(x, y, x + w, y + h) for x, y, w, h in np.array(found, float).reshape(-1, 4).tolist()]


def best(faces: Sequence[FaceBox], box: npt.NDArray[np.float32]) -> tuple[float, FaceBox | None]:
    """The face that overlaps a box most, and by how much."""
    if not faces:
        return 0.0, None
    overlap = iou(box, np.array([face.edges for face in faces], np.float32))
    return float(overlap.max()), faces[int(overlap.argmax())]


def hits(detector: Detector, samples: Iterable[Sample]) -> list[bool]:
    """For each picture: is its first face found at IoU 0.5?"""
    return [best(detector.detect(sample.read()), sample.boxes[0])[0] >= 0.5 for sample in samples]


def false_boxes(detector: Detector, samples: Iterable[Sample]) -> list[float]:
    """For each picture without a face: the best score of a face found in it, or 0."""
    return [max((face.score for face in detector.detect(sample.read())), default=0.0) for sample in samples]


def landmark_errors(detector: Detector, samples: Iterable[Sample]) -> list[float]:
    """Mean distance of the five landmarks from YuNet's, in eye distances, for each face found."""
    errors = []
    for sample in samples:
        overlap, face = best(detector.detect(sample.read()), sample.boxes[0])
        truth = sample.landmarks[0]
        if overlap >= 0.5 and face is not None and face.landmarks and np.isfinite(truth).all():
            apart = np.linalg.norm(np.array(face.landmarks) - truth, axis=1).mean()
            errors.append(float(apart / np.linalg.norm(truth[0] - truth[1])))
    return errors


def _shifted(picture: Picture, rng: np.random.Generator) -> tuple[Picture, float, tuple[int, int]]:
    left, top = (int(cut) for cut in rng.integers(1, 7, 2))
    return picture[top:, left:].copy(), 1.0, (left, top)


def _zoomed(picture: Picture, rng: np.random.Generator) -> tuple[Picture, float, tuple[int, int]]:
    # In a picture of the same size: a detector that shrinks every picture to one size would not notice otherwise.
    scale = 0.9 if rng.random() < 0.5 else 1.1
    height, width = picture.shape[:2]
    left, top = round(width * (1 - 1 / scale) / 2), round(height * (1 - 1 / scale) / 2)
    turn = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    turn[:, 2] += (scale - 1) / 2
    out = cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8), scale, (left, top)


def _encoded(picture: Picture, rng: np.random.Generator) -> tuple[Picture, float, tuple[int, int]]:
    coded = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 80))])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[:, :, ::-1].copy()), 1.0, (0, 0)


CHANGES: dict[str, Callable[[Picture, np.random.Generator], tuple[Picture, float, tuple[int, int]]]] = {
    "shifted by 1 to 6 px": _shifted,
    "10 % smaller or larger": _zoomed,
    "re-encoded": _encoded,
}


def stability(detector: Detector, samples: Sequence[Sample]) -> dict[str, list[float]]:
    """How far the farthest edge of the box moves, in parts of its side, under each of :data:`CHANGES`."""
    rng = np.random.default_rng(0)
    moves: dict[str, list[float]] = {name: [] for name in CHANGES}
    for sample in samples:
        picture = sample.read()
        face = best(detector.detect(picture), sample.boxes[0])[1]
        if face is None:
            continue
        for name, change in CHANGES.items():
            changed, scale, (left, top) = change(picture, rng)
            back = [
                FaceBox(f.x0 / scale + left, f.y0 / scale + top, f.x1 / scale + left, f.y1 / scale + top)
                for f in detector.detect(changed)
            ]
            overlap, again = best(back, np.array(face.edges, np.float32))
            if again is not None and overlap > 0:
                moves[name].append(float(np.abs(np.subtract(face.edges, again.edges)).max() / face.side_px))
    return moves


def turned(detector: Detector, samples: Iterable[Sample], angle: float) -> list[bool]:
    """:func:`hits` with every picture turned about its face; the box keeps its size."""
    found = []
    for sample in samples:
        picture, box = sample.read(), sample.boxes[0]
        middle = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
        turn = cv2.getRotationMatrix2D(middle, angle, 1.0)
        size = (picture.shape[1], picture.shape[0])
        out = cv2.warpAffine(picture, turn, size, borderMode=cv2.BORDER_REPLICATE)
        found.append(best(detector.detect(np.asarray(out, np.uint8)), box)[0] >= 0.5)
    return found


def luminance(sample: Sample) -> float:
    """Mean luminance of the middle of the first face, 0-255."""
    picture, box = sample.read(), sample.boxes[0]
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * 0.3
    low = np.clip(middle - half, 0, None).astype(int)
    high = (middle + half).astype(int) + 1
    return float((picture[low[1] : high[1], low[0] : high[0]] @ (0.299, 0.587, 0.114)).mean())


def framed(
    sample: Sample, scene: Picture, part: float, rng: np.random.Generator
) -> tuple[Picture, npt.NDArray[np.float32]]:
    """A 640×480 frame that shows ``sample`` on ``scene`` with the face at ``part`` of the height, and its box."""
    frame = np.asarray(cv2.resize(scene, (640, 480)), np.uint8)
    picture, box = sample.read(), sample.boxes[0]
    scale = part * 480 / float((box[2:] - box[:2]).max())
    inside = max(part * 240, 24)
    goal = rng.uniform([min(inside, 319), min(inside, 239)], [max(640 - inside, 321), max(480 - inside, 241)])
    shift = goal - scale * (box[:2] + box[2:]) / 2
    if scale < 0.7:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        step = np.array([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]]) * scale
        picture = np.asarray(small, np.uint8)
    else:
        step = np.full(2, scale)
    turn = np.array([[step[0], 0, shift[0]], [0, step[1], shift[1]]])
    cv2.warpAffine(picture, turn, (640, 480), dst=frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    return frame, (box * scale + np.tile(shift, 2)).astype(np.float32)


def by_size(detector: Detector, samples: Sequence[Sample], scenes: Sequence[Sample]) -> dict[float, float]:
    """Recall in 640×480 frames for each of :data:`FACE_PARTS`."""
    recall = {}
    for part in FACE_PARTS:
        rng = np.random.default_rng(0)
        found = []
        for sample in samples:
            frame, box = framed(sample, scenes[int(rng.integers(len(scenes)))].read(), part, rng)
            found.append(best(detector.detect(frame), box)[0] >= 0.5)
        recall[part] = float(np.mean(found))
    return recall


def milliseconds(work: dict[str, Callable[[], Any]], rounds: int = 60) -> dict[str, float]:
    """Median time of each piece of work, taken in turns so that a busy machine weighs on all alike."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, call in work.items():
            began = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - began) * 1000)
    return {name: float(np.median(values)) for name, values in times.items()}
