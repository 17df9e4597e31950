"""Runs a detector over units of a set, in this process or in several, in bounded memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Iterable, Iterator, List, Optional

from facelive.detector import LivenessDetector
from facelive.errors import EvaluationError, ImageError
from facelive.evaluation.outcomes import Outcome
from facelive.evaluation.samples import Unit
from facelive.results import FaceBox, Verdict

__all__ = ["Scorer", "score_all"]

_UNITS_PER_TASK = 8


@dataclass(frozen=True)
class Scorer:
    """Scores one unit after the other; it pickles with its detector.

    Args:
        detector: Judges the pictures.
        images: The folder that relative paths start from.
        vote: Whether a unit is a recording whose frames vote on a stream, as in a deployment. Its score is then the
            last vote that led to a verdict.
    """

    detector: LivenessDetector
    images: Path
    vote: bool

    def score(self, unit: Unit) -> Outcome:
        """Judge the pictures of a unit; what cannot be read is an outcome, not an error."""
        judge = self.detector.stream().update if self.vote else self.detector.predict
        score: Optional[float] = None
        rejected, reason = 0, ""
        unreadable: List[str] = []
        for sample in unit.samples:
            face = None if sample.box is None else FaceBox(*sample.box)
            try:
                result = judge(self.images / sample.path, face=face)
            except ImageError as error:
                unreadable.append(sample.path)
                reason = reason or str(error)
                continue
            if result.verdict is Verdict.REJECTED:
                rejected += 1
                reason = result.reason.value if result.reason else ""
            else:
                score = result.vote if self.vote else result.score
        status = "judged" if score is not None else "rejected" if rejected else "unreadable"
        first = unit.samples[0]
        return Outcome(
            unit=unit.position,
            path=first.path,
            label=first.label,
            species=first.species,
            subject=first.subject,
            source=first.source,
            sequence=first.sequence,
            status=status,
            score=score,
            reason="" if status == "judged" else reason,
            pictures=len(unit.samples),
            rejected=rejected,
            unreadable=tuple(unreadable),
        )


def score_all(scorer: Scorer, units: Iterable[Unit], *, workers: int) -> Iterator[List[Outcome]]:
    """Outcomes in batches, in the order they are ready; only a few units are read ahead.

    Args:
        scorer: Copied to each worker once.
        units: What to score.
        workers: How many processes; with 1 this very process does it.

    Raises:
        EvaluationError: A worker process died.
    """
    if workers == 1:
        yield from ([scorer.score(unit)] for unit in units)
        return
    tasks = _tasks(units)
    # Spawned, not forked: a forked copy of a TFLite interpreter may hang. The price is an import per worker.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(scorer,)) as pool:
            try:
                running = {pool.submit(_score, task) for task in islice(tasks, 2 * workers)}
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    running |= {pool.submit(_score, task) for task in islice(tasks, len(done))}
                    yield from (future.result() for future in done)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    except BrokenProcessPool as error:
        raise EvaluationError("a worker process died, perhaps for want of memory; start again to go on") from error


def _tasks(units: Iterable[Unit]) -> Iterator[List[Unit]]:
    source = iter(units)
    while task := list(islice(source, _UNITS_PER_TASK)):
        yield task


_scorer: Optional[Scorer] = None


def _start(scorer: Scorer) -> None:
    global _scorer
    _scorer = scorer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # the parent was killed: nobody will ever ask for the outcomes


def _score(task: List[Unit]) -> List[Outcome]:
    assert _scorer is not None
    return [_scorer.score(unit) for unit in task]
