"""Which picture comes next: balanced over source, class and species, and a function of the seed alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from examples.training.data import FACES, Row

__all__ = ["Sampler", "worth"]

# Owners of sources that do not name their people, with how many those are, 40 at most.
PEOPLE = {
    "dtruong46me": 40,
    "lakshan0714": 40,
    "ReynaraEzra": 40,
    "imelisa1": 40,
    "gc535": 20,
    "raulsilva-tech": 10,
    "yildirimege": 4,
    "shreyas-kadlimatti": 6,
}
FEWEST, MOST = 3, 40  # people that a source counts for: many have one, whose room and camera teach too
TIGHT = 0.4  # of its weight is left to a source that shows little more than faces


def worth(rows: Sequence[Row]) -> float:
    """How often a source is drawn: by its people, its species, what it shows around the face, and its smaller class."""
    people = PEOPLE.get(rows[0].source.partition("/")[0], len({row.subject for row in rows}))
    species = len({row.kind for row in rows if row.label == 0.0})
    surroundings = 1.0 if float(np.median([row.context for row in rows])) >= 1.4 else TIGHT
    live = sum(row.label == 1.0 for row in rows)
    smaller = min(live, len(rows) - live)
    # A source of one class teaches its camera, not the attack: keep it rare.
    size = min(1.0, math.sqrt(max(smaller, 4) / 50)) * min(1.0, math.sqrt(len(rows) / 600))
    return math.sqrt(min(max(people, FEWEST), MOST)) * (1 + 0.35 * max(0, species - 1)) * surroundings * size


class Sampler:
    """Draws row numbers batch by batch.

    Args:
        rows: Candidates; rows of the split ``faces`` fill the unlabelled share.
        batch: Pictures in a batch.
        unlabelled: Share of each batch drawn from ``faces``.
        seed: With the batch's number it decides every draw, so that a resumed run sees the very same batches.
    """

    def __init__(self, rows: Sequence[Row], *, batch: int, unlabelled: float = 0.3, seed: int = 0) -> None:
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
        weights = np.array([worth(members[source]) for source in grouped])
        self._weights = weights / weights.sum()

    def draw(self, number: int) -> npt.NDArray[np.int64]:
        """Row numbers of a batch: int64, (batch,); labelled rows first."""
        rng = np.random.default_rng([self.seed, number])
        labelled = self.batch - self._unlabelled
        chosen = np.empty(self.batch, np.int64)
        for place, source in enumerate(rng.choice(len(self._sources), labelled, p=self._weights)):
            classes = self._sources[source]
            kinds = classes[rng.integers(len(classes))]
            chosen[place] = rng.choice(kinds[rng.integers(len(kinds))])
        if self._unlabelled:
            chosen[labelled:] = rng.choice(self._faces, self._unlabelled)
        return chosen
