"""A scene with known answers: a tiny real network that scores a face by its brightness, 0.2 of white is P(live) 0.2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

import numpy as np
import numpy.typing as npt

from facelive import FaceBox, LivenessModel

NETWORKS = Path(__file__).parent / "networks"
FACE = FaceBox(200, 120, 320, 270)
ELSEWHERE = FaceBox(480, 300, 600, 450)


@dataclass
class BoxInMind:
    """A user's own face detector, told where the face is."""

    boxes: Sequence[FaceBox] = (FACE,)

    def detect(self, image: npt.NDArray[np.uint8]) -> Sequence[FaceBox]:
        return self.boxes


def brightness(**options: Any) -> LivenessModel:
    return LivenessModel.load(NETWORKS / "sigmoid.tflite", live_class=1, value_range=(0, 1), **options)


def frame(score: float) -> npt.NDArray[np.uint8]:
    """A 640x480 picture with the mean brightness that scores ``score``, sharp enough to be judged."""
    grain = np.random.default_rng(0).integers(-20, 21, (480, 640, 1))
    pixels: npt.NDArray[np.uint8] = np.clip(score * 255 + grain, 0, 255).astype(np.uint8)
    return pixels.repeat(3, axis=2)
