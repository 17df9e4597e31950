"""The cases of ``facelive bench`` under pytest-benchmark, on the portrait, each group a step and its floor.

    pip install -e ".[test]" --group bench
    python -m pytest tests/benchmarks/test_speed.py [-k decode] [--benchmark-json figures.json]

Not part of the suite: nothing is asserted. Times are those of all pictures of a case; ``extra_info`` has their number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Protocol

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from facelive import LivenessModel
from facelive.bench import cases

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"


class Benchmark(Protocol):
    """What is used of pytest-benchmark's fixture."""

    group: str
    extra_info: dict[str, Any]

    def __call__(self, call: Callable[[], object]) -> object: ...


def _frame(width: int, height: int) -> npt.NDArray[np.uint8]:
    """The public-domain portrait, as high as a frame."""
    frame = np.full((height, width, 3), 120, np.uint8)
    left = (width - height) // 2
    frame[:, left : left + height] = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((height, height)))
    return frame


CALLS = [
    pytest.param(case.step, call, case.pictures, id=f"{case.step}: {who}")
    for case in cases(LivenessModel.load(), draw=_frame)
    for who, call in (("facelive", case.call), (case.floor, case.floor_call))
    if call
]


@pytest.mark.parametrize(("step", "call", "pictures"), CALLS)
def test_speed(benchmark: Benchmark, step: str, call: Callable[[], object], pictures: int) -> None:
    benchmark.group = step
    benchmark.extra_info["pictures"] = pictures
    benchmark(call)
