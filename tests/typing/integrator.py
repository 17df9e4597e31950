"""What an integrator writes, checked by mypy --strict in test_typing.py and never run."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

import facelive


class OwnFaces:
    def detect(self, image: npt.NDArray[np.uint8]) -> Sequence[facelive.FaceBox]:
        height, width = image.shape[:2]
        return [facelive.FaceBox(0, 0, width, height)]


def integrate() -> None:
    model = facelive.LivenessModel.load("own.tflite", live_class=0, value_range=(0, 1), output="logits")
    detector = facelive.LivenessDetector(
        model, threshold=0.4, faces=OwnFaces(), quality=facelive.QualityPolicy(min_face_px=60)
    )
    result = detector.predict(Path("photo.jpg"), face=facelive.FaceBox(1, 2, 3, 4))
    assert_type(result.score, Optional[float])
    assert_type(result.is_live, bool)
    assert_type(detector.predict_batch([b"", "a.jpg", np.zeros((4, 4, 3), np.uint8)]), List[facelive.LivenessResult])
    stream = detector.stream(max_age_ms=2000)
    assert_type(stream.update("frame.jpg", timestamp_ms=12.5).reason, Optional[facelive.Reason])
    assert_type(detector.stream(state=stream.state).state["scores"], List[float])
    assert_type(facelive.log_average([0.1, 0.9]), float)
    assert_type(result.face.landmarks if result.face else None, Optional[Tuple[Tuple[float, float], ...]])

    detector.predict(3.5)  # type: ignore[arg-type]
    facelive.LivenessDetector(faces=object())  # type: ignore[arg-type]
    facelive.LivenessModel.load("own.tflite", polarity=1)  # type: ignore[call-arg]
