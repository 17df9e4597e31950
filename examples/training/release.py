"""Every bundled model, from the pictures to the files: ``python -m examples.training.release --runs ../runs``.

The steps in order, each a command of this folder; a step whose result is there is skipped and a stopped one goes on,
so the command may be given again at any time. ``--until NAME`` stops after a step. Three hours or so on two cores, and
ten minutes of a GPU for ``long``: give that step's command there (`distil.py`), then this one again here. Two cores
alone would need most of a day to show ``long`` as many pictures, by estimate; with fewer minutes it shows fewer.

A new run will not give the same bytes. When the first steps ran, three sources had other weights (dtruong46me 2, gc535
1.5, imironica 2.5); ``heads``, ``live`` and ``multi`` learnt scores by cross-entropy, not logits by least squares, and
``v2`` was read back from the file it had become (`unfold.py`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from examples.training import compare, distil, export, page, plots, shorten, slim, soup, train

__all__ = ["RELEASED", "STEPS", "made_by", "main"]

Step = tuple[str, str, Optional[str], dict[str, Any]]

CAMERA = {
    "augment.tighten": 0.25,
    "augment.jpeg": 0.4,
    "augment.blur": 0.1,
    "augment.sharpen": 0.1,
    "augment.rotated": 0.4,
    "augment.side_px": [64, 160],
    "augment.noise": 0.2,
    "label_weight": 0.8,
    "synthetic": 0.12,
}
FROZEN = {"frozen_before": "block_3_expand", "taught_weight": 1.0, "taught_share": 0.5}
LIVE = {**CAMERA, **FROZEN, "taught_live": True}
FEATURES = {
    **CAMERA,
    "synthetic": 0.15,
    "middle": True,
    "taught_weight": 1.0,
    "taught_live": True,
    "features_weight": 1.0,
}
LONG = {**FEATURES, "echo": 2, "learning_rate": 6e-4, "average": 0.996}
EARLY = {"frozen_before": "block_3_expand"}
SHORT = {"last": "block_13_expand_relu"}
WHOLE = {"taught_whole": True, "augment.tighten": 0.4, "samples": 24_000}
PATIENT = {**FEATURES, "middle": False, "augment.tighten": 0.4, "taught_share": 0.5, "distil_weight": 2.0, "seed": 71}
FURTHER = {
    **FEATURES,
    "width": 0.5,
    "augment.tighten": 0.4,
    "distil_weight": 2.0,
    "teachers": ["patient"],
    "echo": 2,
    "average": 0.996,
    "samples": 28_800,
    "learning_rate": 8e-4,
}
REFIT = {
    **FEATURES,
    "middle": False,
    "augment.tighten": 0.4,
    "splits": ["train", "val", "faces"],
    "synthetic": 0.2,
    "distil_weight": 1.0,
    "echo": 2,
    "learning_rate": 3e-4,
    "seed": 31,
}

STEPS: tuple[Step, ...] = (
    (
        "heads",
        "mobilenet_v2",
        None,
        {**CAMERA, **FROZEN, "samples": 30_000, "learning_rate": 7e-4, "synthetic": 0.1, "augment.tighten": 0.2},
    ),
    ("live", "mobilenet_v2", "heads", {**LIVE, "samples": 42_000}),
    ("multi", "mobilenet_v2", "live", {**LIVE, "samples": 24_000, "middle": True, "seed": 2}),
    ("v2", "soup", None, {"runs": ["multi", "live"], "taught_share": 1.0}),
    ("e1", "mobilenet_v2", "v2", {**FEATURES, **EARLY, "samples": 21_600, "seed": 5}),
    ("e2", "mobilenet_v2", "v2", {**FEATURES, "samples": 14_400, "seed": 5}),
    ("e12", "soup", None, {"runs": ["e2", "e1"], "taught_share": 1.0}),
    ("A", "mobilenet_v2", "e12", {**LONG, "samples": 36_000, "seed": 7}),
    ("B", "mobilenet_v2", "e12", {**LONG, **EARLY, **WHOLE, "augment.tighten": 0.5, "seed": 8}),
    ("C", "mobilenet_v2", "e12", {**LONG, **EARLY, **WHOLE, "seed": 9}),
    ("D", "mobilenet_v2", "e12", {**LONG, **WHOLE, "seed": 10}),
    ("s5", "soup", None, {"runs": ["A", "B", "C", "D", "e1", "e2"], "taught_share": 0.5}),
    ("short", "shorten", "s5", SHORT),
    (
        "tuned5",
        "mobilenet_v2",
        "short",
        {
            **FEATURES,
            **EARLY,
            **WHOLE,
            **SHORT,
            "middle": False,
            "samples": 14_400,
            "echo": 2,
            "learning_rate": 3e-4,
            "taught_share": 0.5,
            "teachers": ["s5"],
            "distil_weight": 3.0,
            "seed": 51,
        },
    ),
    ("slim", "slim", "s5", {"share": 0.5}),
    ("B5", "soup", None, {"runs": ["B"], "taught_share": 0.5}),
    ("D5", "soup", None, {"runs": ["D"], "taught_share": 0.5}),
    (
        "long",
        "distil",
        None,
        {
            "students": ["mobilenet", "slim", "short", "mobilenet_v2"],
            "taught_by": ["s5", "tuned5", "B5", "D5"],
            "minutes": 9.6,
            "changes": PATIENT,
        },
    ),
    ("patient", "soup", None, {"runs": ["long-short", "short"], "taught_share": 0.0}),
    ("patient_slim", "soup", None, {"runs": ["long-slim", "slim"], "taught_share": 0.0}),
    ("m81", "mobilenet", "long-mobilenet", {**FURTHER, "seed": 81}),
    ("m82", "mobilenet", "long-mobilenet", {**FURTHER, "seed": 82}),
    ("patient_mob", "soup", None, {"runs": ["long-mobilenet", "m81", "m82"], "taught_share": 0.0}),
    (
        "patient_refit",
        "mobilenet_v2",
        "patient",
        {**REFIT, **SHORT, **EARLY, "samples": 14_400, "teachers": ["patient"]},
    ),
    ("patient_final", "soup", None, {"runs": ["patient_refit", "patient"], "taught_share": 0.0}),
    (
        "slim_refit",
        "custom",
        "patient_slim",
        {**REFIT, **EARLY, "width": 0.5, "samples": 9_600, "teachers": ["patient_final"]},
    ),
    ("slim_final", "soup", None, {"runs": ["slim_refit", "patient_slim"], "taught_share": 0.0}),
    (
        "mob_refit",
        "mobilenet",
        "patient_mob",
        {**REFIT, "middle": True, "width": 0.5, "samples": 9_600, "teachers": ["patient_final"]},
    ),
    ("mob_final", "soup", None, {"runs": ["mob_refit", "patient_mob"], "taught_share": 0.0}),
)
RELEASED = {
    "mobilenet_v2": ("patient", "patient_final"),
    "mobilenet": ("patient_mob", "mob_final"),
    "custom": ("patient_slim", "slim_final"),
}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("../runs"), help="scratch folder, outside the repository")
    parser.add_argument("--until", help="name of the last step to take")
    parser.add_argument("--python", nargs="*", default=[], help="interpreters with tflite-runtime to check parity on")
    options = parser.parse_args(arguments)
    runs: Path = options.runs
    for name, network, start, values in STEPS:
        if not all((runs / run / "average.weights.h5").exists() for run in made_by(name, values)):
            print(f"== {name}")
            _take(runs, name, network, start, values)
        if name == options.until:
            return 0
    parity = ["--python", *options.python] if options.python else []
    for measured, _ in RELEASED.values():
        export.main([str(runs / measured), "--out", str(runs / "measured"), *parity])
    compare.main([str(runs / "measured"), "--every", "6"])
    for model, (measured, refit) in RELEASED.items():
        card = json.loads((runs / "measured" / f"{model}.json").read_text(encoding="utf-8"))
        fitted = card["training"]["calibration"]
        words = [str(runs / refit), "--before", str(runs / measured), *parity]
        words += ["--calibration", str(fitted["temperature"]), str(fitted["offset"])]
        export.main([*words, "--measured", str(runs / "measured" / f"measured-{model}.json")])
    page.main([str(runs / "measured" / "measured-all.json")])
    return plots.main([])


def made_by(name: str, values: dict[str, Any]) -> list[str]:
    """The run folders that a step leaves."""
    return [f"{name}-{student}" for student in values["students"]] if "students" in values else [name]


def _take(runs: Path, name: str, network: str, start: Optional[str], values: dict[str, Any]) -> None:
    if network == "soup":
        soup.soup([runs / part for part in values["runs"]], runs / name, taught_share=values["taught_share"])
        return
    if network == "distil":
        words = [*values["students"], "--taught-by", *values["taught_by"], "--run", str(runs / name)]
        words += ["--minutes", str(values["minutes"]), "--cache", str(runs / "cache")]
        distil.main([*words, "--set", *_changes(values["changes"])])
        return
    if network in ("shorten", "slim"):
        assert start is not None
        words = [str(runs / start), "--run", str(runs / name), "--cache", str(runs / "cache")]
        words += [word for field, value in values.items() for word in (f"--{field}", str(value))]
        {"shorten": shorten, "slim": slim}[network].main(words)
        return
    words = [network, "--run", str(runs / name), "--cache", str(runs / "cache")]
    if start is not None:
        words += ["--start", str(runs / start)]
    train.main([*words, "--set", *_changes(values)])


def _changes(values: dict[str, Any]) -> list[str]:
    return [f"{field}={json.dumps(value)}" for field, value in values.items()]


if __name__ == "__main__":
    sys.exit(main())
