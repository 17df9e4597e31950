"""What a model card says that no measurement can: sources, teachers, and what the model cannot do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from examples.training.config import Config

__all__ = ["LIMITS", "TEACHERS", "VERSION", "model_card"]

VERSION = "0.2.0"
LIMITS = [
    "Measured on prints, phones, tablets and monitors; on few paper masks and cut-outs, where more passes; on no 3-D, "
    "silicone or resin mask.",
    "Deepfakes and recordings injected in place of the camera are not presentation attacks, and are not detected.",
    "Several hundred people in all, most in one source each: the figures say little about ages, skin tones or cameras "
    "that are missing.",
    "Some sources are for research only, few state a licence: check the terms of the sources before commercial use.",
    "No certification is claimed; this is not a test under ISO/IEC 30107-3.",
]
TEACHERS = [
    "MiniFASNetV2 2.7 and MiniFASNetV1SE 4.0 (minivision-ai/Silent-Face-Anti-Spoofing, Apache-2.0)",
    "MiniFAS 128 (facenox/face-antispoof-onnx, Apache-2.0)",
    "a MiniFASNetV2 2.7 fine-tuned by others (okuru, no licence stated)",
    "two of the MiniFASNet family trained by others on phone videos (zalo, no licence stated)",
    "facelive mobilenet_v2 0.1.0",
]


def model_card(name: str, views: dict[str, float], sha256: str, run: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The card of an exported run, ready for JSON.

    Args:
        name: Of the model.
        views: Each view's side in units of the face's longer side.
        sha256: Of the file.
        run: Folder of the run.
        about: More fields, such as ``description``, ``training`` and ``measured``; they come on top.
    """
    config = Config.of_run(run)
    card = {
        "name": name,
        "version": VERSION,
        "file": f"{name}.tflite",
        "sha256": sha256,
        "input_size": 128,
        "views": views,
        "value_range": [-1.0, 1.0],
        "output": "probability",
        "live_class": 1,
        "threshold": 0.5,
        "licence": "Apache-2.0",
        "description": "",
        "training": {
            "start": "ImageNet weights of MobileNetV2",
            "teachers": TEACHERS,
            "pictures_seen": config.samples,
            "seed": config.seed,
            "caveat": "Pictures of real people gathered from public repositories: check the terms of the sources "
            "before commercial use.",
        },
        "measured": {},
        "limits": LIMITS,
    }
    for key, value in about.items():
        own = card.get(key)
        card[key] = {**own, **value} if isinstance(own, dict) and isinstance(value, dict) else value
    return card
