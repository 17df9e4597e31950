"""The parts of the documentation that are filled from the measured figures and the command's own help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

from facelive import ModelCard

ASSETS = Path(__file__).parents[1] / "src" / "facelive" / "assets"
MEASURED = Path(__file__).parent / "measured"

MSU = "nebulaHZH/Anti_Spoofing"
PARTS = {MSU: "MSU-MFSD", "scenes": "webcam scenes"}
"""The parts of the figures that are shown, and what to call them."""

COMMANDS = ("check", "evaluate", "models", "bench")


def measured(name: str) -> Dict[str, Any]:
    """All that was measured of a bundled model, from ``docs/measured/NAME.json``; empty where there is no such file."""
    path = MEASURED / f"{name}.json"
    found: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["measured"] if path.exists() else {}
    return found


def models_table(cards: Dict[str, ModelCard], figures: Dict[str, Dict[str, Any]]) -> str:
    """Markdown: what there is to choose from.

    Args:
        cards: By the model's name.
        figures: What was measured of each.
    """
    lines = [
        "| model | file | " + " | ".join(f"{name}:<br>AUC / APCER / BPCER" for name in PARTS.values()) + " |",
        "|---|---|" + "---|" * len(PARTS),
    ]
    for name, card in cards.items():
        size = (ASSETS / f"{name}.tflite").stat().st_size
        sources = figures[name].get("sources", {})
        rates = [_rates(sources.get(part) or sources.get(title, {})) for part, title in PARTS.items()]
        lines.append(f"| `{name}` {card.version} | {size / 1e6:.1f} MB | " + " | ".join(rates) + " |")
    return "\n".join(lines) + "\n"


def command_help() -> str:
    """Markdown: what each command says of itself."""
    parts = []
    for command in COMMANDS:
        words = [sys.executable, "-m", "facelive", command, "--help"]
        said = subprocess.run(words, env={**os.environ, "COLUMNS": "110"}, capture_output=True, text=True, check=True)
        parts.append(f"## facelive {command}\n\n```text\n{said.stdout.rstrip()}\n```\n")
    return "\n".join(parts)


def _rates(found: Dict[str, Any]) -> str:
    auc, apcer, bpcer = (found.get(name) for name in ("auc", "apcer", "bpcer"))
    if auc is None or apcer is None or bpcer is None:
        return "not measured yet"
    return f"{auc:.3f} / {100 * apcer:.1f} % / {100 * bpcer:.1f} %"
