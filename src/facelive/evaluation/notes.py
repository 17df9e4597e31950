"""What to know before quoting a figure of a report."""

from __future__ import annotations

from typing import List, Sequence

import numpy as np
import numpy.typing as npt

from facelive import metrics
from facelive.evaluation.report import RateRow

__all__ = ["find_notes"]

_FEW = 30


def find_notes(
    rows: Sequence[RateRow], scores: npt.NDArray[np.float64], *, grouped_by: str, rejected: int, unreadable: int
) -> List[str]:
    """A plain sentence for everything that a reader could take for more than it is.

    Rows are bona fide and then the species, scores those of all judged units.
    """
    complete = bool(rows[0].judged and any(row.judged for row in rows[1:]))
    notes = [] if complete else ["One class has no score at all, so no rate over both can be given."]
    if scores.size > 1 and (scores == scores[0]).all():
        notes.append(f"All {scores.size:,} scores are equal ({scores[0]:.4g}): the model separates nothing.")
    for row in rows:
        error = "BPCER" if row.is_live else "APCER"
        if row.judged and not row.errors:
            counted = f"{row.judged:,}" + (f" from {row.groups:,} groups" if row.grouped else "")
            bound = 100 * metrics.rule_of_three(row.groups if row.grouped else row.judged)
            notes.append(
                f"{row.name}: no error in {counted} does not make the {error} zero; with 95 % confidence it is below "
                f"{bound:.2g} % (rule of three)."
            )
        elif 0 < row.judged < _FEW:
            notes.append(f"{row.name}: {row.judged} units are few; read the interval, not the rate.")
        if row.presented and not row.judged:
            notes.append(f"{row.name}: every unit was rejected, so there is no {error}.")
    alone = ", ".join(row.name for row in rows if row.groups == 1 and row.judged > 1)
    if alone:
        notes.append(
            f"{alone}: one {grouped_by} only, so nothing is known about the next, and measures over all species have "
            "no interval."
        )
    if rejected:
        notes.append(
            f"Rejected units ({rejected:,}) have no score: they are in no APCER or BPCER, but in the non-response "
            "rates and in the rates of all presented."
        )
    if unreadable:
        notes.append(f"Units with pictures that could not be read ({unreadable:,}) are listed.")
    if not grouped_by:
        notes.append("No subject or sequence is given: pictures count as independent, and intervals may be too narrow.")
    return notes
