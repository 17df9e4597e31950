"""A labelled set in, an ISO/IEC 30107-3 style report out; ``facelive evaluate`` on the command line.

Example:
    >>> from facelive import evaluation
    >>> report = evaluation.evaluate("labels.csv", workers=4)  # doctest: +SKIP
    >>> report.measures["apcer"].value, report.worst_species.name  # doctest: +SKIP
    (0.04, 'replay_tablet')
"""

from __future__ import annotations

from facelive.errors import EvaluationError
from facelive.evaluation.operating import MeasuredRate, OperatingPoint, choose_threshold
from facelive.evaluation.outcomes import Outcome
from facelive.evaluation.page import render_page
from facelive.evaluation.report import Listing, Measure, RateRow, Report, SourceRow
from facelive.evaluation.run import evaluate
from facelive.evaluation.samples import Sample, Samples
from facelive.evaluation.table import render_table

__all__ = [
    "EvaluationError",
    "Listing",
    "Measure",
    "MeasuredRate",
    "OperatingPoint",
    "Outcome",
    "RateRow",
    "Report",
    "Sample",
    "Samples",
    "SourceRow",
    "choose_threshold",
    "evaluate",
    "render_page",
    "render_table",
]
