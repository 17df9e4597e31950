"""The tables that are filled from the model cards say what the cards say."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from docs.tables import COMMANDS, adversarial_table, command_help, models_table

from facelive import bundled_models

PASSED = {"0": [0.1, 0.2], "FGSM": {"1": [0.3, 0.25], "8": [1.0, 0.9]}}
PART = {"attacks": 40, "live": 20, "bpcer": [0.0, 0.05], "passed": PASSED}


def test_every_bundled_model_has_a_row() -> None:
    rows = models_table(bundled_models()).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(bundled_models())


def test_changes_on_purpose_are_shown_model_by_model() -> None:
    cards = bundled_models()
    studied: dict[str, Any] = {"adversarial": {"parts": {"portrait": PART}}}
    cards = {name: dataclasses.replace(card, measured=studied) for name, card in cards.items()}
    lines = adversarial_table(cards).splitlines()
    assert lines[0] == "**40 prints and screens simulated from the portrait, 20 mirrors of it**"
    assert lines[2] == "| change, of 255 | " + " | ".join(cards) + " |"
    assert lines[4].startswith("| none | 10 % / 20 % |")
    assert lines[6].startswith("| FGSM, ±8 | 100 % / 90 % |")
    assert lines[7].startswith("| *live pictures turned away* | 0 % / 5 % |")


def test_cards_without_figures_say_so() -> None:
    cards = {name: dataclasses.replace(card, measured={}) for name, card in bundled_models().items()}
    assert "no such figures yet" in adversarial_table(cards)
    assert "not measured yet" in models_table(cards)


def test_the_help_that_is_shown_has_every_option_of_today() -> None:
    def options(text: str) -> list[set[str]]:
        return [set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", part)) for part in text.split("## facelive ")[1:]]

    shown = (Path(__file__).parents[2] / "docs" / "images" / "help.md").read_text(encoding="utf-8")
    assert len(options(shown)) == len(COMMANDS)
    assert options(shown) == options(command_help())
