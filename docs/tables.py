"""The parts of the documentation that are filled from the bundled model cards and the command's own help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

from facelive import ModelCard

ASSETS = Path(__file__).parents[1] / "src" / "facelive" / "assets"

MSU = "nebulaHZH/Anti_Spoofing"
PARTS = {MSU: "MSU-MFSD", "all": "all validation pictures"}
"""The parts of ``measured`` that are shown, and what to call them."""

COMMANDS = ("check", "evaluate", "models", "bench")


def models_table(cards: Dict[str, ModelCard]) -> str:
    """Markdown: what there is to choose from."""
    lines = [
        "| model | file | " + " | ".join(f"{name}:<br>AUC / APCER / BPCER" for name in PARTS.values()) + " |",
        "|---|---|" + "---|" * len(PARTS),
    ]
    for name, card in cards.items():
        size = (ASSETS / f"{name}.tflite").stat().st_size
        rates = [_rates(card.measured.get("sources", {}).get(part, {})) for part in PARTS]
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


def adversarial_table(cards: Dict[str, ModelCard]) -> str:
    """Markdown: the attacks that pass after a small change, by one look and by the vote of jittered looks."""
    studies = {name: card.measured["adversarial"]["parts"] for name, card in cards.items() if _studied(card)}
    if not studies:
        return "The cards of the bundled models hold no such figures yet.\n"
    lines = []
    for part in next(iter(studies.values())):
        found = {name: parts[part] for name, parts in studies.items() if part in parts}
        first = next(iter(found.values()))
        lines += [
            f"**{ATTACKED[part].format(**first)}**",
            "",
            "| change, of 255 | " + " | ".join(found) + " |",
            "|---|" + "---|" * len(found),
            _passed("none", [one["passed"]["0"] for one in found.values()]),
        ]
        for attack, by_eps in first["passed"].items():
            for eps in by_eps if isinstance(by_eps, dict) else ():
                lines.append(_passed(f"{attack}, ±{eps}", [one["passed"][attack][eps] for one in found.values()]))
        lines += [_passed("*live pictures turned away*", [one["bpcer"] for one in found.values()]), ""]
    return "\n".join(lines)


ATTACKED = {
    "portrait": "{attacks} prints and screens simulated from the portrait, {live} mirrors of it",
    "val": "{attacks} attacks and {live} live pictures of the validation set",
}


def _studied(card: ModelCard) -> bool:
    return "adversarial" in card.measured


def _passed(name: str, pairs: Any) -> str:
    return f"| {name} | " + " | ".join(f"{100 * look:.0f} % / {100 * vote:.0f} %" for look, vote in pairs) + " |"
