"""What a verdict costs here, step by step, each beside the floor it cannot go under, in the same run."""

from __future__ import annotations

import time
from typing import Iterator

from facelive.bench.cases import Case, cases
from facelive.bench.costs import Cost, print_table, time_case
from facelive.bench.memory import resident
from facelive.models import LivenessModel

__all__ = ["Case", "Cost", "cases", "measure", "print_table"]

SECONDS = 16.0  # leaves four to load the library, and to measure the memory of two processes


def measure(model: LivenessModel, *, repeats: int = 50, seconds: float = SECONDS) -> Iterator[Cost]:
    """Time every step on pictures made here; quiet machines give better numbers, ratios bear noise better.

    Args:
        model: The model to time.
        repeats: Rounds per line; step and floor take turns within a round.
        seconds: How long the lines may take together; what is short of it has fewer rounds.

    Yields:
        One ``Cost`` per line of the table, as it is measured; last the resident memory, on Linux.
    """
    began = time.monotonic()
    steps = list(cases(model))
    for done, case in enumerate(steps):
        left = seconds - (time.monotonic() - began)
        yield time_case(case, repeats, seconds=left / (len(steps) - done))
    yield from resident(model)
