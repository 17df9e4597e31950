"""Write the bundled face detector: weights of a training run in, float16 TFLite file and card out.

    python -m examples.training.face_detector.export --weights ../runs/face/run/face.weights.h5 --operating-point 0.75

Focal training leaves scores crowded; the last bias is shifted so that the chosen operating point becomes 0.5.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from examples.training.face_detector.compose import PAD
from examples.training.face_detector.data import HELD_OUT_BACKGROUNDS, HELD_OUT_FACES, rows
from examples.training.face_detector.network import face_network
from examples.training.face_detector.targets import ANCHOR_PX, SIZE, STRIDE
from examples.training.face_detector.train import FROZEN_TO, to_tflite

SHOWN = (
    "pictures",
    "recall, single-face pictures",
    "recall, liveness val",
    "false boxes",
    "landmark error",
    "ms per 640×480 frame",
)
"""The figures that a user needs; all of them are kept beside the documentation."""
CAVEAT = (
    "Trained on pictures gathered from public repositories, almost none of which carries a licence that allows more "
    "than research: check the terms of the sources before commercial use."
)


def export(weights: Path, operating_point: float, out: Path) -> bytes:
    """Write ``out`` with its scores shifted so that ``operating_point`` reads 0.5.

    Returns:
        The file's bytes.
    """
    model = face_network()
    model.load_weights(weights)
    last = model.get_layer("faces")
    kernel, bias = last.get_weights()
    bias[0] -= math.log(operating_point / (1 - operating_point))
    last.set_weights([kernel, bias])
    content = to_tflite(model)
    out.write_bytes(content)
    return content


def card(content: bytes, data: Path, measured: dict[str, Any]) -> dict[str, Any]:
    """What the file is, how to feed it and what it was measured to do."""
    faces = {row["source"] for row in rows(data / "faces.jsonl")} - set(HELD_OUT_FACES)
    liveness = {row["source"] for row in rows(data / "liveness.jsonl") if row["split"] == "train"}
    scenes = {row["source"] for row in rows(data / "backgrounds.jsonl")} - set(HELD_OUT_BACKGROUNDS)
    return {
        "name": "face_detector",
        "version": "2",
        "description": "Single-shot face detector: box, five landmarks and score from one 160×160 picture.",
        "input": {"size": SIZE, "channels": "RGB", "value_range": [-1, 1], "letterbox_grey": PAD, "resize": "triangle"},
        "output": {
            "shape": [SIZE // STRIDE, SIZE // STRIDE, 15],
            "cell": "logit, centre x, y, log width, log height, five landmarks x, y",
            "units": f"offsets from the cell's middle in units of the box; sizes are {ANCHOR_PX:g} px times exp",
            "threshold": 0.5,
        },
        "landmarks": ["eye on the picture's left", "eye on its right", "nose tip", "mouth corner left", "right"],
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "training": {
            "network": f"MobileNet x0.25, ImageNet start (frozen to {FROZEN_TO}), two bilinear steps up to one grid, "
            "a branch for the landmarks",
            "labels": "by YuNet (OpenCV FaceDetectorYN), not by people; landmarks are the mean of up to eight looks",
            "caveat": CAVEAT,
            "faces": sorted(faces),
            "liveness": sorted(liveness),
            "backgrounds": sorted(scenes),
            "held_out": {"faces": list(HELD_OUT_FACES), "backgrounds": list(HELD_OUT_BACKGROUNDS), "liveness": "val"},
        },
        "measured": {name: measured[name] for name in SHOWN if name in measured},
        "limits": [
            "Faces below about a fifth of the shorter side are often missed, heads in profile sometimes.",
            "Landmarks are off by a seventeenth of the eye distance on average, more on faces in profile.",
            "A printed face, a mask and a face on a screen are faces to it: it says nothing about liveness.",
            "Labels come from another detector, so that detector's blind spots are its own.",
        ],
    }


def main() -> None:
    """Export and write the card beside the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--operating-point", type=float, default=0.5)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--figures", type=Path, help="what compare.py wrote")
    parser.add_argument("--out", type=Path, default=Path("src/facelive/assets/face_detector.tflite"))
    options = parser.parse_args()
    measured = json.loads(options.figures.read_text(encoding="utf-8")) if options.figures else {}
    content = export(options.weights, options.operating_point, options.out)
    text = json.dumps(card(content, options.data, measured), indent=1, ensure_ascii=False)
    options.out.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
