"""``facelive bench``: on what, every step, and within its time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from tests.cli.shell import facelive

from facelive import LivenessModel
from facelive.bench import Case, measure, time_case

MODEL = Path(__file__).parents[1] / "networks" / "sigmoid.tflite"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own.tflite").write_bytes(MODEL.read_bytes())
    (tmp_path / "own.json").write_text('{"name": "own", "live_class": 1, "input_size": 32, "value_range": [0, 1]}')
    return tmp_path / "own.tflite"


def test_a_line_per_step_below_what_it_ran_on(own: Path) -> None:
    done = facelive("bench", "--model", own, "--repeats", "3", "--json")
    about, *lines = map(json.loads, done.stdout.splitlines())
    assert set(about) == {"machine", "system", "software", "runtime", "model"}
    assert about["model"].startswith("own")
    assert "CPython" in about["software"] and "numpy" in about["software"]
    assert about["runtime"].split()[0] in ("ai_edge_litert", "tflite_runtime", "tensorflow")
    steps = {line["step"]: line for line in lines}
    assert steps["predict 640x480, face given"]["ratio"] > 1
    memory = steps.pop("resident after the first verdict", {"mb": 2, "floor_mb": 1})  # measured on Linux
    assert memory["mb"] > memory["floor_mb"] > 0
    assert np.isfinite([line["ms"] for line in steps.values()]).all()
    assert {name for name, line in steps.items() if line["floor"] is None} == {"check the face", "crop", "vote"}
    assert "\n\nstep " in facelive("bench", "--model", own, "--repeats", "3").stdout


def test_time_that_is_used_up_ends_a_step_but_not_its_line() -> None:
    calls = []

    def slow() -> None:
        calls.append(1)
        time.sleep(0.01)

    cost = time_case(Case("slow", slow), 1000, seconds=0.0)
    assert len(calls) == 3  # two to warm up, one that counts
    assert cost.amount >= 10


def test_all_lines_come_however_little_time_there_is(own: Path) -> None:
    model = LivenessModel.load(str(own))
    hurried = [cost.step for cost in measure(model, repeats=3, seconds=0.0)]
    assert hurried == [cost.step for cost in measure(model, repeats=3)]
