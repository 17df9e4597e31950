from __future__ import annotations

import json
from pathlib import Path

import pytest
from examples.training.calibration import Calibration
from examples.training.cards import model_card
from examples.training.recipe import Recipe

from facelive.cards import ModelCard


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run's folder, without its weights."""
    (tmp_path / "recipe.json").write_text(Recipe(samples=240, seed=7).to_json(), encoding="utf-8")
    (tmp_path / "sources.json").write_text('{"one/lab": {"live": 3, "attack": 4}}', encoding="utf-8")
    (tmp_path / "command.txt").write_text("train first\ntrain second\n", encoding="utf-8")
    lines = ['{"step": 10, "loss": 0.5}', '{"finished": 240, "seconds": 12}', '{"finished": 480, "seconds": 30}']
    (tmp_path / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_the_library_reads_the_card(run: Path, tmp_path: Path) -> None:
    card = model_card(Recipe(), run, Calibration(2.0, 0.1), sha256="ab", measured={"sources": {}})
    path = tmp_path / "card.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    read = ModelCard.from_json(path)
    assert (read.name, read.live_class, read.threshold, read.value_range) == ("mobilenet_v2", 1, 0.5, (-1.0, 1.0))
    assert read.training["seconds"] == 42
    assert read.training["commands"] == ["train first", "train second"]
    assert "check the terms of the sources before commercial use" in read.training["caveat"]


def test_a_refit_is_told_apart_from_what_was_measured(run: Path) -> None:
    card = model_card(Recipe(), run, Calibration(2.0, 0.1), sha256="ab", measured={}, refit=run)
    assert "before that" in card["training"]["refit"]["why"]
    assert card["training"]["refit"]["seed"] == 7
