"""The pictures a face detector learns from and is measured on, with every face labelled by YuNet.

``faces.jsonl`` has boxes and landmarks, ``liveness.jsonl`` one box and no landmarks; both miss the faint and the small
faces that must not be taught as background. So YuNet looks at every picture once, and its answers are kept in a cache:

    python -m examples.training.face_detector.data --data ../shared/data --teachers ../shared/teachers
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

HELD_OUT_FACES = ("udacity/P1_Facial_Keypoints", "muxspace/facial_expressions", "ageitgey/face_recognition")
HELD_OUT_BACKGROUNDS = (
    "DEVANSH263/SalesCode-Spot-The-Fake-Photo",
    "Raghava44u/salescode_ai",
    "SilentCanary/Fake-Photo-Detector-SalesCode",
    "agrawalanshika/Screen-Recapture-Detection",
    "datitran/raccoon_dataset",
    "marcusklasson/GroceryStoreDataset",
    "yeswanthroy2007/salescode-fake-detection",
)
SURE, FAINT = 0.6, 0.25
"""YuNet scores: from ``SURE`` a detection is a face, down to ``FAINT`` it is neither face nor background."""
PADDED = 0.4
"""Tight crops are padded by this part of their longer side on every side, as YuNet wants to see a whole head."""
LOOKS_PX = (60, 90, 130, 180)
"""Longer sides at which a face is looked at again, each time mirrored too, for the mean of its landmarks."""


@dataclass(frozen=True)
class Sample:
    """One picture and its faces.

    Args:
        path: The JPEG file.
        source: Repository the picture came from.
        group: ``faces``, ``liveness`` or ``backgrounds``.
        held_out: True when no training may see it.
        boxes: float32, (n, 4), ``x0, y0, x1, y1`` in pixels, YuNet's convention.
        landmarks: float32, (n, 5, 2), pixels, NaN where unknown.
        ignored: float32, (m, 4): boxes that may be faces.
        label: ``live``, ``spoof`` or empty.
        box_from: How the liveness set found its box, or empty.
    """

    path: Path
    source: str
    group: str
    held_out: bool
    boxes: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    ignored: npt.NDArray[np.float32]
    label: str = ""
    box_from: str = ""

    def read(self) -> npt.NDArray[np.uint8]:
        """The picture, uint8, (H, W, 3), RGB."""
        picture = cv2.imread(str(self.path))
        if picture is None:
            raise ValueError(f"{self.path} cannot be read")
        return np.asarray(picture[:, :, ::-1], np.uint8)


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def iou(one: npt.NDArray[np.float32], many: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Intersection over union of a box (4,) with boxes (n, 4).

    Example:
        >>> iou(np.float32([0, 0, 2, 2]), np.float32([[1, 0, 3, 2]])).round(2).tolist()
        [0.33000001311302185]
    """
    many = np.asarray(many, np.float32).reshape(-1, 4)
    size = np.clip(np.minimum(one[2:], many[:, 2:]) - np.maximum(one[:2], many[:, :2]), 0, None)
    inner = size[:, 0] * size[:, 1]
    areas = (many[:, 2] - many[:, 0]) * (many[:, 3] - many[:, 1]) + (one[2] - one[0]) * (one[3] - one[1])
    return np.asarray(inner / np.maximum(areas - inner, 1e-9), np.float32)


class YuNet:
    """The teacher: OpenCV's ``FaceDetectorYN`` over pictures of any size, RGB in, pixels out."""

    def __init__(self, weights: Path, score: float = FAINT) -> None:
        self._net = cv2.FaceDetectorYN.create(str(weights), "", (320, 320), score, 0.3, 50)

    def detect(self, picture: npt.NDArray[np.uint8], padded: float = 0.0) -> npt.NDArray[np.float32]:
        """float32, (n, 15): ``x0, y0, x1, y1``, five ``x, y``, score."""
        margin = round(padded * max(picture.shape[:2]))
        image = cv2.copyMakeBorder(picture[:, :, ::-1].copy(), *[margin] * 4, cv2.BORDER_CONSTANT)
        self._net.setInputSize((image.shape[1], image.shape[0]))
        found = self._net.detect(image)[1]
        if found is None:
            return np.zeros((0, 15), np.float32)
        found[:, 2:4] += found[:, :2]
        found[:, :14] -= margin
        return np.asarray(found, np.float32)


def steady_landmarks(
    net: YuNet, picture: npt.NDArray[np.uint8], box: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32] | None:
    """The five landmarks of a face as the mean of up to eight looks, or None when fewer than four saw it.

    One look is no truth: YuNet's landmarks move by 7 % of the eye distance when the picture is mirrored or scaled.

    Args:
        net: The teacher.
        picture: uint8, (H, W, 3), RGB.
        box: float32, (4,), the face in pixels.

    Returns:
        float32, (5, 2), pixels.
    """
    side = float((box[2:] - box[:2]).max())
    low = np.maximum(np.floor(box[:2] - 0.6 * side), 0).astype(int)
    high = np.ceil(box[2:] + 0.6 * side).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    seen = []
    for target in (target for target in LOOKS_PX if target <= 2.2 * side):
        shrinks = cv2.INTER_AREA if target < side else cv2.INTER_CUBIC
        small = np.asarray(cv2.resize(part, None, fx=target / side, fy=target / side, interpolation=shrinks), np.uint8)
        scale = np.array([small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]], np.float32)
        for mirrored in (False, True):
            found = net.detect(np.ascontiguousarray(small[:, ::-1]) if mirrored else small, 0.2)[:, :14]
            points = found.reshape(-1, 7, 2)
            if mirrored:
                points = points[:, [0, 1, 3, 2, 4, 6, 5]] * (-1, 1) + (small.shape[1], 0)
                points[:, :2, 0] = points[:, [1, 0], 0]
            points = points / scale + low
            overlap = iou(box, points[:, :2].reshape(-1, 4))
            if len(points) and overlap.max() > 0.5:
                seen.append(points[overlap.argmax(), 2:])
    return np.mean(seen, 0, np.float32) if len(seen) >= 4 else None


def label_all(data: Path, teachers: Path, cache: Path) -> None:
    """Run YuNet over the faces and liveness pictures, plain and padded, and write one row per picture."""
    net = YuNet(teachers / "yunet.onnx")
    with cache.open("w", encoding="utf-8") as out:
        for name, folder in (("faces.jsonl", "faces"), ("liveness.jsonl", "images")):
            for row in rows(data / name):
                picture = cv2.imread(str(data / folder / row["file"]))[:, :, ::-1]
                found = [net.detect(picture, padded) for padded in (0.0, PADDED)]
                looked_at: list[npt.NDArray[np.float32]] = []
                for face in (face for faces in found for face in faces if face[14] >= SURE):
                    same = [one for one in looked_at if iou(face[:4], one[:4])[0] > 0.6]
                    marks = same[0][4:14] if same else steady_landmarks(net, picture, face[:4])
                    face[4:14] = face[4:14] if marks is None else marks.ravel()
                    looked_at.append(face)
                plain, wide = (faces.round(2).tolist() for faces in found)
                out.write(json.dumps({"file": row["file"], "plain": plain, "padded": wide}) + "\n")


def load(data: Path, cache: Path) -> Iterator[Sample]:
    """Every picture of the three sets as a :class:`Sample`."""
    seen = {row["file"]: row for row in rows(cache)}
    for row in rows(data / "faces.jsonl"):
        boxes = np.array([face["box"] for face in row["faces"]], np.float32).reshape(-1, 4)
        marks = np.array([face["landmarks"] for face in row["faces"]], np.float32).reshape(-1, 5, 2)
        found = np.array(seen[row["file"]]["plain"] + seen[row["file"]]["padded"], np.float32).reshape(-1, 15)
        for index, box in enumerate(boxes):
            overlap = iou(box, found[:, :4])
            if len(found) and overlap.max() > 0.5:
                marks[index] = found[overlap.argmax(), 4:14].reshape(5, 2)
        yield Sample(
            data / "faces" / row["file"], row["source"], "faces", row["source"] in HELD_OUT_FACES, boxes, marks,
            _others(found, boxes),
        )  # fmt: skip
    for row in rows(data / "liveness.jsonl"):
        yield _liveness(data, row, seen[row["file"]])
    none, no_marks = np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
    for row in rows(data / "backgrounds.jsonl"):
        yield Sample(
            data / "backgrounds" / row["file"], row["source"], "backgrounds",
            row["source"] in HELD_OUT_BACKGROUNDS, none, no_marks, none,
        )  # fmt: skip


def _liveness(data: Path, row: dict[str, Any], seen: dict[str, Any]) -> Sample:
    """The labelled face with YuNet's landmarks, the other sure faces beside it, the faint ones as ignored."""
    found = np.array(seen["plain"] + seen["padded"], np.float32).reshape(-1, 15)
    box = np.array(row["box"], np.float32)
    boxes, marks = [], []
    if row["box_from"] != "whole_picture":
        overlap = iou(box, found[:, :4])
        boxes.append(box)
        near = bool(len(found)) and overlap.max() > 0.5
        marks.append(found[overlap.argmax(), 4:14] if near else np.full(10, np.nan, np.float32))
    for other in found[found[:, 14] >= SURE]:
        if not boxes or iou(other[:4], np.stack(boxes)).max() < 0.3:
            boxes.append(other[:4])
            marks.append(other[4:14])
    stacked = np.array(boxes, np.float32).reshape(-1, 4)
    ignored = _others(found, stacked)
    if row["box_from"] == "whole_picture":
        ignored = np.concatenate([ignored, box[None]])
    return Sample(
        data / "images" / row["file"], row["source"], "liveness", row["split"] == "val", stacked,
        np.array(marks, np.float32).reshape(-1, 5, 2), ignored, row["label"], row["box_from"],
    )  # fmt: skip


def _others(found: npt.NDArray[np.float32], boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    keep = [face[:4] for face in found if not len(boxes) or iou(face[:4], boxes).max() < 0.3]
    return np.array(keep, np.float32).reshape(-1, 4)


def main() -> None:
    """Fill the cache of YuNet's labels."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--teachers", type=Path, default=Path("../shared/teachers"))
    parser.add_argument("--cache", type=Path, default=Path("../runs/face/yunet.jsonl"))
    options = parser.parse_args()
    options.cache.parent.mkdir(parents=True, exist_ok=True)
    label_all(options.data, options.teachers, options.cache)


if __name__ == "__main__":
    main()
