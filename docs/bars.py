"""Plots of the models' page: one question each, bars across, drawn as SVG that follows the page's colours."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from docs import comparison
from examples.training.measure import MSU

WIDTH, LABELS, BAR, GAP = 412, 150, 14, 11

Row = Tuple[str, Sequence[Optional[float]]]


def bars(
    title: str, series: Sequence[str], rows: Sequence[Row], *, percent: bool = True, start: float = 0.0, places: int = 0
) -> str:
    """An HTML figure with a bar for each series in each row.

    Args:
        title: What is shown, for those who cannot see it, and as the caption.
        series: The names of the bars; one name alone gets no key.
        rows: A label and a value for each series; ``None`` leaves a gap with the words "not measured".
        percent: Values are shares, shown as percentages; otherwise as they are.
        start: Where the bars begin.
        places: Where values are shown as they are, so many decimals.
    """
    known = [value for _, values in rows for value in values if value is not None]
    if not known:
        return f'<p class="unmeasured">Not measured yet: {title}.</p>\n'
    end = 1.0 if start else max(known)
    room = WIDTH - LABELS - 52
    parts: List[str] = []
    y = 4.0
    for label, values in rows:
        height = BAR * len(values)
        parts.append(f'<text x="{LABELS - 8}" y="{y + height / 2 + 4:.1f}" text-anchor="end">{label}</text>')
        for number, value in enumerate(values):
            wide = 0.0 if value is None else max(0.0, (value - start) / (end - start)) * room
            said = "–" if value is None else f"{100 * value:.1f} %" if percent else f"{value:.{places}f}"
            top = y + number * BAR
            parts.append(
                f'<rect class="b{number}" x="{LABELS}" y="{top + 1:.1f}" width="{wide:.1f}" height="{BAR - 2}"/>'
                f'<text x="{LABELS + wide + 5:.1f}" y="{top + BAR - 3:.1f}">{said}</text>'
            )
        y += height + GAP
    key = "".join(f'<span><i class="b{number}"></i>{name}</span>' for number, name in enumerate(series))
    return (
        f'<figure class="chart bars"><svg viewBox="0 0 {WIDTH} {y:.0f}" role="img" aria-label="{title}">'
        f'{"".join(parts)}</svg><p class="key">{key if len(series) > 1 else ""}</p></figure>\n'
    )


def groups_plot() -> str:
    """AUC of the default and of the open models, on each group of sources."""
    models = {"facelive": comparison.default_figures(), **comparison.open_figures()}
    parts: Dict[str, Callable[[Any], Any]] = {
        "webcam scenes": comparison.scenes,
        "MSU-MFSD": lambda sources: sources.get(MSU),
        "tight crops": comparison.others,
    }
    sources = [one["sources"] for one in models.values()]
    rows = [(name, [(part(one) or {}).get("auc") for one in sources]) for name, part in parts.items()]
    return bars(
        "AUC by group of sources, from 0.5 (chance) to 1", list(models), rows, percent=False, start=0.5, places=3
    )


def species_plot() -> str:
    """APCER by species on MSU-MFSD, and BPCER, at the shipped threshold."""
    models = {"facelive": comparison.default_figures(), **comparison.open_figures()}
    found = [one["sources"][MSU] for one in models.values()]
    rows: List[Row] = [
        (f"{species}, passes", [one["apcer_by_species"].get(species) for one in found])
        for species in found[0]["apcer_by_species"]
    ]
    rows.append(("live, refused", [one["bpcer"] for one in found]))
    return bars("Errors on MSU-MFSD at the threshold", list(models), rows)


def conditions_plot() -> str:
    """BPCER of the default when pictures are changed before they are judged."""
    found = comparison.default_figures().get("robustness", {})
    rows = [(name.replace("x the face", " × the face"), [one["bpcer"]]) for name, one in found.items()]
    return bars("Live people refused, by condition", ["facelive"], rows)


def light_plot() -> str:
    """BPCER of the default by the brightness of the face."""
    tenths = comparison.default_figures().get("luminance", [])
    rows = [(f"up to {tenth['luminance_to']:.0f}", [tenth["bpcer"]]) for tenth in tenths]
    return bars("Live people refused, by the brightness of the face, darkest tenth first", ["facelive"], rows)


def threshold_slider() -> str:
    """The figure of docs/threshold.md: both errors over the threshold, as data for stylesheets/threshold.js."""
    curves = threshold_curves()
    if not curves:
        return '<p class="unmeasured">The errors have not been measured over all thresholds yet.</p>\n'
    choices = "".join(f"<option>{name}</option>" for name in curves)
    return (
        '<figure class="chart" id="threshold-plot" markdown="0">'
        f'<label>pictures <select>{choices}</select></label><div class="panels"></div>'
        '<label class="slide">threshold <input type="range" min="0.05" max="0.95" step="0.01" value="0.5"></label>'
        '<p class="said" aria-live="polite"></p>'
        f'<script type="application/json">{json.dumps(curves)}</script></figure>\n'
    )


def threshold_curves() -> Dict[str, Dict[str, List[float]]]:
    """By a set of pictures: ``at`` (thresholds), ``apcer``, ``bpcer``."""
    return dict(comparison.default_figures().get("thresholds", {}))


def write(put: Callable[[str, str], None]) -> None:
    """Hand each plot to ``put`` with its file name."""
    put("groups.svg", groups_plot())
    put("species.svg", species_plot())
    put("conditions.svg", conditions_plot())
    put("light.svg", light_plot())
    put("threshold.svg", threshold_slider())
