"""What a model card says that no measurement can: sources, training, and what the model cannot do."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any, Optional

from examples.training.calibration import Calibration
from examples.training.recipe import Recipe

__all__ = ["LIMITS", "model_card"]

VERSION = "0.1.0"
CAVEAT = "check the terms of the sources before commercial use"
DESCRIPTIONS = {
    "mobilenet_v2": "MobileNetV2 1.0 from ImageNet weights, ended at its last 8x8 map, trained on labels and two open "
    "models, and distilled from four networks of its kind",
    "mobilenet": "MobileNet {width} trained on labels and two open models, and distilled from four networks like "
    "mobilenet_v2",
    "custom": "mobilenet_v2 with {width:.0%} of the channels in each block, chosen and fitted by least squares, "
    "and distilled like it",
}
LIMITS = [
    "Measured on prints, phones, tablets and monitors only: nothing is known about 3-D, silicone or resin masks.",
    "Few paper masks and cut-outs were in the training pictures: expect more errors there than the figures show.",
    "Deepfakes and recordings injected in place of the camera are not presentation attacks, and are not detected.",
    "Several hundred people in all, most in one source each: the figures say little about ages, skin tones or cameras "
    "that are missing.",
    "Some sources are for research only, few state a licence: check the terms of the sources before commercial use.",
    "No certification is claimed; this is not a test under ISO/IEC 30107-3.",
]


def model_card(
    recipe: Recipe,
    run: Path,
    calibration: Calibration,
    *,
    sha256: str,
    measured: dict[str, Any],
    refit: Optional[Path] = None,
) -> dict[str, Any]:
    """The card of an exported run, ready for JSON.

    Args:
        recipe: The run's recipe.
        run: The run's folder, for its log and its history.
        calibration: What was folded into the file.
        sha256: Of the file.
        measured: Figures.
        refit: Folder of the run that went on from ``run`` on all pictures, where the file is that run's.
    """
    card: dict[str, Any] = {
        "name": recipe.network,
        "version": VERSION,
        "file": f"{recipe.network}.tflite",
        "sha256": sha256,
        "input_size": 128,
        "crop_scale": recipe.augment.crop_scale,
        "value_range": [-1.0, 1.0],
        "output": "probability",
        "live_class": 1,
        "threshold": 0.5,
        "licence": "Apache-2.0",
        "description": DESCRIPTIONS[recipe.network].format(width=recipe.width),
        "training": {
            "data": json.loads((run / "sources.json").read_text(encoding="utf-8")),
            "caveat": f"Pictures of real people gathered from public repositories: {CAVEAT}.",
            "calibration": {
                "temperature": round(calibration.temperature, 6),
                "offset": round(calibration.offset, 6),
                "fitted_on": "the val pictures, every source and class weighted alike; figures at 0.5 are "
                "cross-fitted: each source's come from a calibration fitted on the other sources",
            },
            "versions": _versions(),
            **_history(run),
        },
        "measured": measured,
        "limits": LIMITS,
    }
    if refit is not None:
        card["training"]["refit"] = {
            "why": "With the recipe frozen, training went on for a little on all pictures, those of val included. The "
            "figures under measured are those of the model before that; the file is the one after it.",
            "data": json.loads((refit / "sources.json").read_text(encoding="utf-8")),
            **_history(refit),
        }
    return card


def _history(run: Path) -> dict[str, Any]:
    """What made a run: every command in order, the last one's recipe, and the time they took together."""
    log = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    return {
        "commands": (run / "command.txt").read_text(encoding="utf-8").strip().splitlines(),
        "recipe": recipe,
        "seed": recipe["seed"],
        "samples": recipe["samples"],
        "seconds": round(sum(entry["seconds"] for entry in log if "finished" in entry)),
    }


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("keras", "numpy", "pillow", "tensorflow", "tensorflow-cpu", "torch"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
