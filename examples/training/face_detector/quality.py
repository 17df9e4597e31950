"""Where the limits of ``QualityPolicy`` come from: the spread of good live pictures, and what each limit rejects.

    python -m examples.training.face_detector.quality --plot docs/images/faces-quality.svg

Measures the liveness pictures inside their own boxes, prints what would be rejected per source, and draws the plot.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
from examples.training.face_detector.data import Sample, load

from facelive.quality import FaceMeasures, QualityPolicy, measure_face
from facelive.results import FaceBox, Reason

LIMITS = {
    "face_px": ("min_face_px",),
    "cut_off": ("max_cut_off",),
    "sharpness": ("min_sharpness",),
    "luminance": ("min_luminance", "max_luminance"),
}
TITLES = {
    "face_px": "longer side of the face, px (stored pictures end at 170)",
    "cut_off": "part of the face outside the picture",
    "sharpness": "sharpness",
    "luminance": "mean luminance of the face, 0–255",
}


@dataclass(frozen=True)
class Judged:
    """A picture, what was measured of its face, and why it would be rejected."""

    sample: Sample
    measures: FaceMeasures
    reason: Reason | None


def judge(sample: Sample, policy: QualityPolicy) -> Judged:
    """Measure and check one picture inside its own box; tight crops without one are taken whole."""
    picture = sample.read()
    height, width = picture.shape[:2]
    box = (0, 0, width, height) if sample.box_from == "whole_picture" else sample.boxes[0].tolist()
    face = FaceBox(*box)
    return Judged(sample, measure_face(picture, face), policy.check(picture, face))


def table(judged: list[Judged]) -> str:
    """Markdown: pictures and rejections per split, label and source."""
    groups: dict[tuple[str, str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        split = "val" if one.sample.held_out else "train"
        groups[split, one.sample.label, "all"].append(one)
        groups[split, one.sample.label, one.sample.source].append(one)
    lines = ["| split | label | source | pictures | rejected | reasons |", "|---|---|---|---|---|---|"]
    for (split, label, source), members in sorted(groups.items(), key=lambda item: (item[0][2] != "all", item[0])):
        reasons = Counter(one.reason.value for one in members if one.reason)
        why = ", ".join(f"{name} {count}" for name, count in reasons.most_common())
        share = sum(reasons.values()) / len(members)
        lines.append(f"| {split} | {label} | {source} | {len(members)} | {share:.1%} | {why} |")
    return "\n".join(lines)


def percentiles(judged: list[Judged]) -> str:
    """Markdown: the spread of each measure over the live train pictures."""
    points = (0, 0.1, 0.5, 1, 5, 50, 95, 99, 99.5, 99.9, 100)
    lines = ["| measure | " + " | ".join(f"{point:g} %" for point in points) + " |", "|---" * (len(points) + 1) + "|"]
    for name in LIMITS:
        spread = np.percentile(_values(judged, name, "live"), points)
        lines.append(f"| {name} | " + " | ".join(f"{value:.3g}" for value in spread) + " |")
    return "\n".join(lines)


def plot(judged: list[Judged], path: Path) -> None:
    """Histograms of live and attack pictures of train with the limits as lines."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "facelive"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(9, 5.5))
    policy = QualityPolicy()
    for axis, (name, limits) in zip(axes.flat, LIMITS.items()):
        both = [_values(judged, name, label) for label in ("live", "spoof")]
        bins = np.linspace(0, max(values.max() for values in both), 50)
        for values, label, colour in zip(both, ("live", "attack"), ("tab:green", "tab:red")):
            axis.hist(
                values, bins, weights=np.full(len(values), 1 / len(values)), histtype="step", label=label, color=colour
            )
        for limit in limits:
            axis.axvline(getattr(policy, limit), color="black", linestyle="--", linewidth=1)
        axis.set_yscale("log")
        axis.set_xlabel(TITLES[name])
        axis.set_ylabel("part of the pictures")
    axes.flat[0].legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _values(judged: list[Judged], name: str, label: str) -> npt.NDArray[np.float64]:
    good = [one for one in judged if one.sample.label == label and not one.sample.held_out]
    return np.array([getattr(one.measures, name) for one in good if one.sample.box_from != "whole_picture"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables and draw the plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("../runs/face/yunet.jsonl"))
    parser.add_argument("--plot", type=Path, help="an SVG file to draw")
    options = parser.parse_args(arguments)
    policy = QualityPolicy()
    pictures = [sample for sample in load(options.data, options.cache) if sample.group == "liveness"]
    judged = [judge(sample, policy) for sample in pictures]
    print(", ".join(f"{limit.name} {getattr(policy, limit.name)}" for limit in fields(policy)), end="\n\n")
    print(percentiles(judged), table(judged), sep="\n\n")
    if options.plot:
        plot(judged, options.plot)


if __name__ == "__main__":
    main()
