"""Evaluates a detector on a labelled set: samples, then outcomes, then the report."""

from __future__ import annotations

import platform
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

import numpy as np

import facelive
from facelive.detector import LivenessDetector
from facelive.errors import ImageError
from facelive.evaluation.measures import build_report
from facelive.evaluation.outcomes import Outcome, ResultsFile
from facelive.evaluation.report import Report
from facelive.evaluation.samples import Samples, Unit
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

    With several workers the calling script must be importable, as `multiprocessing` asks: guard it with
    ``if __name__ == "__main__":``.

    Args:
        data: A folder (``live/``, ``spoof/<species>/``), a CSV or a JSONL; or a ``Samples`` that says more.
        detector: With its threshold; the default one unless given.
        vote: Score recordings (rows with the same ``sequence``) by the vote over their frames, not single frames.
        workers: Processes that score.
        results: A JSONL file that the outcomes are appended to and that a later call goes on with; pictures are known
            by their paths, so take another file for changed ones. Unless given, nothing is written.
        limit: ``{"max_apcer": 0.05}`` or ``{"max_bpcer": 0.01}``: also choose that operating point.
        progress: Called with the pictures done and all pictures, after each unit.

    Raises:
        EvaluationError: A row of the set is wrong, a class is missing, or ``results`` holds another run, is in use by
            another process or cannot be written.
        FaceliveError: A worker process died.
        ValueError: ``workers`` or ``limit`` is out of range.
    """
    if workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    limit = dict(limit or {})
    if len(limit) > 1 or not limit.keys() <= set(_LIMITS) or not all(0 < rate < 1 for rate in limit.values()):
        raise ValueError(f"limit is one of {' and '.join(_LIMITS)} with a rate above 0 and below 1, not {limit}")
    samples = data if isinstance(data, Samples) else Samples(data)
    detector = LivenessDetector() if detector is None else detector
    started_utc = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    units = samples.units(vote=vote)
    run = _run(detector, samples, vote)
    with ExitStack() as stack:
        file = None
        if results is not None:
            file = stack.enter_context(ResultsFile(Path(results), run, units, started_utc=started_utc))
            started_utc = file.started_utc
        outcomes = _outcomes(units, _Scorer(detector, samples.images, vote), file, workers, progress)
    run.update(
        _surroundings(samples, detector), results=None if file is None else str(file.path), started_utc=started_utc
    )
    return build_report(outcomes, run, threshold=detector.threshold, **limit)


def _outcomes(
    units: Sequence[Unit],
    scorer: _Scorer,
    file: Optional[ResultsFile],
    workers: int,
    progress: Optional[Callable[[int, int], None]],
) -> List[Outcome]:
    """The outcome of every unit, in their order: what the file holds, then what is scored now."""
    found = {} if file is None else {outcome.unit: outcome for outcome in file.done}
    done, total = sum(outcome.pictures for outcome in found.values()), sum(map(len, units))
    if progress:
        progress(done, total)
    pending = [position for position in range(len(units)) if position not in found]
    scored = in_processes(scorer, (units[position] for position in pending), workers=workers)
    for position, answer in zip(pending, scored):
        found[position] = outcome = answer._replace(unit=position, sample=units[position][0])  # no worker's copy
        if file:
            file.append(outcome)
        done += outcome.pictures
        if progress:
            progress(done, total)
    return [found[position] for position in range(len(units))]


@dataclass(frozen=True)
class _Scorer:
    """Judges one unit after the other; it pickles with its detector."""

    detector: LivenessDetector
    images: Path
    vote: bool

    def __call__(self, unit: Unit) -> Outcome:
        """The last score, or with ``vote`` the last vote; what cannot be read is an outcome, not an error."""
        judge = self.detector.stream().update if self.vote else self.detector.predict
        score: Optional[float] = None
        rejected, reason = 0, ""
        unreadable: List[str] = []
        for sample in unit:
            try:
                result = judge(self.images / sample.path, face=sample.box)
            except ImageError as error:
                unreadable.append(sample.path)
                reason = reason or str(error)
                continue
            if result.score is None:
                rejected += 1
                reason = result.reason.value if result.reason else ""
            else:  # a recording shorter than the window has a vote too; whether that is enough, a deployment decides
                score = result.vote if self.vote else result.score
        status = "judged" if score is not None else "rejected" if rejected else "unreadable"
        return Outcome(
            unit=0,
            sample=unit[0],
            status=status,
            score=score,
            reason="" if status == "judged" else reason,
            pictures=len(unit),
            rejected=rejected,
            unreadable=tuple(unreadable),
        )


def _run(detector: LivenessDetector, samples: Samples, vote: bool) -> Dict[str, Any]:
    """All that a score depends on: outcomes may only be added to those of the same run."""
    card = detector.model.card
    return {
        "samples": samples.fingerprint,
        "images": str(samples.images.resolve()),
        "model": card.name,
        "model_version": card.version,
        "model_sha256": card.sha256,
        "model_reading": [card.live_class, card.output, card.value_range, card.views],
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


def _surroundings(samples: Samples, detector: LivenessDetector) -> Dict[str, Any]:
    return {
        "data": str(samples.data),
        "where": samples.where,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "card": detector.model.card.to_dict(),
    }
