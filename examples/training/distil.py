"""Patient students: ``python -m examples.training.distil mobilenet RUN --taught-by RUN RUN --run OUT --minutes 9``.

A small network comes close to a large one when it hears it about very many pictures. With a GPU (PyTorch, and
``KERAS_BACKEND=torch``) several students share one growing pool of augmented pictures and what the teachers said of
each, as long as the clock allows. Teachers see a picture with its surroundings, students as it may reach them.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from examples.training.batches import Batch, BatchMaker, prefetched
from examples.training.data import add_places
from examples.training.derived import write_run
from examples.training.networks import NETWORKS
from examples.training.recipe import Recipe, changes_of
from examples.training.runs import load_run
from examples.training.train import batches_of

__all__ = ["main"]

# Shapes of students that start from ImageNet; one that goes on from a run keeps that run's.
FRESH: dict[str, dict[str, Any]] = {
    "mobilenet_v2": {"middle": True},
    "mobilenet": {"middle": True, "width": 0.5},
    "custom": {"width": 0.5},
}
BEGIN = {
    "taught_live": True,
    "taught_weight": 1.0,
    "features_weight": 1.0,
    "learning_rate": 2e-3,
    "average": 0.999,
}
GOING_ON = 0.5  # of the learning rate, for a student that has learnt before
KEPT_EVERY_S = 180  # weights so far; whoever is stopped goes on from those folders, named ...-so-far
REUSE = 4  # times a picture of the pool may come up before its students wait for more


def students_of(names: Sequence[str], common: Recipe, runs: Path) -> dict[str, tuple[Recipe, Optional[Path]]]:
    """Recipe and starting run of each student, by the name of its folder.

    Args:
        names: Names of networks, to start from ImageNet, or of finished runs, to go on from.
        common: What all share.
        runs: Folder of the runs.
    """
    if not (common.taught_live and common.features_weight):
        raise ValueError("students foretell MiniFAS 128's features: leave taught_live and features_weight as they are")
    found: dict[str, tuple[Recipe, Optional[Path]]] = {}
    for name in names:
        if name in NETWORKS:
            found[name] = (common.changed({"network": name, **FRESH[name]}), None)
            continue
        former = Recipe.of_run(runs / name)
        shape = {field: getattr(former, field) for field in ("network", "width", "middle", "last", "taught_share")}
        found[name] = (common.changed({**shape, "learning_rate": GOING_ON * common.learning_rate}), runs / name)
    return found


def distil(
    students: dict[str, tuple[Recipe, Optional[Path]]],
    out: Path,
    *,
    minutes: float,
    batch: int,
    data: Path,
    teachers: Path,
    cache: Path,
    workers: int,
    capacity: int,
    command: str,
) -> None:
    """Train all students side by side until the time is up.

    Args:
        students: As `students_of` gives them; the first one's recipe says how pictures are drawn and degraded.
        out: Beginning of the names of their runs' folders, beside which the teachers' are found.
        minutes: From this call to the last weights written.
        batch: Pictures in a student's step.
        data: Folder of the pictures.
        teachers: Folder of soft scores and starting weights.
        cache: Scratch folder for decoded pictures.
        workers: Processes that make pictures.
        capacity: Most pictures in the pool; each takes 50 kB of the GPU's memory.
        command: Written into the folders, after those that made the runs it needs.
    """
    began = time.monotonic()
    first = next(iter(students.values()))[0]
    taught_by = [out.parent / name for name in first.teachers]
    maker, _ = batches_of(first, data, teachers, cache)
    with _pictures(maker, workers) as new_ones:  # they are made while PyTorch starts
        import torch
        from examples.training.learner import Learner, Pool

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        pool = Pool(capacity, [load_run(run) for run in taught_by], device)
        learners = {
            name: Learner(recipe, device, imagenet=teachers, start=start) for name, (recipe, start) in students.items()
        }

        def write(suffix: str = "") -> None:
            for name, learner in learners.items():
                parents = [path for path in (students[name][1], *taught_by) if path is not None]
                recipe = learner.recipe.changed({"samples": learner.seen, "batch": batch})
                run, seconds = out.with_name(f"{out.name}-{name}{suffix}"), time.monotonic() - began
                write_run(run, learner.so_far(), recipe, parents, command, seconds=seconds)

        told = kept = opened = time.monotonic() - began
        ends = 60 * minutes - 10 - 5 * len(students)  # the weights must still be written
        print(f"students begin after {opened:.0f} s", flush=True)
        while (spent := time.monotonic() - began) < ends:
            pool.add(new_ones())
            for learner in learners.values():
                if pool.filled >= 8 * batch and learner.seen < REUSE * pool.added:
                    learner.step(pool, batch, learner.recipe.rate((spent - opened) / (ends - opened)))
            if not pool.filled:
                time.sleep(0.05)
            if spent - told > 10:
                told = spent
                state = {name: (learner.seen, round(learner.loss(), 4)) for name, learner in learners.items()}
                print(f"{spent:.0f} of {ends:.0f} s: pool {pool.added}, seen and loss {state}", flush=True)
            if spent - kept > KEPT_EVERY_S:
                kept = spent
                write("-so-far")
        write()


@contextmanager
def _pictures(maker: BatchMaker, workers: int) -> Iterator[Callable[[], list[Batch]]]:
    """Make batches in the background; what is given says which are new, and raises what stopped the making."""
    made: deque[Batch] = deque()
    enough = threading.Event()

    def make() -> None:
        for batch in prefetched(maker, range(1 << 30), workers=workers, ahead=4 * workers):
            made.append(batch)
            if enough.is_set():
                return

    making = ThreadPoolExecutor(1).submit(make)

    def new_ones() -> list[Batch]:
        if making.done():
            making.result()
        return [made.popleft() for _ in range(min(len(made), 32))]

    try:
        yield new_ones
    finally:
        enough.set()


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="distil", description=__doc__)
    parser.add_argument("students", nargs="+", help=f"{', '.join(NETWORKS)}, or the name of a run to go on from")
    parser.add_argument("--taught-by", nargs="+", required=True, help="names of finished runs")
    parser.add_argument(
        "--run", type=Path, required=True, help="what the students' folders, beside the teachers', begin with"
    )
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--capacity", type=int, default=200_000, help="most pictures in the pool, 50 kB each (200000)")
    add_places(parser)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=JSON", help="changes to the recipe")
    options = parser.parse_args(arguments)
    common = Recipe().changed({**BEGIN, **changes_of(options.set), "teachers": options.taught_by})
    words = [*options.students, "--taught-by", *options.taught_by, "--run", options.run.name]
    words += ["--minutes", f"{options.minutes:g}", "--batch", str(options.batch)]
    words += ["--set", *options.set] if options.set else []
    distil(
        students_of(options.students, common, options.run.parent),
        options.run,
        minutes=options.minutes,
        batch=options.batch,
        data=options.data,
        teachers=options.teachers,
        cache=options.cache,
        workers=options.workers,
        capacity=options.capacity,
        command="python -m examples.training.distil " + shlex.join(words),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
