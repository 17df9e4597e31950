"""Put the measured figures into the page of models: ``python -m examples.training.page measured-all.json``.

The page's prose is written by hand; each block between ``<!-- figures: NAME -->`` and ``<!-- end -->`` is replaced.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
from examples.training.compare import table
from examples.training.valset import MSU, WEBCAMS

__all__ = ["blocks", "fill", "main"]

Measured = dict[str, dict[str, Any]]
OURS = ("mobilenet_v2", "mobilenet", "custom")
NUAA = "imironica/liveness"


def blocks(measured: Measured) -> dict[str, str]:
    """Markdown of every block by name; models first, then the open ones and the probe."""
    ours = {name: measured[name] for name in OURS if name in measured}
    others = {name: figures for name, figures in measured.items() if name not in ours}
    return {
        "summary": _summary({**ours, **others}),
        "sources": table({**ours, **others}),
        "goals": _goals(ours, others),
        "robustness": _robustness(ours),
        "fairness": _fairness(ours),
    }


def _summary(measured: Measured) -> str:
    lines = [
        "| model | MSU: AUC | EER | EER, five-frame vote | webcam scenes: mean AUC | other sources: mean AUC |",
        "|---|---|---|---|---|---|",
    ]
    for name, figures in measured.items():
        sources = figures["sources"]
        low, high = sources[MSU]["intervals"]["auc"]
        scenes = float(np.mean([sources[scene]["auc"] for scene in WEBCAMS]))
        rest = [
            found["auc"]
            for source, found in sources.items()
            if source not in {MSU, *WEBCAMS, "all", "webcam scenes"} and "auc" in found
        ]
        lines.append(
            f"| {name} | {sources[MSU]['auc']:.3f} ({low:.3f}–{high:.3f}) | {sources[MSU]['eer']:.1%} | "
            f"{figures['vote']['eer']:.1%} | {scenes:.3f} | {np.mean(rest):.3f} |"
        )
    return "\n".join(lines)


def _goals(ours: Measured, others: Measured) -> str:
    """A row per goal; a figure in bold meets it."""
    lines = ["| goal | " + " | ".join(ours) + " |", "|---|" + "---|" * len(ours)]

    def row(goal: str, values: list[float], limit: float, *, least: bool, percent: bool = False) -> None:
        cells = []
        for value in values:
            text = f"{value:.1%}" if percent else f"{value:.3f}"
            met = value >= limit if least else value <= limit
            cells.append(f"**{text}**" if met else text)
        lines.append(f"| {goal} | " + " | ".join(cells) + " |")

    msu = [figures["sources"][MSU] for figures in ours.values()]
    row("MSU: AUC at least 0.985", [one["auc"] for one in msu], 0.985, least=True)
    row("MSU: EER at most 6 %", [one["eer"] for one in msu], 0.06, least=False, percent=True)
    row("MSU at 0.5: worst species' APCER at most 10 %", [one["apcer"] for one in msu], 0.10, least=False, percent=True)
    row("MSU at 0.5: BPCER at most 5 %", [one["bpcer"] for one in msu], 0.05, least=False, percent=True)
    votes = [figures["vote"]["eer"] for figures in ours.values()]
    row("MSU, five-frame vote: EER at most 3 %", votes, 0.03, least=False, percent=True)
    for scene in WEBCAMS:
        values = [figures["sources"][scene]["auc"] for figures in ours.values()]
        row(f"{scene}: AUC at least 0.97", values, 0.97, least=True)
    row("NUAA: AUC at least 0.99", [figures["sources"][NUAA]["auc"] for figures in ours.values()], 0.99, least=True)
    rest = [source for source in next(iter(ours.values()))["sources"] if source not in {MSU, NUAA, *WEBCAMS, "all"}]
    for source in rest:
        if source != "webcam scenes" and "auc" in next(iter(ours.values()))["sources"][source]:
            values = [figures["sources"][source]["auc"] for figures in ours.values()]
            row(f"{source}: AUC at least 0.95", values, 0.95, least=True)
    behind = []
    for figures in ours.values():
        gaps = [
            max(other["sources"][source]["auc"] for name, other in others.items() if "probe" not in name) - found["auc"]
            for source, found in figures["sources"].items()
            if "auc" in found and source not in {"all", "webcam scenes"}
        ]
        behind.append(max(gaps))
    row("furthest behind the better open model: at most 0.010", behind, 0.010, least=False)
    return "\n".join(lines)


def _robustness(ours: Measured) -> str:
    lines = [
        "| condition | " + " | ".join(f"{name}: AUC / BPCER" for name in ours) + " |",
        "|---|" + "---|" * len(ours),
    ]
    for condition in next(iter(ours.values()))["robustness"]:
        found = [figures["robustness"][condition] for figures in ours.values()]
        lines.append(f"| {condition} | " + " | ".join(f"{one['auc']:.3f} / {one['bpcer']:.1%}" for one in found) + " |")
    flips = [f"{figures['jitter']['flipped']:.1%}" for figures in ours.values()]
    lines.append("| decisions that flip when the box is jittered | " + " | ".join(flips) + " |")
    return "\n".join(lines)


def _fairness(ours: Measured) -> str:
    lines = ["| tenth of live pictures, darkest first | " + " | ".join(ours) + " |", "|---|" + "---|" * len(ours)]
    for place, tenth in enumerate(next(iter(ours.values()))["luminance"]):
        rates = [f"{figures['luminance'][place]['bpcer']:.1%}" for figures in ours.values()]
        lines.append(f"| {place + 1}: luminance up to {tenth['luminance_to']:.0f} | " + " | ".join(rates) + " |")
    return "\n".join(lines)


def fill(page: str, found: dict[str, str]) -> str:
    """The page with its blocks replaced.

    Raises:
        ValueError: The page has a block that is not measured.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1] not in found:
            raise ValueError(f"the page asks for figures called {match[1]!r}; there are {', '.join(found)}")
        return f"<!-- figures: {match[1]} -->\n\n{found[match[1]]}\n\n<!-- end -->"

    return re.sub(r"<!-- figures: (\w+) -->.*?<!-- end -->", replace, page, flags=re.DOTALL)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="page", description=__doc__)
    parser.add_argument("measured", type=Path)
    parser.add_argument("page", type=Path, nargs="?", default=Path("docs/models.md"))
    options = parser.parse_args(arguments)
    found = blocks(json.loads(options.measured.read_text(encoding="utf-8")))
    options.page.write_text(fill(options.page.read_text(encoding="utf-8"), found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
