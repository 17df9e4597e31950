"""Evaluates a detector on a labelled set: check the set, score what is not scored yet, report."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

import numpy as np

import facelive
from facelive.detector import LivenessDetector
from facelive.errors import EvaluationError
from facelive.evaluation.columns import Columns, read_columns
from facelive.evaluation.operating import OperatingPoint, choose_threshold
from facelive.evaluation.outcomes import Ledger
from facelive.evaluation.report import Report
from facelive.evaluation.samples import Samples, Survey
from facelive.evaluation.scoring import Scorer
from facelive.evaluation.summary import build_report, split_scores
from facelive.pool import in_processes
from facelive.tflite import runtime_name

__all__ = ["evaluate"]

_LIMITS = ("max_apcer", "max_bpcer")


def evaluate(
    data: Union[str, Path, Samples],
    detector: Optional[LivenessDetector] = None,
    *,
    vote: bool = False,
    workers: int = 1,
    results: Union[str, Path, None] = None,
    limit: Optional[Mapping[str, float]] = None,
    progress: Optional[Callable[[int, int], None]] = None,
) -> Report:
    """Score every picture of a set and measure the errors as ISO/IEC 30107-3 asks.

    Memory does not grow with the number of pictures but for some 60 bytes each. With several workers the calling
    script must be importable, as `multiprocessing` asks: guard it with ``if __name__ == "__main__":``.

    Args:
        data: A folder (``live/``, ``spoof/<species>/``), a CSV or a JSONL; or a ``Samples`` that says more.
        detector: With its threshold; the default one unless given.
        vote: Score recordings (rows with the same ``sequence``) by the vote over their frames, not single frames.
        workers: Processes that score.
        results: A JSONL file that the outcomes are appended to and that a later call goes on with; pictures are known
            by their paths, so take another file for changed ones. Unless given, a name in the working directory that
            is made from the data and the settings.
        limit: ``{"max_apcer": 0.05}`` or ``{"max_bpcer": 0.01}``: also choose that operating point.
        progress: Called with the pictures done and all pictures, now and then.

    Returns:
        The report.

    Raises:
        EvaluationError: A row of the set is wrong, a class is missing, or ``results`` holds another run.
        FaceliveError: A worker process died.
        ValueError: ``workers`` or ``limit`` is out of range.
    """
    if workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    if limit and not (
        len(limit) == 1 and limit.keys() <= set(_LIMITS) and all(0 < rate < 1 for rate in limit.values())
    ):
        raise ValueError(f"limit is one of {' and '.join(_LIMITS)} with a rate above 0 and below 1, not {dict(limit)}")
    samples = data if isinstance(data, Samples) else Samples(data)
    detector = LivenessDetector() if detector is None else detector
    survey = samples.survey(vote=vote)
    run = _run(detector, samples, survey, vote)
    path = Path(_default_name(samples, run)) if results is None else Path(results)
    with Ledger(path, run, survey.units) as ledger:
        _score(ledger, samples, Scorer(detector, samples.images, vote), survey, workers, progress or _silence)
    columns = read_columns(ledger, survey.units, threshold=detector.threshold)
    point, notes = _operating_point(columns, limit)
    return build_report(
        columns,
        {**run, **_surroundings(samples, detector, ledger)},
        threshold=detector.threshold,
        operating_point=point,
        notes=notes,
    )


def _score(
    ledger: Ledger,
    samples: Samples,
    scorer: Scorer,
    survey: Survey,
    workers: int,
    progress: Callable[[int, int], None],
) -> None:
    pending = (unit for unit in samples.units(vote=scorer.vote) if not ledger.done[unit.position])
    progress(ledger.pictures, survey.pictures)
    for outcome in in_processes(scorer.score, pending, workers=workers):
        ledger.append([outcome])
        progress(ledger.pictures, survey.pictures)


def _silence(done: int, total: int) -> None:
    pass


def _run(detector: LivenessDetector, samples: Samples, survey: Survey, vote: bool) -> Dict[str, Any]:
    """All that a score depends on: outcomes may only be added to those of the same run."""
    card = detector.model.card
    return {
        "samples": survey.fingerprint,
        "images": str(samples.images.resolve()),
        "model": card.name,
        "model_version": card.version,
        "model_sha256": card.sha256,
        "model_reading": [card.live_class, card.output, card.value_range, card.crop_scale],
        "vote": vote,
        "voting": {"window": detector.window, "min_frames": detector.min_frames, "threshold": detector.threshold}
        if vote
        else None,
        "faces": type(detector.faces).__qualname__ if detector.faces else "every picture is a face crop",
        "faces_from_score": getattr(detector.faces, "score_threshold", None),
        "quality": asdict(detector.quality),
        "facelive": facelive.__version__,
        "runtime": runtime_name(),
    }


def _default_name(samples: Samples, run: Mapping[str, Any]) -> str:
    settings = hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()
    return f"facelive-{samples.data.resolve().stem}-{settings[:8]}.jsonl"


def _surroundings(samples: Samples, detector: LivenessDetector, ledger: Ledger) -> Dict[str, Any]:
    return {
        "data": str(samples.data),
        "where": samples.where,
        "results": str(ledger.path),
        "started_utc": ledger.started_utc,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "card": detector.model.card.to_dict(),
    }


def _operating_point(
    columns: Columns, limit: Optional[Mapping[str, float]]
) -> Tuple[Optional[OperatingPoint], Tuple[str, ...]]:
    if not limit:
        return None, ()
    live, species = split_scores(columns)
    if not live.size or not species:
        return None, ()
    try:
        point = choose_threshold(live, species, max_apcer=limit.get("max_apcer"), max_bpcer=limit.get("max_bpcer"))
        return point, ()
    except EvaluationError as error:
        name, value = next(iter(limit.items()))
        return None, (f"No operating point for {name} {100 * value:.6g} %: {error}.",)
