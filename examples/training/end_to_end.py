"""The val pictures through `LivenessDetector`, as a user's go: ``python -m examples.training.end_to_end DIR``.

The bundled face detector finds the face, the quality limits hold, and what has no usable face has no score: such
pictures are counted apart. Figures at 0.5 are cross-fitted, as in `compare`, which knows where every face is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
from examples.training.calibration import cross_fitted
from examples.training.data import add_places
from examples.training.measure import by_source, voted
from examples.training.valset import MSU, WEBCAMS, ValidationSet

from facelive import LivenessDetector

__all__ = ["judged", "main"]

MEASURES = ("auc", "eer", "apcer", "bpcer")


def judged(model: Path, validation: ValidationSet) -> dict[str, Any]:
    """Errors of a model on what the whole detector makes of pictures.

    Args:
        model: The TFLite file, its card beside it.
        validation: Labelled pictures.

    Returns:
        ``sources`` and ``vote``, as `measure` counts them, of the pictures with a score; ``rejected``: the number
        without one, live and attacks, by source.
    """
    detector = LivenessDetector(model)
    results = [detector.predict(validation.store[index]) for index in range(len(validation))]
    scored = np.array([result.score is not None for result in results])
    part = validation.subset(np.flatnonzero(scored))
    shipped = np.array([result.score for result in results if result.score is not None]).clip(1e-7, 1 - 1e-7)
    scores = cross_fitted(np.log(shipped / (1 - shipped)), part.rows)
    lost = {str(source): [0, 0] for source in np.unique(validation.sources)}
    for row, kept in zip(validation.rows, scored):
        lost[row.source][int(row.label == 0)] += not kept
    return {"sources": by_source(part, scores), "vote": voted(part, scores), "rejected": lost}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="end_to_end", description=__doc__)
    parser.add_argument("models", type=Path, help="folder of .tflite files with their cards")
    add_places(parser)
    options = parser.parse_args(arguments)
    validation = ValidationSet.load(options.data, options.teachers, options.cache)
    found = {path.stem: judged(path, validation) for path in sorted(options.models.glob("*.tflite"))}
    print(f"| AUC / EER / APCER / BPCER | {' | '.join(found)} | live / attacks without a usable face |")
    print("|---" * (len(found) + 2) + "|")
    first = next(iter(found.values()))
    for source in (MSU, *WEBCAMS, "webcam scenes", "all"):
        cells = [" / ".join(f"{of['sources'][source][name]:.3f}" for name in MEASURES) for of in found.values()]
        lost = first["rejected"].get(source)
        print(f"| {source} | " + " | ".join(cells) + f" | {'' if lost is None else f'{lost[0]} / {lost[1]}'} |")
        if source == MSU:
            votes = [" / ".join(f"{of['vote'][name]:.3f}" for name in MEASURES) for of in found.values()]
            print("| – five-frame vote | " + " | ".join(votes) + " | |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
