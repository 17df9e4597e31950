"""Seconds and memory for a million scores: every measure, and 1,000 bootstrap rounds of all of them.

Run from the repository root: ``python -m tests.benchmarks.metrics_million [--scores 1000000] [--rounds 1000]``.
Peak memory counts the interpreter, NumPy and the scores themselves, each in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from typing import Any, Callable, Dict

import numpy as np

from facelive import metrics

SPECIES = ("mask", "print", "replay_monitor", "replay_phone", "replay_tablet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1000)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print(f"{options.scores:,} scores, half of them live, five species; {options.rounds:,} rounds")
    for name in TASKS:
        with context.Pool(1) as pool:
            seconds, before, after = pool.apply(measure, (name, options.scores, options.rounds))
        print(f"{name:<40} {seconds:8.2f} s   peak {after:5.0f} MiB, of which the scores and NumPy {before:5.0f} MiB")


def measure(name: str, count: int, rounds: int) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    live = 1 / (1 + np.exp(-rng.normal(2, 1.5, count // 2)))
    share = count // 2 // len(SPECIES)
    attacks = {species: 1 / (1 + np.exp(-rng.normal(-2 - 0.2 * n, 1.5, share))) for n, species in enumerate(SPECIES)}
    before = _peak_mib()
    start = time.perf_counter()
    TASKS[name](live, attacks, rounds)
    return time.perf_counter() - start, before, _peak_mib()


def _measures(live: Any, attacks: Dict[str, Any], rounds: int) -> None:
    metrics.apcer_by_species(attacks, 0.5)
    metrics.acer(live, attacks, 0.5)
    metrics.eer(live, attacks)
    metrics.roc_auc(live, attacks)
    for limit in (0.10, 0.05, 0.01):
        metrics.bpcer_at_apcer(live, attacks, limit)


def _bootstrap(live: Any, attacks: Dict[str, Any], rounds: int) -> None:
    metrics.bootstrap_measures(live, attacks, threshold=0.5, rounds=rounds)


def _grouped(live: Any, attacks: Dict[str, Any], rounds: int) -> None:
    groups = {species: np.arange(scores.size) // 10 for species, scores in attacks.items()}
    metrics.bootstrap_measures(
        live,
        attacks,
        threshold=0.5,
        bona_fide_groups=np.arange(live.size) // 10,
        attack_groups=groups,
        rounds=rounds,
    )


def _rate(live: Any, attacks: Dict[str, Any], rounds: int) -> None:
    metrics.bootstrap_rate(live < 0.5, np.arange(live.size) // 10, rounds=rounds)


def _exact(live: Any, attacks: Dict[str, Any], rounds: int) -> None:
    metrics.clopper_pearson(int((live < 0.5).sum()), live.size)


TASKS: Dict[str, Callable[[Any, Dict[str, Any], int], None]] = {
    "every measure once": _measures,
    "bootstrap, every score its own group": _bootstrap,
    "bootstrap, groups of ten": _grouped,
    "bootstrap of one rate, groups of ten": _rate,
    "Clopper-Pearson interval": _exact,
}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
