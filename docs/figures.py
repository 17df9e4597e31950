"""Draws every figure and figure-filled table of the documentation: ``python -m docs.figures``.

Rates come from ``docs/measured``, pictures from the public-domain portrait; no private person is shown. The
build of the site runs this too, so that no picture is older than its figures.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import NormalDist
from typing import Any, Callable, Dict, List, Sequence, Tuple

from docs import bars, comparison, speed, tables

from facelive import LogAverageVoter, bundled_models

IMAGES = Path(__file__).parent / "images"

MSU = tables.MSU

Point = Tuple[float, float]
Scale = Callable[[float], float]


def main() -> int:
    """Draw what is not drawn yet or has changed."""
    cards = bundled_models()
    measured = {name: tables.measured(name) for name in cards}
    _write("det.svg", det_figure(measured))
    _write("models.md", tables.models_table(cards, measured))
    _write("help.md", tables.command_help())
    _write("vote.svg", vote_figure())
    comparison.write(_write)
    bars.write(_write)
    speed.write(_write)
    return 0


def det_figure(measured: Dict[str, Dict[str, Any]]) -> str:
    """A curve per model on MSU-MFSD, and one of the default on the webcam scenes where that was measured."""
    panels, curves = [], {name: found["thresholds"] for name, found in measured.items() if "thresholds" in found}
    if not curves:
        return '<p class="unmeasured">No curve of a bundled model has been measured yet.</p>\n'
    for part, title in (("MSU-MFSD", "MSU-MFSD, worst species"), ("webcam scenes", "webcam scenes, worst species")):
        points = [list(zip(one[part]["apcer"], one[part]["bpcer"])) if part in one else [] for one in curves.values()]
        here = [_at_half(one[part]) if part in one else [] for one in curves.values()]
        panels.append(_det_panel(title, list(zip(points, here))))
    key = "".join(f"<span>{_sample(f's{number}')}{name}</span>" for number, name in enumerate(curves))
    return (
        f'<figure class="chart"><div class="panels">{"".join(panels)}</div>'
        f'<p class="key">{key}<span>● at the shipped threshold</span></p></figure>\n'
    )


def _at_half(curve: Dict[str, List[float]]) -> List[Point]:
    """``(APCER, BPCER)`` at the threshold of 0.5."""
    number = min(range(len(curve["at"])), key=lambda one: abs(curve["at"][one] - 0.5))
    return [(curve["apcer"][number], curve["bpcer"][number])]


def _det_panel(title: str, curves: Sequence[Tuple[List[Point], List[Point]]]) -> str:
    parts = []
    for number, (points, here) in enumerate(curves):
        if points:
            parts.append(_line(f"s{number}", [(_det_x(apcer), _det_y(bpcer)) for apcer, bpcer in points]))
        for apcer, bpcer in here:
            parts.append(f'<circle class="s{number}" cx="{_det_x(apcer):.1f}" cy="{_det_y(bpcer):.1f}" r="4"/>')
    if not parts:
        return ""
    ticks = [0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8]
    grid = _grid(ticks, ticks, _det_x, _det_y, lambda rate: f"{100 * rate:g}")
    equal = _line("equal", [(_det_x(_LOW), _det_y(_LOW)), (_det_x(_HIGH), _det_y(_HIGH))])
    return _svg(f"DET curves on {title}", [grid, equal, *parts, _titles(title, "APCER, %", "BPCER, %")])


def vote_figure() -> str:
    """How the vote follows when a picture takes the place of a live face."""
    scores = [0.93, 0.97, 0.9, 0.95, 0.96, 0.94, 0.08, 0.12, 0.05, 0.1, 0.06, 0.09]
    voter = LogAverageVoter()
    votes = [voter.update(score) for score in scores]
    x: Scale = lambda frame: _LEFT + (frame - 0.5) / len(scores) * _WIDTH  # noqa: E731
    y: Scale = lambda score: _TOP + (1 - score) * _HEIGHT  # noqa: E731
    grid = _grid(range(1, len(scores) + 1), (0, 0.25, 0.5, 0.75, 1), x, y, lambda value: f"{value:g}")
    dots = "".join(
        f'<circle class="score" cx="{x(n):.1f}" cy="{y(s):.1f}" r="4"/>' for n, s in enumerate(scores, start=1)
    )
    line = _line("s0", [(x(n), y(vote)) for n, vote in enumerate(votes, start=1)])
    threshold = _line("equal", [(_LEFT, y(0.5)), (_LEFT + _WIDTH, y(0.5))])
    chart = _svg(
        "Scores and votes of twelve frames", [grid, threshold, line, dots, _titles("", "frame", "score, vote")]
    )
    return (
        f'<figure class="chart"><div class="panels">{chart}</div><p class="key"><span>● score of the frame</span>'
        f"<span>{_sample('s0')}vote</span><span>{_sample('equal')}threshold</span></p></figure>\n"
    )


def _write(name: str, text: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    target = IMAGES / name
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


_LEFT, _TOP, _WIDTH, _HEIGHT = 54.0, 30.0, 350.0, 300.0
_LOW, _HIGH = 0.001, 0.9
_DEVIATE = NormalDist().inv_cdf


def _det_share(rate: float) -> float:
    low, high = _DEVIATE(_LOW), _DEVIATE(_HIGH)
    return (_DEVIATE(min(max(rate, _LOW), _HIGH)) - low) / (high - low)


def _det_x(rate: float) -> float:
    return _LEFT + _det_share(rate) * _WIDTH


def _det_y(rate: float) -> float:
    return _TOP + (1 - _det_share(rate)) * _HEIGHT


def _grid(across: Sequence[float], up: Sequence[float], x: Scale, y: Scale, label: Callable[[float], str]) -> str:
    parts: List[str] = []
    for value in across:
        parts.append(f'<line class="grid" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{_TOP}" y2="{_TOP + _HEIGHT}"/>')
        parts.append(_text(x(value), _TOP + _HEIGHT + 18, label(value), "middle"))
    for value in up:
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(_text(_LEFT - 7, y(value) + 4, label(value), "end"))
    return "".join(parts)


def _titles(title: str, across: str, up: str) -> str:
    turned = f'<g transform="translate(14 {_TOP + _HEIGHT / 2}) rotate(-90)">{_text(0, 0, up, "middle")}</g>'
    middle = _LEFT + _WIDTH / 2
    return _text(middle, 18, title, "middle") + _text(middle, _TOP + _HEIGHT + 38, across, "middle") + turned


def _line(kind: str, points: Sequence[Point]) -> str:
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _sample(kind: str) -> str:
    return f'<svg viewBox="0 0 28 8"><line class="{kind}" x1="1" x2="27" y1="4" y2="4"/></svg>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _svg(label: str, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 412 374" role="img" aria-label="{label}">{"".join(parts)}</svg>'


if __name__ == "__main__":
    sys.exit(main())
