from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from examples.training.config import CONFIGS, Config
from hypothesis import given
from hypothesis import strategies as st

rates = st.floats(0, 1)


@given(rates, rates)
def test_the_rate_climbs_to_its_peak_and_falls_from_there(one: float, other: float) -> None:
    config = CONFIGS["default"]
    low, high = sorted((one, other))
    assert 0 < config.rate(low) <= 1.021 * config.learning_rate
    if high < config.warmup:
        assert config.rate(low) <= config.rate(high)
    if low >= config.warmup:
        assert config.rate(low) >= config.rate(high)


def test_a_run_that_took_too_long_keeps_the_last_rate() -> None:
    config = CONFIGS["default"]
    assert config.rate(1.7) == config.rate(1.0) == pytest.approx(0.02 * config.learning_rate)


def test_a_command_line_changes_a_copy() -> None:
    before = CONFIGS["custom"]
    after = before.changed(["batch=8", "learning_rate=2e-3", 'start="first"'])
    assert (after.batch, after.learning_rate, after.start) == (8, 2e-3, "first")
    assert before == CONFIGS["custom"]


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="patience"):
        CONFIGS["default"].changed(["patience=3"])


@pytest.mark.parametrize("name", CONFIGS)
def test_a_runs_folder_gives_its_config_back(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(asdict(CONFIGS[name])), encoding="utf-8")
    assert Config.of_run(tmp_path) == CONFIGS[name]
