"""Bootstrap intervals that resample whole groups: subjects or recordings, whose pictures resemble each other.

No score is ever copied. A round is a weight for every group; rates follow from weighted counts, and measures over
all thresholds from weighted histograms. A million scores and a thousand rounds take seconds and a few hundred MB.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Optional, Union

import numpy as np
import numpy.typing as npt

from ._scores import Attacks, Scores, checked, checked_species, checked_threshold
from .intervals import Interval

__all__ = ["bootstrap_measures", "bootstrap_rate"]

Groups = Union[npt.ArrayLike, Mapping[str, npt.ArrayLike]]
_EXACT_EDGES = 8_192
_ROUNDING = 1e-12
_CELLS_PER_BATCH = 1 << 18


def bootstrap_rate(
    errors: npt.ArrayLike,
    groups: Optional[npt.ArrayLike] = None,
    *,
    rounds: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile interval of an error rate when groups of trials, not single trials, are independent.

    Every round draws as many groups as there are, with replacement, and counts all trials of each. Without a single
    error, or with nothing else, all rounds are alike and the interval has no width: quote ``clopper_pearson`` then.
    Source: A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8.

    Args:
        errors: bool, (N,), whether each trial was an error.
        groups: Any sortable labels, (N,), for example subjects; ``None`` takes every trial for its own group.
            Fewer than two are refused, because they say nothing about the variation between groups.
        rounds: How often to resample.
        confidence: Of the interval.
        seed: Same seed, same interval.

    Example:
        >>> errors = [True] * 5 + [False] * 95
        >>> people = ["Ada"] * 10 + ["Ben"] * 30 + ["Cem"] * 30 + ["Dia"] * 30
        >>> alone, grouped = bootstrap_rate(errors), bootstrap_rate(errors, people)
        >>> alone.high < grouped.high  # all errors are one person's: the next people may bring more, or none
        True
    """
    wrong = np.asarray(errors, dtype=bool)
    member, count = _members(groups, wrong.size)
    trials = np.bincount(member, minlength=count)
    mistakes = np.bincount(member, weights=wrong, minlength=count)
    # Groups with the same counts cannot be told apart: draw how often each kind comes, not each group.
    kinds, repeats = np.unique(np.stack([mistakes, trials]), axis=1, return_counts=True)
    rng = np.random.default_rng(seed)
    rates = [
        (drawn @ kinds[0]) / (drawn @ kinds[1])
        for drawn in (rng.multinomial(count, repeats / count, size) for size in _batches(rounds, repeats.size))
    ]
    return _percentiles(np.concatenate(rates), confidence)


def bootstrap_measures(
    bona_fide: npt.ArrayLike,
    attacks: Attacks,
    *,
    threshold: float,
    bona_fide_groups: Optional[npt.ArrayLike] = None,
    attack_groups: Optional[Groups] = None,
    rounds: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Dict[str, Interval]:
    """Percentile intervals of every measure at once.

    Groups are drawn with replacement within the bona fide scores and within each species. Up to 8,192 distinct
    scores the resampled measures are exact; beyond, thresholds are that many quantiles of the scores.

    Args:
        bona_fide: The scores of live faces.
        attacks: The scores of attacks.
        threshold: Where ``apcer``, ``bpcer`` and ``acer`` are measured.
        bona_fide_groups: Labels, one a score, as in ``bootstrap_rate``.
        attack_groups: Labels like ``attacks``, or a mapping of species to labels.
        rounds: How often to resample.
        confidence: Of the intervals.
        seed: Same seed, same intervals.

    Returns:
        Intervals of ``apcer`` (worst species), ``bpcer``, ``acer``, ``eer``, ``roc_auc``, ``bpcer10``, ``bpcer20``
        and ``bpcer100``.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> intervals = bootstrap_measures(rng.normal(1, 1, 500), rng.normal(-1, 1, 500), threshold=0.0)
        >>> intervals["eer"].low < 0.159 < intervals["eer"].high
        True
    """
    live, species = checked(bona_fide, "bona fide"), checked_species(attacks)
    edges = _edges([live, *species.values()], checked_threshold(threshold))
    groups = attack_groups if isinstance(attack_groups, Mapping) else dict.fromkeys(species, attack_groups)
    if groups.keys() != species.keys():
        raise ValueError(f"attack_groups has {', '.join(map(str, groups))}, but attacks has {', '.join(species)}")
    drawers = [_Resampler(live, bona_fide_groups, edges)]
    drawers += [_Resampler(scores, groups[name], edges) for name, scores in species.items()]
    at_threshold = int(np.searchsorted(edges, threshold))
    rng = np.random.default_rng(seed)
    batches: Dict[str, List[Scores]] = {}
    for size in _batches(rounds, edges.size * len(drawers)):
        refused, *attacks = (drawer.below(rng, size) for drawer in drawers)
        for name, values in _measures(refused, attacks, at_threshold).items():
            batches.setdefault(name, []).append(values)
    return {name: _percentiles(np.concatenate(values), confidence) for name, values in batches.items()}


class _Resampler:
    """Draws the groups of one kind of score and says what share of the drawn scores lies below each edge."""

    def __init__(self, scores: Scores, groups: Optional[npt.ArrayLike], edges: Scores) -> None:
        self.bins = edges.size + 1
        bins = np.searchsorted(edges, scores, side="right")
        member, self.count = _members(groups, scores.size)
        self.alone = self.count == scores.size
        if self.alone:
            self.shares = np.bincount(bins, minlength=self.bins) / scores.size
        else:
            cells, self.cell_counts = np.unique(member * self.bins + bins, return_counts=True)
            self.cell_group, self.cell_bin = np.divmod(cells, self.bins)

    def below(self, rng: np.random.Generator, size: int) -> Scores:
        """float64, (size, edges): a row per round."""
        counts = rng.multinomial(self.count, self.shares, size) if self.alone else self._grouped(rng, size)
        totals = np.cumsum(counts, axis=1, dtype=np.float64)
        below: Scores = totals[:, :-1] / totals[:, -1:]
        return below

    def _grouped(self, rng: np.random.Generator, size: int) -> Scores:
        rows = np.empty((size, self.bins))
        for row in rows:
            weights = np.bincount(rng.integers(0, self.count, self.count), minlength=self.count)
            row[:] = np.bincount(self.cell_bin, self.cell_counts * weights[self.cell_group], self.bins)
        return rows


def _measures(refused: Scores, attacks: List[Scores], at_threshold: int) -> Dict[str, Scores]:
    """Measures of each round from the shares of live scores (``refused``) and of every species below the edges."""
    accepted = 1 - np.minimum.reduce(attacks)
    gap = np.abs(accepted - refused)
    both = np.where(gap <= gap.min(axis=1, keepdims=True) + _ROUNDING, accepted + refused, np.inf)
    apcer, bpcer = accepted[:, at_threshold], refused[:, at_threshold]
    measures = {"apcer": apcer, "bpcer": bpcer, "acer": (apcer + bpcer) / 2, "eer": both.min(axis=1) / 2}
    # A live score wins over the attacks in lower bins and shares its own bin: trapezoids under the ROC curve.
    live = np.diff(refused, axis=1, prepend=0.0)
    live[:, :-1] += live[:, 1:]
    measures["roc_auc"] = np.minimum.reduce([np.einsum("re,re->r", live, species) / 2 for species in attacks])
    for name, limit in (("bpcer10", 0.10), ("bpcer20", 0.05), ("bpcer100", 0.01)):
        first = np.argmax(accepted <= limit + _ROUNDING, axis=1)
        measures[name] = refused[np.arange(first.size), first]
    return measures


def _edges(kinds: List[Scores], threshold: float) -> Scores:
    distinct = np.unique(np.concatenate(kinds))
    top = np.nextafter(distinct[-1], np.inf)
    if distinct.size > _EXACT_EDGES:
        ranks = np.linspace(0, 1, _EXACT_EDGES // len(kinds))
        distinct = np.concatenate([np.sort(part)[(ranks * (part.size - 1)).astype(np.int64)] for part in kinds])
    return np.unique(np.append(distinct, [threshold, top]))


def _members(groups: Optional[npt.ArrayLike], size: int) -> tuple[npt.NDArray[np.int64], int]:
    """The number of each trial's group, and how many groups there are."""
    if not size:
        raise ValueError("there are no trials to resample")
    if groups is None:
        member, count = np.arange(size), size
    else:
        labels = np.asarray(groups)
        if labels.shape != (size,):
            raise ValueError(f"{size} trials need as many group labels, not an array of shape {labels.shape}")
        names, member = np.unique(labels, return_inverse=True)
        count = names.size
    if count < 2:
        raise ValueError("one group says nothing about the variation between groups: at least two are needed")
    return member.astype(np.int64), count


def _batches(rounds: int, cells: int) -> Iterator[int]:
    if rounds < 1:
        raise ValueError(f"at least one bootstrap round is needed, not {rounds}")
    step = max(1, _CELLS_PER_BATCH // cells)
    for start in range(0, rounds, step):
        yield min(step, rounds - start)


def _percentiles(values: Scores, confidence: float) -> Interval:
    if not 0 < confidence < 1:
        raise ValueError(f"the confidence must be above 0 and below 1, not {confidence}")
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))
