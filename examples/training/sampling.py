"""Which picture comes next: balanced over source, class and species, and a function of the seed alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from examples.training.data import FACES, Row

__all__ = ["Sampler", "source_weight"]

# Many people, several species, rooms in view: worth more than a student's one selfie and one phone.
SOURCE_WEIGHTS = {
    "sejong-sas/face-anti-spoofing": 8.0,
    "nebulaHZH/Anti_Spoofing": 8.0,
    "imironica/liveness": 3.0,
    "raulsilva-tech/RS-FACE": 2.5,
    "dtruong46me/face-anti-spoofing": 4.0,
    "gc535/LivenessDectectionForFaceSpoofingAttack": 2.5,
    "ReynaraEzra/Liveness-Detection": 1.5,
    "EziGo96/Wavelet_Face_Anti_spoofing": 0.2,
}
TIGHT_WEIGHT = 0.35  # do-it-yourself sets of tight crops
SCENE_WEIGHT = 1.0  # whole webcam frames


def source_weight(rows: Sequence[Row]) -> float:
    """How often a source is drawn, from its name, its context around faces, and its smaller class."""
    source = rows[0].source
    if source in SOURCE_WEIGHTS:
        return SOURCE_WEIGHTS[source]
    context = float(np.median([row.context for row in rows]))
    live = sum(row.label == 1.0 for row in rows)
    smaller = min(live, len(rows) - live)
    # A source of one class teaches its camera, not the attack: keep it rare.
    size = min(1.0, math.sqrt(max(smaller, 4) / 50))
    return size * (SCENE_WEIGHT if context >= 1.5 else TIGHT_WEIGHT)


class Sampler:
    """Draws row numbers batch by batch.

    Args:
        rows: Candidates; rows of the split ``faces`` fill the unlabelled share.
        batch: Pictures in a batch.
        unlabelled: Share of each batch drawn from ``faces``.
        by_worth: Weigh sources by `source_weight`; else all alike.
        seed: With the step number it decides every draw, so a resumed run sees the very same batches.
    """

    def __init__(
        self, rows: Sequence[Row], *, batch: int, unlabelled: float = 1 / 3, by_worth: bool = True, seed: int = 0
    ) -> None:
        self.batch = batch
        self.seed = seed
        self._faces = np.array([index for index, row in enumerate(rows) if row.split == FACES])
        self._unlabelled = round(batch * unlabelled) if len(self._faces) else 0
        grouped: dict[str, dict[float, dict[str, list[int]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(list))
        )
        members: dict[str, list[Row]] = defaultdict(list)
        for index, row in enumerate(rows):
            if row.label is not None:
                grouped[row.source][row.label][row.kind].append(index)
                members[row.source].append(row)
        self._sources = [
            [[np.array(kind) for kind in kinds.values()] for kinds in classes.values()] for classes in grouped.values()
        ]
        weights = np.array([source_weight(members[source]) if by_worth else 1.0 for source in grouped])
        self._weights = weights / weights.sum()

    def draw(self, step: int) -> npt.NDArray[np.int64]:
        """Row numbers of batch ``step``: int64, (batch,); labelled rows first."""
        rng = np.random.default_rng([self.seed, step])
        labelled = self.batch - self._unlabelled
        chosen = np.empty(self.batch, np.int64)
        for place, source in enumerate(rng.choice(len(self._sources), labelled, p=self._weights)):
            classes = self._sources[source]
            kinds = classes[rng.integers(len(classes))]
            chosen[place] = rng.choice(kinds[rng.integers(len(kinds))])
        if self._unlabelled:
            chosen[labelled:] = rng.choice(self._faces, self._unlabelled)
        return chosen
