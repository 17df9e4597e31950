"""Errors of one model's scores on labelled pictures, grouped: by source, species, recording, brightness and score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.valset import MSU, WEBCAMS, ValidationSet

from facelive.metrics import Interval, apcer_by_species, bootstrap_measures, bpcer, eer, roc_auc
from facelive.voting import log_average

__all__ = ["THRESHOLD", "by_luminance", "by_source", "det_curves", "errors", "reliability", "voted"]

THRESHOLD = 0.5
FEWEST = 5  # pictures of a class below which a source gets no figures
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def errors(validation: ValidationSet, scores: Floats, chosen: Mask, *, rounds: int = 500) -> dict[str, Any]:
    """Error rates of the chosen pictures, with 95 % intervals over subjects, or over recordings of a single person.

    Returns:
        ``live`` and ``attacks`` (counts), ``auc``, ``eer``, ``apcer`` (worst species), ``apcer_by_species``,
        ``bpcer`` and ``intervals`` (low and high of each). Measures that the pictures cannot give are missing.
    """
    live, attack = chosen & (validation.labels == 1), chosen & (validation.labels == 0)
    found: dict[str, Any] = {"live": int(live.sum()), "attacks": int(attack.sum())}
    species = {str(kind): scores[attack & (validation.kinds == kind)] for kind in np.unique(validation.kinds[attack])}
    if live.sum() >= FEWEST:
        found["bpcer"] = bpcer(scores[live], THRESHOLD)
    if attack.sum() >= FEWEST:
        found["apcer_by_species"] = apcer_by_species(species, THRESHOLD)
        found["apcer"] = max(found["apcer_by_species"].values())
    if live.sum() < FEWEST or attack.sum() < FEWEST:
        return found
    found["auc"], found["eer"] = roc_auc(scores[live], scores[attack]), eer(scores[live], scores[attack]).rate
    if len(species) > 1:
        found["auc_by_species"] = {kind: roc_auc(scores[live], values) for kind, values in species.items()}
    found["intervals"] = _intervals(validation, scores, live, attack, species, rounds)
    return found


def _intervals(
    validation: ValidationSet, scores: Floats, live: Mask, attack: Mask, species: dict[str, Floats], rounds: int
) -> dict[str, list[float]]:
    several = min(len(np.unique(validation.subjects[side])) for side in (live, attack)) >= 4
    groups = validation.subjects if several else validation.sequences
    if min(len(np.unique(groups[side])) for side in (live, attack)) < 2:
        return {}
    pooled = bootstrap_measures(
        scores[live],
        scores[attack],
        threshold=THRESHOLD,
        bona_fide_groups=groups[live],
        attack_groups=groups[attack],
        rounds=rounds,
    )
    kept = {"auc": pooled["roc_auc"], "eer": pooled["eer"], "bpcer": pooled["bpcer"], "apcer": pooled["apcer"]}
    by_species = {kind: groups[attack & (validation.kinds == kind)] for kind in species}
    if len(species) > 1 and min(len(np.unique(members)) for members in by_species.values()) >= 2:
        kept["apcer"] = bootstrap_measures(
            scores[live],
            species,
            threshold=THRESHOLD,
            bona_fide_groups=groups[live],
            attack_groups=by_species,
            rounds=rounds,
        )["apcer"]
    return {name: _pair(interval) for name, interval in kept.items()}


def det_curves(validation: ValidationSet, scores: Floats, points: int = 80) -> dict[str, dict[str, list[float]]]:
    """DET curves of the source that models are chosen by and of all pictures: APCER of the worst species, and BPCER.

    Thresholds are quantiles of the scores, so that both ends of a curve are as fine as its middle.
    """
    curves = {}
    for name, chosen in ((MSU, validation.sources == MSU), ("all", np.ones(len(validation), bool))):
        live, attack = chosen & (validation.labels == 1), chosen & (validation.labels == 0)
        kinds = np.unique(validation.kinds[attack])
        species = {str(kind): scores[attack & (validation.kinds == kind)] for kind in kinds}
        thresholds = np.unique(np.quantile(scores[chosen], np.linspace(0, 1, points)))
        curves[name] = {
            "apcer": [max(float(np.mean(values >= one)) for values in species.values()) for one in thresholds],
            "bpcer": [bpcer(scores[live], float(one)) for one in thresholds],
        }
    return curves


def _pair(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def by_source(validation: ValidationSet, scores: Floats) -> dict[str, dict[str, Any]]:
    """`errors` of every source, and under ``webcam scenes`` and ``all`` of the pictures pooled."""
    parts = {str(source): validation.sources == source for source in np.unique(validation.sources)}
    parts["webcam scenes"] = np.isin(validation.sources, WEBCAMS)
    parts["all"] = np.ones(len(validation), bool)
    return {name: errors(validation, scores, chosen) for name, chosen in parts.items()}


def voted(validation: ValidationSet, scores: Floats, *, source: str = MSU, window: int = 5) -> dict[str, Any]:
    """Errors of the log-average over every run of ``window`` pictures in a source's recordings."""
    votes: dict[float, list[float]] = {0.0: [], 1.0: []}
    chosen = np.flatnonzero(validation.sources == source)
    for sequence in np.unique(validation.sequences[chosen]):
        frames = chosen[validation.sequences[chosen] == sequence]
        frames = frames[np.argsort(validation.frames[frames])]
        line = scores[frames].tolist()
        for start in range(len(line) - window + 1):
            votes[validation.labels[frames[0]]].append(log_average(line[start : start + window]))
    live, attack = np.array(votes[1.0]), np.array(votes[0.0])
    return {
        "window": window,
        "live": len(live),
        "attacks": len(attack),
        "auc": roc_auc(live, attack),
        "eer": eer(live, attack).rate,
        "apcer": float(np.mean(attack >= THRESHOLD)),
        "bpcer": float(np.mean(live < THRESHOLD)),
    }


def by_luminance(validation: ValidationSet, scores: Floats, crops: npt.NDArray[np.uint8]) -> list[dict[str, float]]:
    """BPCER of live pictures by the brightness of the face's middle, darkest tenth first."""
    live = np.flatnonzero(validation.labels == 1)
    middle = crops[live][:, 40:88, 40:88].astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    luminance = middle.mean(axis=(1, 2))
    tenths = np.array_split(np.argsort(luminance, kind="stable"), 10)
    return [
        {
            "luminance_to": float(luminance[tenth].max()),
            "live": len(tenth),
            "bpcer": float(np.mean(scores[live[tenth]] < THRESHOLD)),
        }
        for tenth in tenths
        if len(tenth)
    ]


def reliability(
    labels: Floats, scores: Floats, *, weights: Optional[Floats] = None, bins: int = 10
) -> list[dict[str, float]]:
    """How often pictures with a score in each bin are live: mean score, share of live, share of all weight."""
    weights = np.full(len(scores), 1 / len(scores)) if weights is None else weights / weights.sum()
    place = np.minimum((scores * bins).astype(int), bins - 1)
    found = []
    for one in range(bins):
        w = weights[place == one]
        if w.sum() > 0:
            mean = float(np.average(scores[place == one], weights=w))
            share = float(np.average(labels[place == one], weights=w))
            found.append({"score": mean, "live": share, "weight": float(w.sum())})
    return found


def rounded(value: Any, digits: int = 4) -> Any:
    """The same nest of dictionaries and lists with floats rounded for a card."""
    if isinstance(value, dict):
        return {key: rounded(one, digits) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [rounded(one, digits) for one in value]
    return round(float(value), digits) if isinstance(value, float) else value
