"""Figures of the model cards: ``python -m examples.training.plots --out docs/training``. No picture of a person."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

__all__ = ["main", "plot_luminance", "plot_reliability"]


def plot_reliability(cards: dict[str, Any], path: Path) -> None:
    """How often pictures of each score were live, a line per model; the diagonal is perfect."""
    figure, axes = _square("score", "share that was live")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, card in cards.items():
        bins = card["measured"]["reliability"]
        axes.plot([one["score"] for one in bins], [one["live"] for one in bins], marker="o", label=name)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120, bbox_inches="tight")


def plot_luminance(cards: dict[str, Any], path: Path) -> None:
    """Real people turned away in each tenth of brightness, a bar per model."""
    figure, axes = _square("tenth of live pictures: face luminance up to, 0-255", "BPCER at 0.5")
    width = 0.8 / max(1, len(cards))
    for number, (name, card) in enumerate(cards.items()):
        tenths = card["measured"]["luminance"]
        places = [place + (number - (len(cards) - 1) / 2) * width for place in range(len(tenths))]
        axes.bar(places, [one["bpcer"] for one in tenths], width, label=name)
        axes.set_xticks(range(len(tenths)), [f"{one['luminance_to']:.0f}" for one in tenths])
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120, bbox_inches="tight")


def _square(x: str, y: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4))
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_ylim(0, 1)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="plots", description=__doc__)
    parser.add_argument("--cards", type=Path, default=Path("src/facelive/assets"))
    parser.add_argument("--out", type=Path, default=Path("docs/training"))
    options = parser.parse_args(arguments)
    cards = {}
    for path in sorted(options.cards.glob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        if "reliability" in card.get("measured", {}):
            cards[path.stem] = card
    options.out.mkdir(parents=True, exist_ok=True)
    plot_reliability(cards, options.out / "reliability.png")
    plot_luminance(cards, options.out / "luminance.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
