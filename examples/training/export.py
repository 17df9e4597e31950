"""From a run's weights to a bundled model: ``python -m examples.training.export RUN --out src/facelive/assets``.

Temperature and offset are folded into the last layer, so the file's one output is P(live) and 0.5 the operating
point. The float16 file is checked against Keras on each runtime before the card is written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.calibration import Calibration, balanced_weights, carried_over, fit_calibration
from examples.training.cards import model_card
from examples.training.data import add_places
from examples.training.measure import rounded
from examples.training.parity import tflite_scores
from examples.training.recipe import Recipe
from examples.training.robustness import simulated
from examples.training.runs import load_run
from examples.training.sheet import COLLINS
from examples.training.valset import ValidationSet
from PIL import Image

__all__ = ["convert", "largest_difference", "main", "with_probability"]

PORTRAIT = Path("examples/portrait.jpg")
LARGEST_DIFFERENCE = 0.04  # between float16 on any runtime and Keras in float32; rounding alone makes up to half of it


def with_probability(network: Any, calibration: Calibration) -> Any:
    """The network with one calibrated output: float32 (B, 128, 128, 3) in [-1, 1] to (B, 1), P(live)."""
    import keras

    features = network.get_layer("dropout").input
    kernel, bias = network.get_layer("logit").get_weights()
    head = keras.layers.Dense(1, activation="sigmoid", name="p_live")
    model = keras.Model(network.input, head(features))
    head.set_weights([kernel / calibration.temperature, bias / calibration.temperature + calibration.offset])
    return model


def convert(model: Any, *, float16: bool) -> bytes:
    """A TFLite file, weights in float16 or float32, input float32 with a batch that can be resized."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if float16:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    return content


def largest_difference(
    path: Path, expected: npt.NDArray[np.float32], inputs: npt.NDArray[np.float32], pythons: Sequence[str] = ()
) -> dict[str, float]:
    """How far a file's scores are from the expected ones, on this interpreter's runtime and on others.

    Args:
        path: The TFLite file.
        expected: float32, (N,).
        inputs: float32, (N, 128, 128, 3).
        pythons: Further interpreters, for example one that has ``tflite-runtime``.
    """
    found = {"ai-edge-litert": float(np.abs(tflite_scores(str(path), inputs) - expected).max())}
    script = Path(__file__).with_name("parity.py")
    for python in pythons:
        with tempfile.TemporaryDirectory() as folder:
            np.save(Path(folder, "in.npy"), inputs)
            subprocess.run([python, script, path, Path(folder, "in.npy"), Path(folder, "out.npy")], check=True)
            found["tflite-runtime"] = float(np.abs(np.load(Path(folder, "out.npy")) - expected).max())
    return found


def export(
    run: Path,
    out: Path,
    validation: ValidationSet,
    *,
    calibration: Optional[Calibration] = None,
    pythons: Sequence[str] = (),
    measured: Optional[dict[str, Any]] = None,
    before: Optional[Path] = None,
    familiar: Optional[ValidationSet] = None,
) -> Calibration:
    """Write ``NAME.tflite`` and ``NAME.json`` of a run.

    Args:
        run: Folder of the run.
        out: Where the two files go.
        validation: Pictures to calibrate on, and to compare the files on.
        calibration: Taken instead of fitting one.
        pythons: Interpreters to check parity on, besides this one.
        measured: Figures for the card.
        before: Where ``run`` is a refit, the run that it went on from and that the figures are of.
        familiar: Pictures that both learnt from; over them ``calibration``, then that of ``before``, is carried over
            to the refit.
    """
    recipe = Recipe.of_run(run)
    network = load_run(run)
    crops = validation.crops(recipe.augment.crop_scale)
    if calibration is None:
        logits = keras_logits(network, crops)
        calibration = fit_calibration(logits, validation.labels, balanced_weights(validation.rows))
    elif before is not None and familiar is not None:
        seen = familiar.crops(recipe.augment.crop_scale)
        calibration = carried_over(calibration, keras_logits(load_run(before), seen), keras_logits(network, seen))
    model = with_probability(network, calibration)
    full, half = convert(model, float16=False), convert(model, float16=True)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{recipe.network}.tflite"
    path.write_bytes(half)
    sample = crops[:: max(1, len(crops) // 200)].astype(np.float32) / 127.5 - 1
    expected = np.asarray(model(sample, training=False))[:, 0]
    differences = largest_difference(path, expected, sample, pythons)
    if max(differences.values()) > LARGEST_DIFFERENCE:
        raise ValueError(f"{path.name} differs from Keras by {differences}: the conversion is not to be trusted")
    figures = {
        "float32_bytes": len(full),
        "float16_bytes": len(half),
        "max_float16_difference": round(max(differences.values()), 6),
        "max_float16_difference_by_runtime": {name: round(value, 6) for name, value in differences.items()},
        **(measured or {}),
    }
    if PORTRAIT.exists():
        # Of the file itself: the portrait is in no source.
        figures["simulated_attacks_on_portrait"] = rounded(
            simulated(
                np.asarray(Image.open(PORTRAIT)),
                COLLINS,
                lambda faces: tflite_scores(str(path), faces.astype(np.float32) / 127.5 - 1).astype(np.float64),
                crop_scale=recipe.augment.crop_scale,
            )
        )
    card = model_card(
        recipe,
        run if before is None else before,
        calibration,
        sha256=hashlib.sha256(half).hexdigest(),
        measured=figures,
        refit=None if before is None else run,
    )
    path.with_suffix(".json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{path.name}: {len(half)} bytes (float32 {len(full)}), {calibration}, differences {differences}")
    return calibration


def keras_logits(network: Any, crops: npt.NDArray[np.uint8], batch: int = 128) -> npt.NDArray[np.float32]:
    """Logits of crops: float32, (N,)."""
    import tensorflow as tf

    forward = tf.function(lambda pictures: network(pictures, training=False)[0][:, 0])
    parts = [crops[start : start + batch].astype(np.float32) / 127.5 - 1 for start in range(0, len(crops), batch)]
    return np.concatenate([forward(part).numpy() for part in parts])


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="export", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("src/facelive/assets"))
    add_places(parser)
    parser.add_argument(
        "--calibration", type=float, nargs=2, metavar=("TEMPERATURE", "OFFSET"), help="with --before: that run's"
    )
    parser.add_argument("--measured", type=Path, help="JSON of figures for the card, as compare writes it")
    parser.add_argument("--python", nargs="*", default=[], help="interpreters with tflite-runtime to check parity on")
    parser.add_argument("--before", type=Path, help="the run that RUN is a refit of, and that the figures are of")
    options = parser.parse_args(arguments)
    familiar = None
    if options.before and options.calibration:
        train = ValidationSet.load(options.data, options.teachers, options.cache, split="train")
        familiar = train.subset(np.arange(0, len(train), 8))
    export(
        options.run,
        options.out,
        ValidationSet.load(options.data, options.teachers, options.cache),
        calibration=Calibration(*options.calibration) if options.calibration else None,
        pythons=options.python,
        measured=json.loads(options.measured.read_text(encoding="utf-8")) if options.measured else None,
        before=options.before,
        familiar=familiar,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
