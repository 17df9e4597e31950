"""Runs a detector over a unit of a set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

from facelive.detector import LivenessDetector
from facelive.errors import ImageError
from facelive.evaluation.outcomes import Outcome
from facelive.evaluation.samples import Unit
from facelive.results import FaceBox, Reason, Verdict

__all__ = ["Scorer"]


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
            # A recording shorter than the window has a vote too; whether that is enough is the deployment's to say.
            if result.verdict is Verdict.REJECTED and result.reason is not Reason.TOO_FEW_FRAMES:
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
