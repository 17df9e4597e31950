"""What a verdict costs here, step by step, each beside the floor it cannot go under, in the same run."""

from __future__ import annotations

from typing import Iterator

from facelive.bench.cases import Case, cases
from facelive.bench.costs import Cost, print_table, time_case
from facelive.bench.memory import resident
from facelive.models import LivenessModel

__all__ = ["Case", "Cost", "cases", "measure", "print_table"]


def measure(model: LivenessModel, *, repeats: int = 50) -> Iterator[Cost]:
    """Time every step on pictures made here; quiet machines give better numbers, ratios bear noise better.

    Args:
        model: The model to time.
        repeats: Rounds per line; step and floor take turns within a round.

    Yields:
        One ``Cost`` per line of the table, as it is measured; last the resident memory, on Linux.
    """
    for case in cases(model):
        yield time_case(case, repeats)
    yield from resident(model)
