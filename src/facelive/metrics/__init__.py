"""Error rates of presentation-attack detection, as ISO/IEC 30107-3 names them. NumPy only.

All functions speak of the same things:

- ``bona_fide`` is float, (N,), any finite range, higher is more live.
- ``attacks`` is the same of one species, or a mapping of species to scores. Of several species the worst counts, as
  the standard reports it; species are never pooled in silence.
- A score is accepted as live when ``score >= threshold``, so an attack exactly on the threshold is an APCER error.
- Rates lie in [0, 1]. A ``confidence`` lies above 0 and below 1.
- ``ValueError`` says that there are no scores of one kind, that one is not finite, or that an option is out of range.

They are pure, and threads may share them. Definitions are those of ISO/IEC 30107-3 unless another source is named.
"""

from __future__ import annotations

from .bootstrap import bootstrap_measures, bootstrap_rate
from .curves import DetCurve, EqualErrorRate, ErrorPoint, apcer_at_bpcer, bpcer_at_apcer, det_curve, eer, roc_auc
from .intervals import Interval, clopper_pearson, largest_error_count, rule_of_three, smallest_sample
from .rates import acer, apcer, apcer_by_species, bpcer

__all__ = [
    "DetCurve",
    "EqualErrorRate",
    "ErrorPoint",
    "Interval",
    "acer",
    "apcer",
    "apcer_at_bpcer",
    "apcer_by_species",
    "bootstrap_measures",
    "bootstrap_rate",
    "bpcer",
    "bpcer_at_apcer",
    "clopper_pearson",
    "det_curve",
    "eer",
    "largest_error_count",
    "roc_auc",
    "rule_of_three",
    "smallest_sample",
]
