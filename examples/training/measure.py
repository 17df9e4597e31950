"""Figures of finished models, beside the open ones: ``python -m examples.training.measure FILE.tflite ...``.

Sources that no training saw, each by itself; 95 % intervals over people, or over recordings where there is one person.
Errors at 0.5 are cross-fitted: each source's come from a calibration that was fitted on the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.batches import views
from examples.training.calibration import cross_fitted
from examples.training.data import PictureStore, Row, add_places, load_rows, open_store
from examples.training.record import by_luminance, curve, record, rounded

from facelive import LivenessDetector, LivenessModel
from facelive.metrics import bootstrap_measures, bpcer, eer, roc_auc
from facelive.voting import log_average

__all__ = ["MSU", "SCENES", "Pictures", "by_source", "errors", "logits_of", "table", "voted"]

MSU = "nebulaHZH/Anti_Spoofing"
SCENES = (
    "koropati/liveness-detection-cnn",
    "Foxriver-2005/Real-Time-Facial-AntiSpoof-Detection-using-openCV",
    "Rounakdeepsingh/Face_Anti_Spoofing_System",
    "sumanadhikari0625/Liveliness-Detection",
    "yashpatil1805/AntiSpoofing_FaceRecognition",
    "Ahmedooode/real-vs-fake-face-detection",
)
THRESHOLD = 0.5
FEWEST = 5  # pictures of a class below which a source gets no figures
ROUNDS = 500
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Pictures:
    """Labelled pictures with everything that errors are grouped by.

    Args:
        rows: The pictures' rows.
        store: Their pixels, in the same order.
    """

    def __init__(self, rows: Sequence[Row], store: PictureStore) -> None:
        self.rows = list(rows)
        self.store = store
        self.labels = np.array([row.label for row in rows], np.float64)
        self.sources = np.array([row.source for row in rows])
        self.kinds = np.array([row.kind for row in rows])
        self.subjects = np.array([row.subject for row in rows])
        self.sequences = np.array([row.sequence for row in rows])
        self.frames = np.array([row.frame for row in rows])

    @classmethod
    def load(
        cls, data: Path, teachers: Optional[Path], cache: Path, *, split: str = "val", sources: Sequence[str] = ()
    ) -> Pictures:
        """Every picture of a split, or of these sources whatever their split."""
        rows = load_rows(data, teachers)
        store = open_store(data, [(row.file, row.size) for row in rows], cache)
        chosen = [
            index
            for index, row in enumerate(rows)
            if row.label is not None and (row.source in sources if sources else row.split == split)
        ]
        return cls([rows[index] for index in chosen], store.subset(chosen))

    def __len__(self) -> int:
        return len(self.rows)

    def every(self, step: int) -> Pictures:
        """Every ``step``-th of them."""
        chosen = list(range(0, len(self), step))
        return Pictures([self.rows[index] for index in chosen], self.store.subset(chosen))

    @cached_property
    def views(self) -> dict[str, npt.NDArray[np.uint8]]:
        """Both views of every face: uint8, (N, 128, 128, 3), RGB; 450 MB for the val pictures."""
        seen = [views(self.store[index], row.box) for index, row in enumerate(self.rows)]
        return {name: np.stack([one[name] for one in seen]) for name in seen[0]}

    def open_models(self) -> dict[str, Floats]:
        """P(live) of two open models on the same pictures: float64, (N,)."""
        pairs = np.array([row.soft if row.soft is not None else (np.nan, np.nan) for row in self.rows], np.float64)
        return {"MiniFASNet pair": pairs[:, 0], "MiniFAS 128": pairs[:, 1]}


def logits_of(model: LivenessModel, pictures: Pictures, *, batch: int = 32) -> Floats:
    """What a model says of the labelled faces, before its sigmoid: float64, (N,)."""
    parts = []
    for start in range(0, len(pictures), batch):
        seen = [pictures.views[view][start : start + batch] for view in model.card.views]
        parts.append(model.score(np.stack(seen, 1) if len(seen) > 1 else seen[0]))
    return _logit(np.concatenate(parts))


def found_logits(model: LivenessModel, pictures: Pictures) -> Floats:
    """The same through the whole detector, which finds the faces itself; what it rejects counts as an attack."""
    detector = LivenessDetector(model)
    found = (detector.predict(np.asarray(pictures.store[index])).score for index in range(len(pictures)))
    return _logit(np.array([0.0 if score is None else score for score in found]))


def run_logits(run: Path, pictures: Pictures) -> tuple[Floats, Floats]:
    """The same of a run, and its gate, closed before its export: float64, (N,) each."""
    from examples.training.surroundings import FILE, Surroundings
    from examples.training.teachers import MIXTURE
    from examples.training.train import load_run, pooled, said

    network, config = load_run(run)
    features = pooled(network, config, {look.view: pictures.views[look.view] for look in config.looks})
    gate = Surroundings.load(run / FILE)(features) if (run / FILE).exists() else np.zeros(len(features))
    return np.asarray(said(network, features) @ MIXTURE, np.float64), gate


def _logit(scores: Floats) -> Floats:
    scores = np.clip(scores, 1e-7, 1 - 1e-7)
    return np.asarray(np.log(scores) - np.log1p(-scores))


def errors(pictures: Pictures, scores: Floats, chosen: Mask, *, rounds: int = ROUNDS) -> dict[str, Any]:
    """Error rates of the chosen pictures with 95 % intervals.

    Returns:
        ``live`` and ``attacks`` (counts), ``auc``, ``eer``, ``apcer`` (worst species), ``apcer_by_species``,
        ``bpcer`` and ``intervals`` (low and high of each). Measures that the pictures cannot give are missing.
    """
    live, attack = chosen & (pictures.labels == 1), chosen & (pictures.labels == 0)
    found: dict[str, Any] = {"live": int(live.sum()), "attacks": int(attack.sum())}
    species = {str(kind): scores[attack & (pictures.kinds == kind)] for kind in np.unique(pictures.kinds[attack])}
    if live.sum() >= FEWEST:
        found["bpcer"] = bpcer(scores[live], THRESHOLD)
    if attack.sum() >= FEWEST:
        found["apcer_by_species"] = {kind: float(np.mean(values >= THRESHOLD)) for kind, values in species.items()}
        found["apcer"] = max(found["apcer_by_species"].values())
    if "apcer" in found and "bpcer" in found:
        found["auc"], found["eer"] = roc_auc(scores[live], scores[attack]), eer(scores[live], scores[attack]).rate
        found["auc_by_species"] = {kind: roc_auc(scores[live], values) for kind, values in species.items()}
        several = min(len(np.unique(pictures.subjects[side])) for side in (live, attack)) >= 4
        groups = pictures.subjects if several else pictures.sequences
        if min(len(np.unique(groups[side])) for side in (live, attack)) >= 2:
            pooled = bootstrap_measures(
                scores[live],
                scores[attack],
                threshold=THRESHOLD,
                bona_fide_groups=groups[live],
                attack_groups=groups[attack],
                rounds=rounds,
            )
            names = {"auc": "roc_auc", "eer": "eer", "bpcer": "bpcer"}
            found["intervals"] = {name: [pooled[key].low, pooled[key].high] for name, key in names.items()}
    return found


def by_source(pictures: Pictures, scores: Floats) -> dict[str, dict[str, Any]]:
    """`errors` of every source; under ``scenes`` and ``others`` the plain means of their sources' figures."""
    found = {str(one): errors(pictures, scores, pictures.sources == one) for one in np.unique(pictures.sources)}
    others = [one for one in found if one not in (*SCENES, MSU)]
    for name, members in (("scenes", SCENES), ("others", others)):
        measured = [found[one] for one in members if "auc" in found.get(one, {})]
        if measured:
            keys = ("auc", "eer", "apcer", "bpcer")
            found[name] = {key: float(np.mean([one[key] for one in measured])) for key in keys}
    return found


def voted(pictures: Pictures, scores: Floats, *, source: str = MSU, window: int = 5) -> dict[str, Any]:
    """Errors of the log-average over every run of ``window`` pictures in a source's recordings."""
    votes: dict[float, list[float]] = {0.0: [], 1.0: []}
    chosen = np.flatnonzero(pictures.sources == source)
    for sequence in np.unique(pictures.sequences[chosen]):
        frames = chosen[pictures.sequences[chosen] == sequence]
        line = scores[frames[np.argsort(pictures.frames[frames])]].tolist()
        for start in range(len(line) - window + 1):
            votes[pictures.labels[frames[0]]].append(log_average(line[start : start + window]))
    live, attack = (np.array(votes[label]) for label in (1.0, 0.0))
    found: dict[str, Any] = {"window": window, "live": len(live), "attacks": len(attack)}
    if len(live) and len(attack):
        found.update(auc=roc_auc(live, attack), eer=eer(live, attack).rate)
        found.update(apcer=float(np.mean(attack >= THRESHOLD)), bpcer=float(np.mean(live < THRESHOLD)))
    return found


def figures(pictures: Pictures, logits: Floats, gate: npt.ArrayLike = 0.0) -> dict[str, Any]:
    """All figures of a model from its logits: `by_source` with cross-fitted scores, the vote on MSU, curves."""
    scores = cross_fitted(logits, pictures.rows, gate)
    parts = {"MSU-MFSD": pictures.sources == MSU, "webcam scenes": np.isin(pictures.sources, SCENES)}
    curves = {
        name: curve(pictures.labels[part], pictures.kinds[part], scores[part])
        for name, part in parts.items()
        if part.any()
    }
    light = by_luminance(pictures.labels, pictures.views["near"], scores)
    found = {"sources": by_source(pictures, scores), "vote": voted(pictures, scores)}
    return {**found, "thresholds": curves, "luminance": light}


def table(measured: dict[str, dict[str, Any]]) -> str:
    """AUC / APCER of the worst species / BPCER of every source, a column a model, in Markdown."""
    sources = list(next(iter(measured.values()))["sources"])
    others = sorted(one for one in sources if one not in (MSU, *SCENES, "scenes", "others"))
    ordered = [one for one in (MSU, *SCENES, *others, "scenes", "others") if one in sources]
    lines = [f"| source | {' | '.join(measured)} |", "|---" * (len(measured) + 1) + "|"]
    for source in ordered:
        rows = [one["sources"][source] for one in measured.values()]
        cells = [f"{row['auc']:.3f} / {row['apcer']:.0%} / {row['bpcer']:.0%}" if "auc" in row else "–" for row in rows]
        lines.append(f"| {source.partition('/')[0]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="measure", description=__doc__)
    parser.add_argument("models", nargs="+", type=Path, help="exported files with their cards, or folders of runs")
    parser.add_argument("--sources", nargs="*", default=[], help="these sources instead of the split val")
    parser.add_argument("--detector", action="store_true", help="through the whole detector, which finds the faces")
    parser.add_argument("--record", type=Path, help="folder for a JSON file of figures per model")
    add_places(parser)
    options = parser.parse_args(arguments)
    pictures = Pictures.load(options.data, options.teachers, options.cache, sources=options.sources)
    measured = {}
    for path in options.models:
        if path.is_dir():
            measured[path.stem] = figures(pictures, *run_logits(path, pictures))
        else:
            through = found_logits if options.detector else logits_of
            measured[path.stem] = figures(pictures, through(LivenessModel.load(path), pictures))
    for name, scores in pictures.open_models().items():
        if not np.isnan(scores).any():
            measured[name] = {"sources": by_source(pictures, scores), "vote": voted(pictures, scores)}
    print(table(measured))
    for name, one in measured.items():
        print(name, "vote of five on MSU:", json.dumps(rounded(one["vote"])))
        if options.record:
            record(options.record, name, one)
    return 0


if __name__ == "__main__":
    sys.exit(main())
