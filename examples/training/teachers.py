"""The teachers: six open liveness models and an earlier model of our own, asked about a picture and a box.

The MiniFASNet family looks at 2.7 or 4 times the box, no larger than the picture allows, pushed inside where it sticks
out and squashed to 80x80, BGR; MiniFAS 128 at a mirrored square of 1.5 times the longer side, RGB.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from examples.training.camera import Box, Pixels

from facelive.crops import face_crop

__all__ = ["FEATURES", "LIMIT", "MIXTURE", "NAMES", "ask"]

LIMIT = 5.0  # beyond it a logit says no more than that its model is sure


class _Teacher(NamedTuple):
    file: str
    scale: float
    top: float  # what 255 becomes
    softmax: bool  # the file ends in one
    live: int  # number of the live class


_FAMILY = {
    "mini27": _Teacher("minifasnet_v2_2.7.onnx", 2.7, 255.0, True, 1),
    "mini40": _Teacher("minifasnet_v1se_4.0.onnx", 4.0, 255.0, True, 1),
    "okuru27": _Teacher("okuru_2.7.onnx", 2.7, 1.0, False, 1),
    "zalo27": _Teacher("zalo_2.7.onnx", 2.7, 255.0, False, 1),
    "zalo40": _Teacher("zalo_4.0.onnx", 4.0, 255.0, False, 1),
}
NAMES = (*_FAMILY, "minifas128", "facelive")
FEATURES = 128  # in front of MiniFAS 128's last layer

# Half for the label, half for the teachers' mean: their errors differ, and the labels are of few people.
MIXTURE = np.array([0.5, *[0.5 / len(NAMES)] * len(NAMES)], np.float32)


def ask(folder: Path, own: Path, image: Pixels, box: Box) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What all teachers say of a picture.

    Args:
        folder: The open models' ONNX files.
        own: An earlier ``.tflite`` of ours, which looks at 1.5 times the face.
        image: uint8, (H, W, 3), RGB, 0-255.
        box: The face in pixels.

    Returns:
        The logit of P(live) of each of `NAMES`, float32, (7,), within ±`LIMIT`; MiniFAS 128's last features,
        float32, (`FEATURES`,).
    """
    bgr = image[:, :, ::-1]
    logits = []
    for teacher in _FAMILY.values():
        picture = _around(bgr, box, teacher.scale).astype(np.float32).transpose(2, 0, 1) * (teacher.top / 255)
        answer = _run(folder / teacher.file, picture)[0]
        if teacher.softmax:
            answer = np.log(np.clip(answer, 1e-6, 1))
        logits.append(answer[teacher.live] - np.logaddexp.reduce(np.delete(answer, teacher.live)))
    crop = face_crop(image, box, scale=1.5)
    answer, features = _run(folder / "minifas128.onnx", crop.astype(np.float32).transpose(2, 0, 1) / 255)
    logits.append(answer[0] - answer[1])
    probability = float(_own(own)(crop))
    logits.append(np.log(max(probability, 1e-6)) - np.log(max(1 - probability, 1e-6)))
    return np.clip(np.array(logits, np.float32), -LIMIT, LIMIT), features


def _run(path: Path, picture: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    session = _session(path)
    return [answer[0] for answer in session.run(None, {session.get_inputs()[0].name: picture[None]})]


@functools.cache
def _session(path: Path) -> Any:
    import onnx
    import onnxruntime

    model = onnx.load(path)
    if path.name == "minifas128.onnx":  # the input of the last layer joins the outputs
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(model.graph.node[-1].input[0]))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@functools.cache
def _own(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def score(crop: Pixels) -> float:
        interpreter.set_tensor(into, crop[None].astype(np.float32) / 127.5 - 1)
        interpreter.invoke()
        return float(interpreter.get_tensor(out).ravel()[0])

    return score


def _around(bgr: Pixels, box: Box, scale: float, size: int = 80) -> Pixels:
    import cv2

    height, width = bgr.shape[:2]
    x0, y0 = int(box[0]), int(box[1])
    wide, high = int(box[2] - box[0] + 1), int(box[3] - box[1] + 1)
    scale = min(scale, (width - 1) / wide, (height - 1) / high)

    def along(start: int, length: int, limit: int) -> tuple[int, int]:
        low, high = start + length / 2 - length * scale / 2, start + length / 2 + length * scale / 2
        if low < 0:
            low, high = 0.0, high - low
        if high > limit - 1:
            low, high = low - (high - limit + 1), limit - 1.0
        return max(int(low), 0), int(high)

    (left, right), (top, bottom) = along(x0, wide, width), along(y0, high, height)
    part = np.ascontiguousarray(bgr[top : bottom + 1, left : right + 1])
    much_larger = part.shape[0] > 3 * size and part.shape[1] > size
    filtered = cv2.INTER_AREA if much_larger else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (size, size), interpolation=filtered))
