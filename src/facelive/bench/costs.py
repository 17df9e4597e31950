"""One line of the table: measured, divided, printed."""

from __future__ import annotations

import math
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any, Iterable, Literal, Optional

from facelive.bench.cases import Case

__all__ = ["Cost", "print_table", "time_case"]


@dataclass(frozen=True)
class Cost:
    """One line of the table.

    Args:
        step: What was measured.
        amount: Median milliseconds, per picture where the step handles several; or megabytes.
        floor: What it is held against: work that cannot be avoided, timed in turn with it.
        floor_amount: The floor's amount, in the same unit.
        unit: Of both amounts.
    """

    step: str
    amount: float
    floor: Optional[str] = None
    floor_amount: Optional[float] = None
    unit: Literal["ms", "mb"] = "ms"

    @property
    def ratio(self) -> Optional[float]:
        """How many times the floor the step takes."""
        return None if not self.floor_amount else self.amount / self.floor_amount

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; the amounts are called by their unit, ``ms`` and ``floor_ms`` for one."""
        return {
            "step": self.step,
            self.unit: self.amount,
            "floor": self.floor,
            f"floor_{self.unit}": self.floor_amount,
            "ratio": self.ratio,
        }


def time_case(case: Case, repeats: int, *, seconds: float = math.inf) -> Cost:
    """Median milliseconds of a step and of its floor, timed alternately so that both see the same machine.

    Args:
        case: What to time.
        repeats: Rounds, fewer where a round handles many pictures; at least three.
        seconds: After so many no further round begins, but for the first.
    """
    calls = [case.call] if case.floor_call is None else [case.call, case.floor_call]
    times: list[list[float]] = [[] for _ in calls]
    began = time.perf_counter()
    for round_number in range(-2, max(3, repeats // case.pictures)):  # two rounds to warm up
        if round_number >= 1 and time.perf_counter() - began > seconds:
            break
        for own, call in zip(times, calls):
            start = time.perf_counter()
            call()
            if round_number >= 0:
                own.append((time.perf_counter() - start) * 1000 / case.pictures)
    medians = [statistics.median(own) for own in times]
    return Cost(case.step, medians[0], case.floor, medians[1] if case.floor else None)


def print_table(costs: Iterable[Cost]) -> None:
    """Print costs as they come."""
    print(f"{'step':<36}{'ms':>9}   {'floor':<18}{'ms':>9}{'ratio':>8}")
    for cost in costs:
        unit = " MB" if cost.unit == "mb" else ""
        floor = f"   {cost.floor:<18}{cost.floor_amount:9.3f}{cost.ratio:8.2f}{unit}" if cost.floor else ""
        print(f"{cost.step:<36}{cost.amount:9.3f}{floor}")
        sys.stdout.flush()
