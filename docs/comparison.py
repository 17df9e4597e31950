"""What the default and the open models answered on the same pictures, as tables: README.md and the site show them.

Every figure comes from ``docs/measured``: ``mobilenet_v2.json`` (the default) and ``open_models.json``. With new ones
there, ``python -m docs.figures`` puts them everywhere.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import mean
from typing import Any, Callable, Dict, List, Optional, Set

from docs import tables
from examples.training.measure import MSU, SCENES

HERE = Path(__file__).parent
DEFAULT = "mobilenet_v2"
SUMS = ("scenes", "others", "webcam scenes", "all")
MASKS = ("papermask", "paper_mask", "cutout_papermask", "mixed_print_papermask")
RATES = ("auc", "eer", "apcer", "bpcer")

Figures = Dict[str, Any]
Sources = Dict[str, Figures]


def default_figures() -> Figures:
    """What was measured of the default model."""
    return tables.measured(DEFAULT)


def open_figures() -> Dict[str, Figures]:
    """The same of the open models, by name."""
    found = json.loads((HERE / "measured" / "open_models.json").read_text(encoding="utf-8"))
    return {name: one["measured"] for name, one in found.items()}


def scenes(sources: Sources) -> Optional[Figures]:
    """The plain mean over the sources that are one room and one camera each, of those that every model judged."""
    return _means([sources[name] for name in SCENES if name in sources and name in _shared()])


def others(sources: Sources) -> Optional[Figures]:
    """The same over all other sources but MSU-MFSD: tight crops for the most part."""
    apart = (MSU, *SCENES, *SUMS)
    return _means([one for name, one in sources.items() if name not in apart and name in _shared()])


def _shared() -> Set[str]:
    """The sources that were measured with every model: a mean over more of them for one would not be fair."""
    models = [default_figures(), *open_figures().values()]
    return set.intersection(*({name for name, one in model["sources"].items() if "auc" in one} for model in models))


def with_left_out(figures: Figures) -> Sources:
    """All sources, and those that only a shorter run was measured on, which had not seen them."""
    return {**figures["sources"], **figures.get("left_out", {}).get("sources", {})}


def masks(sources: Sources) -> Optional[float]:
    """The share of paper masks that pass at 0.5, of the source where most do."""
    found = [one.get("apcer_by_species", {}) for name, one in sources.items() if name not in SUMS]
    rates = [rate for by_species in found for species, rate in by_species.items() if species in MASKS]
    return max(rates) if rates else None


def _means(found: List[Figures]) -> Optional[Figures]:
    whole = [one for one in found if all(rate in one for rate in RATES)]
    return {rate: mean(one[rate] for one in whole) for rate in RATES} if whole else None


def comparison_table() -> str:
    """Markdown, three narrow columns: the default, and on each row the better of the open models."""
    figures, open_ones = default_figures(), list(open_figures().values())
    ours, peers = figures["sources"], [one["sources"] for one in open_ones]
    rows = [
        ("webcam scenes: AUC", scenes, "auc"),
        ("MSU-MFSD: AUC", lambda one: one.get(MSU), "auc"),
        ("MSU-MFSD: attacks that pass / live refused", lambda one: one.get(MSU), "errors"),
        ("tight crops: AUC", others, "auc"),
    ]
    lines = ["| | facelive | best open model |", "|---|---|---|"]
    for title, part, what in rows:
        best = max((part(one) for one in peers), key=lambda one: float(one["auc"]) if one else 0.0)
        cells = [_cell(part(ours), what), _cell(best, what)]
        behind = part(ours) and best and part(ours)["auc"] < best["auc"]
        cells[bool(behind)] = f"**{cells[bool(behind)]}**"
        lines.append(f"| {title} | {cells[0]} | {cells[1]} |")
    passing = [masks(with_left_out(one)) for one in (figures, *open_ones)]
    known = [rate for rate in passing[1:] if rate is not None]
    theirs = _share(min(known) if known else None)
    lines.append(f"| paper masks that pass | {_share(passing[0])} | {theirs} |")
    return "\n".join(lines) + "\n"


def sources_table() -> str:
    """Markdown: every source of the default, a row each."""
    lines = ["| source | live / attacks | AUC | attacks that pass | live refused |", "|---|---|---|---|---|"]
    for name, one in default_figures()["sources"].items():
        if name in SUMS or "live" not in one:
            continue
        auc = f"{one['auc']:.3f}{_interval(one)}" if "auc" in one else "–"
        title = "MSU-MFSD" if name == MSU else name.partition("/")[0]
        errors = f"{_share(one.get('apcer'))} | {_share(one.get('bpcer'))}"
        lines.append(f"| {title} | {one['live']} / {one['attacks']} | {auc} | {errors} |")
    return "\n".join(lines) + "\n"


def vote_table() -> str:
    """Markdown: one frame against the vote of five, on MSU-MFSD."""
    found = default_figures()
    rows = {"one frame": found["sources"][MSU], "vote of five": found["vote"]}
    lines = ["| MSU-MFSD | AUC | EER | attacks that pass | live refused |", "|---|---|---|---|---|"]
    for title, one in rows.items():
        rates = " | ".join(_share(one[rate]) for rate in ("eer", "apcer", "bpcer"))
        lines.append(f"| {title} | {one['auc']:.3f} | {rates} |")
    return "\n".join(lines) + "\n"


def fill(page: Path, name: str, text: str) -> None:
    """Put text between ``<!-- figures: NAME -->`` and ``<!-- end -->`` of a page that cannot include files."""
    old = page.read_text(encoding="utf-8")
    pattern = rf"(<!-- figures: {name} -->\n).*?(<!-- end -->)"
    new = re.sub(pattern, lambda found: f"{found[1]}\n{text}\n{found[2]}", old, flags=re.S)
    if new != old:
        page.write_text(new, encoding="utf-8")


def write(put: Callable[[str, str], None]) -> None:
    """Fill README.md, and hand each table of the site to ``put`` with its file name."""
    fill(HERE.parent / "README.md", "comparison", comparison_table())
    put("comparison.md", comparison_table())
    put("sources.md", sources_table())
    put("vote.md", vote_table())


def _cell(one: Optional[Figures], what: str) -> str:
    if one is None:
        return "not measured"
    return f"{one['auc']:.3f}" if what == "auc" else f"{_share(one['apcer'])} / {_share(one['bpcer'])}"


def _share(rate: Optional[float]) -> str:
    return "not measured" if rate is None else f"{100 * rate:.1f}\u00a0%"


def _interval(one: Figures) -> str:
    low, high = one.get("intervals", {}).get("auc", (None, None))
    return "" if low is None else f" ({low:.2f}\u2060–\u2060{high:.2f})"
