"""Error rates of presentation-attack detection, as ISO/IEC 30107-3 names them. NumPy only.

Every function speaks of two kinds of scores, ``bona_fide`` and ``attacks``: float, (N,), any finite range, higher
is more live. A score is accepted as live when ``score >= threshold``, so an attack exactly on the threshold is an
APCER error. Where ``attacks`` may be a mapping of species to scores, the APCER is that of the worst species, as
the standard reports it; species are never pooled in silence. All functions are pure and may be shared by threads.
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
