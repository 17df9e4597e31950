"""From a run's weights to a file that ships: ``python -m examples.training.export RUN --out src/facelive/assets``.

The logits of the label and of the teachers are mixed into one, and its temperature and offset are folded into the last
layer: the file's one output is P(live), and 0.5 the operating point. The float16 file is checked against the network on
each runtime before its card is written.
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
from typing import Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt
from examples.training.batches import VIEWS
from examples.training.calibration import Calibration, balanced_weights, carried_over, fit_calibration
from examples.training.card import model_card
from examples.training.data import add_places
from examples.training.measure import Pictures
from examples.training.networks import file_of
from examples.training.surroundings import FILE, fit
from examples.training.teachers import MIXTURE
from examples.training.train import load_run, pooled, said

from facelive import LivenessModel

__all__ = ["LARGEST_DIFFERENCE", "Exported", "convert", "export"]

CALIBRATION = "calibration.json"
LARGEST_DIFFERENCE = 0.04  # between float16 on any runtime and the network in float32
# Run by another interpreter, with the library and its own runtime.
_SCORES = """
import sys
import numpy as np
from facelive import LivenessModel
path, given, answered = sys.argv[1:]
np.save(answered, LivenessModel.load(path).score(np.load(given)))
"""


class Exported(NamedTuple):
    """What came of a run.

    Args:
        path: The ``.tflite``; its card lies beside it.
        calibration: Folded into it.
        differences: Largest difference of its scores from the network's, by runtime.
    """

    path: Path
    calibration: Calibration
    differences: dict[str, float]


def convert(model: Any) -> bytes:
    """A TFLite file, weights in float16, inputs float32 with a batch that can be resized."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    return content


def export(
    run: Path,
    out: Path,
    *,
    name: str,
    pictures: Pictures,
    mixture: npt.NDArray[np.float32] = MIXTURE,
    calibration: Optional[Calibration] = None,
    familiar: Optional[Pictures] = None,
    pythons: Sequence[Path] = (),
    about: Optional[dict[str, Any]] = None,
) -> Exported:
    """Write ``NAME.tflite`` and ``NAME.json``.

    Args:
        run: Folder of a finished run.
        out: Where the two files go.
        name: Of the model.
        pictures: To calibrate on, unless a calibration is given, and to compare runtimes on.
        mixture: float32, (1 + teachers,): the weight of the label's logit and of each teacher's.
        calibration: Taken instead of fitting one.
        familiar: Pictures that the run learnt from, some thousands, to read the surroundings on; none, and 0.5 lies at
            the same place for all.
        pythons: Interpreters that have another runtime and the library, to compare as well.
        about: Fields for the card.

    Raises:
        ValueError: A runtime's scores are more than `LARGEST_DIFFERENCE` away from the network's.
    """
    network, config = load_run(run)
    seen = {look.view: pictures.views[look.view] for look in config.looks}
    features = pooled(network, config, seen)
    logits, gate, opened = said(network, features) @ mixture, np.zeros(len(features)), None
    if familiar is not None:
        surroundings = fit(network, config, familiar)
        surroundings.save(run / FILE)
        gate, opened = surroundings(features), surroundings.gate
    if calibration is None:
        calibration = fit_calibration(logits, pictures.labels, balanced_weights(pictures.rows), gate)
    (run / CALIBRATION).write_text(json.dumps(calibration), encoding="utf-8")
    model = file_of(
        network,
        mixture,
        calibration.temperature,
        calibration.offset,
        gate=opened,
        surroundings=calibration.surroundings,
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.tflite"
    path.write_bytes(convert(model))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    scales = {look.view: VIEWS[look.view] for look in config.looks}
    card = model_card(name, scales, sha256, run, about or {})
    path.with_suffix(".json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    few = slice(0, None, max(1, len(pictures) // 64))
    crops = np.stack([values[few] for values in seen.values()], 1)
    crops = crops if crops.shape[1] > 1 else crops[:, 0]
    expected = calibration(logits[few], gate[few])
    differences = {"this interpreter": float(np.abs(LivenessModel.load(path).score(crops) - expected).max())}
    for python in pythons:
        differences[str(python)] = float(np.abs(_elsewhere(python, path, crops) - expected).max())
    if max(differences.values()) > LARGEST_DIFFERENCE:
        raise ValueError(f"{path.name} differs from the network by {differences}")
    return Exported(path, calibration, differences)


def _elsewhere(python: Path, path: Path, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The scores of a file on another interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        given, answered = Path(folder, "in.npy"), Path(folder, "out.npy")
        np.save(given, crops)
        subprocess.run([python, "-c", _SCORES, path, given, answered], check=True)
        return np.asarray(np.load(answered))


def carried(before: Path, run: Path, familiar: Pictures) -> Calibration:
    """The calibration of a refitted run, which no unseen picture is left to fit on.

    Args:
        before: The run that it went on from, exported already.
        run: The refit.
        familiar: Pictures that both learnt from.
    """
    calibration = Calibration(*json.loads((before / CALIBRATION).read_text(encoding="utf-8")))
    logits = []
    for one in (before, run):
        network, config = load_run(one)
        features = pooled(network, config, {look.view: familiar.views[look.view] for look in config.looks})
        logits.append(said(network, features) @ MIXTURE)
    return carried_over(calibration, *logits)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="export", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, default=Path("src/facelive/assets"))
    parser.add_argument("--before", type=Path, help="the run that RUN went on from, whose calibration is carried over")
    parser.add_argument("--about", type=Path, help="JSON of fields for the card")
    parser.add_argument("--python", type=Path, nargs="*", default=[], help="interpreters with another runtime")
    add_places(parser)
    options = parser.parse_args(arguments)
    places = (options.data, options.teachers, options.cache)
    familiar = Pictures.load(*places, split="train").every(6)
    calibration = carried(options.before, options.run, familiar) if options.before else None
    exported = export(
        options.run,
        options.out,
        name=options.name,
        pictures=Pictures.load(*places),
        calibration=calibration,
        familiar=familiar,
        pythons=options.python,
        about=json.loads(options.about.read_text(encoding="utf-8")) if options.about else None,
    )
    print(exported)
    return 0


if __name__ == "__main__":
    sys.exit(main())
