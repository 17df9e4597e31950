"""All exported models beside the open ones on the same val pictures: ``python -m examples.training.compare DIR``.

Writes a table, and ``measured-NAME.json`` for each model's card, which is read again while the file is the same.
Figures at 0.5 are cross-fitted: the calibration behind each source's scores was fitted on the other sources.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.calibration import balanced_weights, cross_fitted
from examples.training.data import add_places
from examples.training.measure import by_luminance, by_source, det_curves, reliability, rounded, voted
from examples.training.probe import FEATURES, probe_scores
from examples.training.robustness import jitter, sweep
from examples.training.valset import MSU, WEBCAMS, ValidationSet

from facelive.models import LivenessModel

__all__ = ["main", "measure_model", "table"]

COLUMNS = ("auc", "eer", "apcer", "bpcer")


def measure_model(path: Path, validation: ValidationSet, part: ValidationSet) -> dict[str, Any]:
    """Everything a card's ``measured`` holds.

    Args:
        path: The TFLite file, its card beside it.
        validation: All val pictures.
        part: Those that the robustness sweep runs on.
    """
    model = LivenessModel.load(path)
    scale = model.card.crop_scale

    def score(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        return np.concatenate([model.score(crops[start : start + 64]) for start in range(0, len(crops), 64)])

    shipped = score(validation.crops(scale))
    logits = np.log(shipped.clip(1e-7, 1 - 1e-7) / (1 - shipped.clip(1e-7, 1 - 1e-7)))
    scores = cross_fitted(logits, validation.rows)
    weights = balanced_weights(validation.rows)
    return {
        "sources": by_source(validation, scores),
        "vote": voted(validation, scores),
        "det": det_curves(validation, scores),
        "robustness": sweep(part, score, crop_scale=scale),
        "jitter": jitter(part, score, crop_scale=scale),
        "luminance": by_luminance(validation, scores, validation.crops(scale)),
        "reliability": reliability(validation.labels, scores, weights=weights),
        "as_shipped": {"bpcer": _mean_error(validation, shipped, 1.0), "apcer": _mean_error(validation, shipped, 0.0)},
    }


def _mean_error(validation: ValidationSet, scores: npt.NDArray[np.float64], label: float) -> float:
    """Error at 0.5 of one class, mean over sources."""
    rates = []
    for source in np.unique(validation.sources):
        mine = (validation.sources == source) & (validation.labels == label)
        if mine.sum() >= 5:
            rates.append(float(np.mean((scores[mine] >= 0.5) != (label == 1.0))))
    return float(np.mean(rates))


def table(measured: dict[str, dict[str, Any]]) -> str:
    """Markdown: a row per source, a column per model, each ``AUC / EER / APCER / BPCER`` with the AUC's interval."""
    names = list(measured)
    first = measured[names[0]]["sources"]
    known = [MSU, *WEBCAMS]
    order = [source for source in known if source in first]
    order += [*sorted(set(first) - {*known, "all", "webcam scenes"}), "webcam scenes", "all"]
    lines = ["| source | live / attack | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for source in order:
        cells = [_cell(measured[name]["sources"][source]) for name in names]
        lines.append(f"| {source} | {first[source]['live']} / {first[source]['attacks']} | " + " | ".join(cells) + " |")
        if source == MSU:
            for kind in sorted(first[source]["auc_by_species"]):
                cells = [
                    f"{measured[name]['sources'][source]['auc_by_species'][kind]:.3f} / – / "
                    f"{measured[name]['sources'][source]['apcer_by_species'][kind]:.3f} / –"
                    for name in names
                ]
                lines.append(f"| – {kind} | | " + " | ".join(cells) + " |")
            votes = [measured[name]["vote"] for name in names]
            cells = [" / ".join(f"{vote[column]:.3f}" for column in COLUMNS) for vote in votes]
            lines.append("| – five-frame vote | | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(found: dict[str, Any]) -> str:
    text = " / ".join(f"{found[column]:.3f}" if column in found else "–" for column in COLUMNS)
    if "auc" in found.get("intervals", {}):
        low, high = found["intervals"]["auc"]
        text += f" ({low:.3f}–{high:.3f})"
    return text


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument("models", type=Path, help="folder of .tflite files with their cards")
    add_places(parser)
    parser.add_argument("--every", type=int, default=4, help="the robustness sweep runs on every n-th picture")
    options = parser.parse_args(arguments)
    validation = ValidationSet.load(options.data, options.teachers, options.cache)
    part = validation.subset(np.arange(0, len(validation), options.every))
    measured: dict[str, dict[str, Any]] = {}
    for path in sorted(options.models.glob("*.tflite")):
        out = path.with_name(f"measured-{path.stem}.json")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if out.exists() and json.loads(out.read_text(encoding="utf-8"))["model_sha256"] == sha256:
            measured[path.stem] = json.loads(out.read_text(encoding="utf-8"))
            continue
        print(f"measuring {path.stem}", file=sys.stderr, flush=True)
        measured[path.stem] = rounded({"model_sha256": sha256, **measure_model(path, validation, part)})
        out.write_text(json.dumps(measured[path.stem], indent=1) + "\n", encoding="utf-8")
    others = dict(validation.teacher_scores())
    train = ValidationSet.load(options.data, options.teachers, options.cache, split="train")
    others[f"probe on {len(FEATURES)} statistics"] = probe_scores(train, validation, options.data)
    for name, scores in others.items():
        measured[name] = {"sources": by_source(validation, scores), "vote": voted(validation, scores)}
    text = table(measured)
    (options.models / "table.md").write_text(text + "\n", encoding="utf-8")
    (options.models / "measured-all.json").write_text(json.dumps(rounded(measured), indent=1), encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
