"""The tables that are filled from measured figures say what was measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.figures import det_figure
from docs.tables import COMMANDS, PARTS, command_help, measured, models_table

from facelive import bundled_models


def test_every_bundled_model_has_a_row_with_what_was_measured() -> None:
    cards = bundled_models()
    rows = models_table(cards, {name: measured(name) for name in cards}).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(cards)
    assert not any("not measured" in row for row in rows)


def test_a_model_without_figures_says_so() -> None:
    cards = bundled_models()
    assert "not measured yet" in models_table(cards, {name: {} for name in cards})
    assert "measured yet" in det_figure({name: {} for name in cards})


def test_a_cards_rates_are_those_that_were_measured() -> None:
    for name, card in bundled_models().items():
        found = measured(name)["sources"]
        for part, title in PARTS.items():
            full = found.get(part) or found[title]
            assert card.measured[title]["auc"] == pytest.approx(full["auc"], abs=6e-4)


def test_the_help_that_is_shown_has_every_option_of_today() -> None:
    def options(text: str) -> list[set[str]]:
        return [set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", part)) for part in text.split("## facelive ")[1:]]

    shown = (Path(__file__).parents[2] / "docs" / "images" / "help.md").read_text(encoding="utf-8")
    assert len(options(shown)) == len(COMMANDS)
    assert options(shown) == options(command_help())
