"""facelive beside what people use today, on the same picture, one thread, in one run.

    pip install --upgrade pip && pip install -e . --group peers
    python -m tests.benchmarks.peers [--teachers ../shared/teachers] [--repeats 60]

Peers: MiniFAS 128 (onnxruntime, its own crop), the face detectors YuNet (320x240) and Haar (OpenCV 4), and what many a
first try looks like: Haar, Pillow's resize, and a plain CNN of 2.6 million parameters (random weights, which cost the
same) as float32 TFLite. The reference weights, `yunet.onnx` and `minifas128.onnx`, stay outside the repository.
Calls take turns round by round, so that all see the same machine, and find their own data in the caches.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelive import FaceBox, LivenessDetector, LivenessModel
from facelive.face_network import BundledFaceDetector
from facelive.tflite import TFLiteModel

try:
    import cv2
    import keras
    import onnxruntime
    import tensorflow as tf
except ImportError as error:
    sys.exit(f"peers: {error.name} is missing: pip install --upgrade pip && pip install -e . --group peers")

Pixels = npt.NDArray[np.uint8]
Call = Callable[[], object]
PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teachers", type=Path, default=Path("../shared/teachers"))
    parser.add_argument("--repeats", type=int, default=60)
    options = parser.parse_args()
    for weights in ("yunet.onnx", "minifas128.onnx"):
        if not (options.teachers / weights).is_file():
            sys.exit(f"peers: there is no {weights} in {options.teachers}: say where it lies with --teachers")
    if not hasattr(cv2, "CascadeClassifier"):
        sys.exit(f"peers: OpenCV {cv2.__version__} has no Haar cascades any more: pip install -e . --group peers")
    cv2.setNumThreads(1)
    frame = _frame()
    face = BundledFaceDetector().detect(frame)[0]
    calls = _calls(frame, face, options.teachers)
    medians = _in_turn(calls, options.repeats)
    ours = medians["facelive: whole call"]
    print(f"{'640x480 array to answer':<44}{'ms':>9}{'facelive is':>16}")
    for name, ms in medians.items():
        print(f"{name:<44}{ms:9.2f}{'' if name.startswith('facelive') else f'{ms / ours:11.1f}x ahead'}")


def _calls(frame: Pixels, face: FaceBox, teachers: Path) -> dict[str, Call]:
    detector = LivenessDetector()
    yunet = cv2.FaceDetectorYN.create(str(teachers / "yunet.onnx"), "", (320, 240))
    haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    minifas, plain = _minifas(teachers / "minifas128.onnx"), _plain_network()
    finder = BundledFaceDetector()

    def find_yunet() -> Any:
        return yunet.detect(cv2.resize(frame, (320, 240)))[1]

    def find_haar() -> Any:
        return haar.detectMultiScale(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 1.1, 15)

    def run_plain(box: FaceBox) -> Any:
        x0, y0, x1, y1 = (int(edge) for edge in box.edges)
        crop = Image.fromarray(frame[y0:y1, x0:x1]).resize((128, 128))
        return plain.run(np.asarray(crop, np.float32)[np.newaxis] / np.float32(255))

    calls: dict[str, Call] = {
        "facelive: whole call": lambda: detector.predict(frame),
        "facelive: find the face": lambda: finder.detect(frame),
        "facelive: whole call, face given": lambda: detector.predict(frame, face=face),
        "YuNet 320x240: find the face": find_yunet,
        "Haar: find the face": find_haar,
        "MiniFAS 128: crop and score, face given": lambda: minifas(frame, face),
        "YuNet + MiniFAS 128": lambda: (find_yunet(), minifas(frame, face)),
        "a CNN of 2.6 million weights: crop and score": lambda: run_plain(face),
        "Haar and that CNN": lambda: (find_haar(), run_plain(face)),
    }
    for name in ("custom", "mobilenet"):
        if (Path(__file__).parents[2] / "src" / "facelive" / "assets" / f"{name}.tflite").exists():
            other = LivenessDetector(LivenessModel.load(name))
            calls[f"facelive, {name}: whole call"] = lambda other=other: other.predict(frame)  # type: ignore[misc]
    return calls


def _minifas(path: Path) -> Callable[[Pixels, FaceBox], object]:
    """MiniFAS 128 as its repository runs it: a square of 1.5 face sides, mirrored at the border, area resize."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def score(frame: Pixels, face: FaceBox) -> object:
        side = round(1.5 * face.side_px)
        left, top = round(face.center[0] - side / 2), round(face.center[1] - side / 2)
        before_x, before_y = max(0, -left), max(0, -top)
        after_x, after_y = max(0, left + side - frame.shape[1]), max(0, top + side - frame.shape[0])
        crop = frame[max(0, top) : top + side, max(0, left) : left + side]
        crop = cv2.copyMakeBorder(crop, before_y, after_y, before_x, after_x, cv2.BORDER_REFLECT_101)
        crop = cv2.resize(crop, (128, 128), interpolation=cv2.INTER_AREA)
        tensor = np.ascontiguousarray(crop.transpose(2, 0, 1)[np.newaxis], np.float32) / np.float32(255)
        return session.run(None, {name: tensor})

    return score


def _plain_network() -> TFLiteModel:
    """Four 3x3 convolutions of 32, 64, 128 and 128 filters with pooling, dense 512, dense 1: 2,601,153 parameters."""
    layers: list[Any] = [keras.Input((128, 128, 3))]
    for filters in (32, 64, 128, 128):
        layers += [keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.MaxPooling2D()]
    layers += [keras.layers.Flatten(), keras.layers.Dense(512, activation="relu")]
    network = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    assert network.count_params() == 2_601_153, network.count_params()
    return TFLiteModel(tf.lite.TFLiteConverter.from_keras_model(network).convert(), name="plain")


def _in_turn(calls: dict[str, Call], repeats: int) -> dict[str, float]:
    """Median milliseconds of every call, a round of all of them at a time; each is made twice and timed once.

    The first finds the caches full of what the call before it, up to a hundred times as long, has left there.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for round_number in range(-3, repeats):  # three rounds to warm up
        for name, call in calls.items():
            call()
            start = time.perf_counter()
            call()
            if round_number >= 0:
                times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(own) for name, own in times.items()}


def _frame() -> Pixels:
    """The public-domain portrait in a 640x480 frame, as a webcam would see it."""
    frame = np.full((480, 640, 3), 120, np.uint8)
    frame[:, 80:560] = np.asarray(Image.open(PORTRAIT).resize((480, 480)))
    return frame


if __name__ == "__main__":
    main()
