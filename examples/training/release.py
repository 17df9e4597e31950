"""Every bundled model, from the pictures to the files: ``python -m examples.training.release --runs ../runs``.

The steps in order, each a command of this folder; a step whose result is there is skipped and a stopped one goes on,
so the command may be given again at any time. ``--until NAME`` stops after a step. About five hours on two cores.

The files in the package came from these steps but for two differences, so a new run will not give the same bytes.
When the first of them ran, three sources had other weights (dtruong46me 2, gc535 1.5, imironica 2.5). ``heads``,
``live``, ``multi`` and ``narrow`` learnt scores by cross-entropy, not logits by least squares.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from examples.training import compare, export, page, plots, shorten, slim, soup, train

__all__ = ["STEPS", "main"]

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
LONG = {**FEATURES, "samples": 108_000, "echo": 2, "learning_rate": 6e-4, "average": 0.997, "seed": 7}
EARLY = {"frozen_before": "block_3_expand"}
SHORT = {"last": "block_13_expand_relu"}
STUDENT = {**FEATURES, "batch": 64, "echo": 2, "taught_share": 0.5, "distil_weight": 1.0, "width": 0.5}
SLIM = {**STUDENT, "middle": False, "distil_weight": 3.0}
EVERYTHING = {"splits": ["train", "val", "faces"], "synthetic": 0.2}

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
    ("v3mid", "mobilenet_v2", "e12", {**LONG, "stop_after": 950}),
    ("v3", "mobilenet_v2", "e12", LONG),
    ("v5", "soup", None, {"runs": ["v3", "v3mid", "e1", "e2", "v2"], "taught_share": 0.5}),
    (
        "v5refit",
        "mobilenet_v2",
        "v5",
        {**FEATURES, **EARLY, **EVERYTHING, "samples": 16_800, "echo": 2, "learning_rate": 4e-4, "seed": 31},
    ),
    ("v5final", "soup", None, {"runs": ["v5refit", "v5"], "taught_share": 0.5}),
    ("short", "shorten", "v5", SHORT),
    ("shortfinal", "shorten", "v5final", SHORT),
    (
        "narrow",
        "mobilenet",
        None,
        {
            **CAMERA,
            "batch": 64,
            "middle": True,
            "width": 0.5,
            "samples": 48_000,
            "learning_rate": 1e-3,
            "teachers": ["multi"],
        },
    ),
    (
        "mobilenet",
        "mobilenet",
        "narrow",
        {**STUDENT, "samples": 96_000, "learning_rate": 1e-3, "average": 0.995, "seed": 21, "teachers": ["v5"]},
    ),
    (
        "mobilenet_refit",
        "mobilenet",
        "mobilenet",
        {**STUDENT, **EVERYTHING, "samples": 8_960, "learning_rate": 4e-4, "seed": 31, "teachers": ["v5final"]},
    ),
    ("slim", "slim", "v5", {"share": 0.5}),
    ("tuned", "custom", "slim", {**SLIM, "samples": 25_600, "learning_rate": 5e-4, "seed": 41, "teachers": ["v5"]}),
    ("custom", "soup", None, {"runs": ["tuned", "slim"], "taught_share": 0.5}),
    (
        "custom_refit",
        "custom",
        "custom",
        {**SLIM, **EVERYTHING, "samples": 8_960, "learning_rate": 3e-4, "seed": 31, "teachers": ["v5final"]},
    ),
    ("custom_final", "soup", None, {"runs": ["custom_refit", "custom"], "taught_share": 0.5}),
)
RELEASED = {"mobilenet_v2": ("short", "shortfinal"), "mobilenet": ("mobilenet", "mobilenet_refit")}
RELEASED["custom"] = ("custom", "custom_final")


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("../runs"), help="scratch folder, outside the repository")
    parser.add_argument("--until", help="name of the last step to take")
    parser.add_argument("--python", nargs="*", default=[], help="interpreters with tflite-runtime to check parity on")
    options = parser.parse_args(arguments)
    runs: Path = options.runs
    for name, network, start, values in STEPS:
        if not (runs / name / "average.weights.h5").exists():
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


def _take(runs: Path, name: str, network: str, start: Optional[str], values: dict[str, Any]) -> None:
    if network == "soup":
        soup.soup([runs / part for part in values["runs"]], runs / name, taught_share=values["taught_share"])
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
    if "stop_after" in values:
        words += ["--stop-after", str(values["stop_after"])]
    changes = [f"{field}={json.dumps(value)}" for field, value in values.items() if field != "stop_after"]
    train.main([*words, "--set", *changes])


if __name__ == "__main__":
    sys.exit(main())
