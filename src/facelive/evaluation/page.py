"""The report as one HTML page that needs nothing else: inline style and SVG, no script, no address."""

from __future__ import annotations

import base64
import io
from importlib import resources
from pathlib import Path
from typing import Any, Dict

from PIL import Image

from facelive.errors import EvaluationError, ImageError
from facelive.evaluation import charts
from facelive.evaluation.report import Report
from facelive.evaluation.table import MEASURES, figure, limit_text, percent, span
from facelive.images import read_image

__all__ = ["page_template", "render_page"]

_THUMBNAILS = 12
"""How many of the worst mistakes of each kind are shown, if pictures are asked for."""
_THUMBNAIL_PX = 240
_ELSEWHERE = {"model", "model_version", "model_sha256", "card"}
_WORDS = {
    "APCER": "share of attacks judged live, per species; the worst species counts",
    "BPCER": "share of live faces judged attacks",
    "ACER": "mean of APCER and BPCER; not in the standard, kept because papers report it",
    "EER": "the error where APCER and BPCER meet",
    "APNRR, BPNRR": "share of attacks and of live faces that were rejected without a score",
    "of presented": "attacks accepted, or live faces turned away for any reason, among all that were presented",
    "exact": "Clopper-Pearson interval, as if every unit were independent",
    "grouped": "bootstrap over subjects or recordings, whose pictures resemble each other",
}


def render_page(report: Report, *, thumbnails: bool = False) -> str:
    """One self-contained page, light or dark as the reader's system asks.

    Args:
        report: What ``evaluate`` returned.
        thumbnails: Show the worst mistakes, read again from where they were evaluated. The page then holds pictures
            of people, so mind who gets it.

    Returns:
        HTML to write to a UTF-8 file.

    Raises:
        EvaluationError: jinja2 is not installed.
    """
    by_rate = sorted(report.species, key=lambda row: -(row.rate or 0))
    ends = [row.grouped or row.interval for row in (*by_rate, report.bona_fide)]
    order = ["worst species", *(row.name for row in by_rate)]
    text: str = page_template().render(
        report=report,
        run=report.run,
        data=Path(report.run["data"]).name,
        settings={name: report.run[name] for name in report.run if name not in _ELSEWHERE},
        words=_WORDS,
        empty=(None, "", [], {}, ()),
        style=_text("style.css"),
        by_rate=by_rate,
        highest=max((interval.high for interval in ends if interval), default=1.0) or 1.0,
        det={name: report.det[name] for name in order if name in report.det},
        tiles=("apcer", "bpcer", "acer", "eer", "bpcer20", "roc_auc"),
        names=MEASURES,
        charts=charts,
        thumbnails=_thumbnails(report) if thumbnails else {},
        figure=figure,
        percent=percent,
        span=span,
        limit_text=limit_text,
    )
    return text.encode("utf-8", "backslashreplace").decode()  # a path may hold bytes that are no UTF-8


def page_template() -> Any:
    """The jinja2 template of the page; without jinja2 an ``EvaluationError`` names the extra."""
    try:
        import jinja2
    except ImportError as error:
        raise EvaluationError('the HTML report needs jinja2: pip install "facelive[report]"') from error
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(_text("report.html"))


def _text(name: str) -> str:
    return resources.files("facelive.evaluation").joinpath(name).read_text(encoding="utf-8")


def _thumbnails(report: Report) -> Dict[int, str]:
    """Data URLs of the worst mistakes by unit, without those that cannot be read any more."""
    urls = {}
    for outcome in (*report.accepted.shown[:_THUMBNAILS], *report.refused.shown[:_THUMBNAILS]):
        try:
            pixels = read_image(Path(report.run["images"]) / outcome.sample.path, min_side_px=_THUMBNAIL_PX).pixels
        except ImageError:
            continue
        small, file = Image.fromarray(pixels), io.BytesIO()
        small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
        small.save(file, "JPEG", quality=80)
        urls[outcome.unit] = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    return urls
