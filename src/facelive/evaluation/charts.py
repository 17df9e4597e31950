"""Charts as inline SVG. Colours come from the page's style sheet, so that they follow light and dark."""

from __future__ import annotations

from html import escape
from statistics import NormalDist
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

from facelive.evaluation.figures import BINS, ReliabilityBin
from facelive.evaluation.report import RateRow

__all__ = ["COLOURED", "det_chart", "histogram_chart", "interval_chart", "reliability_chart"]

COLOURED = 5
"""How many species get a colour of their own in the DET chart; the others share a thin grey."""

_Point = Tuple[float, float]
_Scale = Callable[[float], float]
_WIDTH, _HEIGHT = 420.0, 380.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 10.0, 10.0, 44.0
_DEVIATE = NormalDist().inv_cdf
_DET_LOW, _DET_HIGH = 0.001, 0.9
_DET_TICKS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)


def det_chart(curves: Mapping[str, Sequence[_Point]], here: Optional[_Point]) -> str:
    """DET curves on normal deviate axes.

    Args:
        curves: ``(APCER, BPCER)`` points by name: first the worst species, then the species that get a colour in
            order, then the others.
        here: Both errors at the threshold in use, marked with a dot.
    """
    parts = [_grid(_DET_TICKS, _det_x, _det_y, lambda rate: f"{100 * rate:g}"), _titles("APCER, %", "BPCER, %")]
    low, high = _DET_LOW, _DET_HIGH
    parts.append(_line("equal", [(_det_x(low), _det_y(low)), (_det_x(high), _det_y(high))]))
    worst, *named = enumerate(curves.items())
    for number, (name, points) in (worst, *reversed(named)):  # the worst of all is a broad band under the others
        kind = "worst" if number == 0 else f"series s{number}" if number <= COLOURED else "series other"
        parts.append(_line(kind, [(_det_x(x), _det_y(y)) for x, y in _within(points, high)], title=name))
    if here:
        parts.append(f'<circle class="here" cx="{_det_x(here[0]):.1f}" cy="{_det_y(here[1]):.1f}" r="5"/>')
    return _svg("det", _WIDTH, _HEIGHT, "DET curves: BPCER against APCER", parts)


def histogram_chart(row: RateRow, threshold: float) -> str:
    """The scores of one row; bars on the wrong side of the threshold are strong, the others pale."""
    width, height, base = 280.0, 96.0, 78.0
    step, tallest = width / BINS, max(row.histogram, default=0) or 1
    parts = []
    for number, count in enumerate(row.histogram):
        if not count:
            continue
        tall = max(1.0, 70 * count / tallest)
        wrong = ((number + 0.5) / BINS >= threshold) != row.is_live
        kind = f"{'live' if row.is_live else 'attack'}{' wrong' if wrong else ''}"
        parts.append(
            f'<rect class="bar {kind}" x="{number * step + 0.5:.2f}" y="{base - tall:.2f}" width="{step - 1:.2f}" '
            f'height="{tall:.2f}"><title>{number / BINS:g} to {(number + 1) / BINS:g}: {count:,}</title></rect>'
        )
    parts.append(f'<line class="axis" x1="0" x2="{width:g}" y1="{base:g}" y2="{base:g}"/>')
    at = min(max(threshold, 0.0), 1.0) * width
    parts.append(f'<line class="threshold" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{base:g}"/>')
    for value, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        parts.append(_text(value * width, height - 4, f"{value:g}", anchor))
    return _svg("histogram", width, height, f"Scores of {row.name}", parts)


def reliability_chart(bins: Sequence[ReliabilityBin]) -> str:
    """The share of live units against the mean score; a larger dot stands for more units."""
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    parts = [_grid(ticks, _unit_x, _unit_y, lambda value: f"{value:g}"), _titles("mean score", "share of live units")]
    parts.append(_line("equal", [(_unit_x(0), _unit_y(0)), (_unit_x(1), _unit_y(1))]))
    points = [(_unit_x(one.mean_score), _unit_y(one.live_share)) for one in bins]
    parts.append(_line("calibration", points))
    most = max((one.units for one in bins), default=1)
    for (x, y), one in zip(points, bins):
        radius = 3 + 7 * (one.units / most) ** 0.5
        label = f"{one.low:g} to {one.high:g}: {one.units:,} units, {100 * one.live_share:.1f} % live"
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{label}</title></circle>')
    return _svg("reliability", _WIDTH, _HEIGHT, "Reliability diagram", parts)


def interval_chart(row: RateRow, highest: float) -> str:
    """A rate as a dot on its interval, from 0 to ``highest``: grouped where there is one, else exact."""
    interval = row.grouped or row.interval
    if row.rate is None or interval is None:
        return ""
    x = [4 + 112 * min(rate / highest, 1.0) for rate in (interval.low, row.rate, interval.high)]
    kind = "live" if row.is_live else "attack"
    parts = [
        '<line class="axis" x1="4" x2="116" y1="8" y2="8"/>',
        f'<line class="whisker {kind}" x1="{x[0]:.1f}" x2="{x[2]:.1f}" y1="8" y2="8"/>',
        f'<circle class="{kind}" cx="{x[1]:.1f}" cy="8" r="4"/>',
    ]
    return _svg("interval", 120, 16, f"{100 * interval.low:.2f} to {100 * interval.high:.2f} %", parts)


def _det_x(rate: float) -> float:
    return _unit_x(_det_share(rate))


def _det_y(rate: float) -> float:
    return _unit_y(_det_share(rate))


def _det_share(rate: float) -> float:
    low, high = _DEVIATE(_DET_LOW), _DEVIATE(_DET_HIGH)
    return (_DEVIATE(min(max(rate, _DET_LOW), _DET_HIGH)) - low) / (high - low)


def _unit_x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _unit_y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _grid(ticks: Sequence[float], to_x: _Scale, to_y: _Scale, label: Callable[[float], str]) -> str:
    parts = []
    for tick in ticks:
        x, y = to_x(tick), to_y(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP:g}" y2="{_HEIGHT - _BOTTOM:g}"/>')
        parts.append(f'<line class="grid" x1="{_LEFT:g}" x2="{_WIDTH - _RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(x, _HEIGHT - _BOTTOM + 16, label(tick), "middle"))
        parts.append(_text(_LEFT - 6, y + 4, label(tick), "end"))
    return "".join(parts)


def _titles(across: str, up: str) -> str:
    middle_x, middle_y = (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'<g transform="translate(13 {middle_y:g}) rotate(-90)">{_text(0, 0, up, "middle")}</g>'
    return _text(middle_x, _HEIGHT - 8, across, "middle") + turned


def _line(kind: str, points: Sequence[_Point], *, title: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in _visible(points))
    note = f"<title>{escape(title)}</title>" if title else ""
    return f'<polyline class="{kind}" points="{path}">{note}</polyline>'


def _within(points: Sequence[_Point], high: float) -> List[_Point]:
    """The points up to ``high`` and their neighbours beyond, so that a curve runs to the edge but not along it."""
    inside = [max(point) <= high for point in points]
    near = [any(inside[max(0, number - 1) : number + 2]) for number in range(len(points))]
    return [point for point, kept in zip(points, near) if kept]


def _visible(points: Sequence[_Point]) -> List[_Point]:
    """Without the points that fall on the one before, to a tenth of a pixel."""
    kept: List[_Point] = []
    for x, y in points:
        rounded = (round(x, 1), round(y, 1))
        if not kept or kept[-1] != rounded:
            kept.append(rounded)
    return kept


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(kind: str, width: float, height: float, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )
