"""Train one liveness network: ``python -m examples.training.train mobilenet_v2``.

A run is a folder: its recipe, its newest checkpoint, its log and its averaged weights. Started again with the same
folder it goes on where it stopped, with the very batches it would have seen.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from examples.training.batches import BatchMaker, echoed, prefetched
from examples.training.data import FACES, Row, add_places, backdrop_files, load_rows, open_store
from examples.training.networks import NETWORKS
from examples.training.recipe import Recipe, changes_of
from examples.training.runs import WEIGHTS
from examples.training.sampling import Sampler

__all__ = ["batches_of", "finished_lines", "main", "train"]


def batches_of(recipe: Recipe, data: Path, teachers: Path, cache: Path) -> tuple[BatchMaker, list[Row]]:
    """What a recipe trains on: its batches, and the pictures that they are drawn from."""
    rows = load_rows(data, teachers)
    store = open_store(data, [(row.file, row.size) for row in rows], cache)
    usable = [
        index
        for index, row in enumerate(rows)
        if row.split in recipe.splits and row.trainable and not row.source.startswith(recipe.left_out or ("\0",))
    ]
    chosen = [rows[index] for index in usable]
    maker = BatchMaker(
        chosen,
        store.subset(usable),
        Sampler(chosen, batch=recipe.batch, unlabelled=recipe.unlabelled, by_worth=recipe.by_worth, seed=recipe.seed),
        recipe.augment,
        label_weight=recipe.label_weight,
        teacher_mix=recipe.teacher_mix,
        synthetic=recipe.synthetic,
        backdrops=open_store(data, backdrop_files(data), cache) if recipe.synthetic else None,
        open_model=teachers / "minifas128.onnx" if recipe.taught_live else None,
        whole=bool(recipe.teachers) or recipe.taught_whole,
        taught_whole=recipe.taught_whole,
    )
    return maker, chosen


def train(
    recipe: Recipe,
    run: Path,
    *,
    data: Path,
    teachers: Path,
    cache: Path,
    start: Optional[Path] = None,
    workers: int = 1,
    stop_after: Optional[int] = None,
) -> Path:
    """Train to the end of the recipe, or go on with a run that was stopped.

    Args:
        recipe: What to do; written into the run's folder, and compared with what is there.
        run: The run's folder; made when missing.
        data: Folder of the pictures.
        teachers: Folder of soft scores and starting weights.
        cache: Scratch folder for decoded pictures.
        start: Folder of another run to start from, instead of ImageNet's weights.
        workers: Processes that make batches.
        stop_after: Save and leave after this many steps; a later call goes on.

    Returns:
        The file of averaged weights.
    """
    from examples.training.loop import Trainer  # imports TensorFlow

    run.mkdir(parents=True, exist_ok=True)
    written = run / "recipe.json"
    if written.exists() and Recipe.of_run(run) != recipe:
        raise ValueError(f"{run} holds a run of another recipe; take another --run or remove it")
    written.write_text(recipe.to_json(), encoding="utf-8")
    maker, chosen = batches_of(recipe, data, teachers, cache)
    _note_sources(run, chosen)
    if start is not None and not (run / "log.jsonl").exists():
        (run / "log.jsonl").write_text("".join(finished_lines(start)), encoding="utf-8")
    trainer = Trainer(recipe, imagenet=teachers, start=start, runs=run.parent)
    trainer.restore(run)
    labelled = sum(row.split != FACES for row in chosen)
    print(f"{recipe.network}: {labelled} labelled and {len(chosen) - labelled} other pictures, {recipe.steps} steps")
    began, first = time.monotonic(), trainer.step
    last = recipe.steps if stop_after is None else min(recipe.steps, first + stop_after)
    with (run / "log.jsonl").open("a", encoding="utf-8") as log:
        made = prefetched(maker, range(first // recipe.echo, -(-last // recipe.echo)), workers=workers)
        for batch in echoed(made, range(first, last), recipe.echo):
            loss = trainer.update(batch)
            done, spent = trainer.step - first, time.monotonic() - began
            if trainer.step % 10 == 0 or trainer.step == last:
                rate = done * recipe.batch / spent
                _bar(trainer.step, recipe.steps, loss, rate, (recipe.steps - trainer.step) * recipe.batch / rate)
                log.write(json.dumps({"step": trainer.step, "loss": round(loss, 4), "rate": round(rate, 1)}) + "\n")
                log.flush()
            if trainer.step % 50 == 0 or trainer.step == last:
                trainer.save(run)
    trainer.export_average(run)
    with (run / "log.jsonl").open("a", encoding="utf-8") as log:
        entry = {"finished": trainer.step, "seconds": round(time.monotonic() - began), "run": run.name}
        log.write(json.dumps(entry) + "\n")
    return run / WEIGHTS


def finished_lines(run: Path) -> list[str]:
    """The lines of a run's log that say what was finished, by it and by the runs it started from."""
    lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line in lines if "finished" in json.loads(line)]


def _note_sources(run: Path, rows: Sequence[Row]) -> None:
    """Write what the run learns from, for its card: pictures by source, live, attacks and unlabelled."""
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        kind = "unlabelled" if row.label is None else "live" if row.label else "attack"
        of_source = counts.setdefault(row.source, {})
        of_source[kind] = of_source.get(kind, 0) + 1
    (run / "sources.json").write_text(json.dumps(dict(sorted(counts.items())), indent=1), encoding="utf-8")


def _bar(step: int, steps: int, loss: float, rate: float, left_s: float) -> None:
    filled = 30 * step // steps
    bar = "#" * filled + "." * (30 - filled)
    text = f"[{bar}] {step}/{steps} loss {loss:.4f} {rate:.0f}/s {left_s / 60:.1f} min left"
    end = "" if sys.stdout.isatty() and step < steps else "\n"
    print(("\r" if sys.stdout.isatty() else "") + text, end=end, flush=True)


def _commands(options: argparse.Namespace) -> str:
    """The commands to type again, those of the run that this one starts from first, without this machine's folders."""
    words = ["python -m examples.training.train", options.network, f"--run {options.run.name}"]
    former = ""
    if options.recipe is not None:
        words.append(f"--recipe {options.recipe.parent.name}/{options.recipe.name}")
    if options.start is not None:
        words.append(f"--start {options.start.name}")
        if (options.start / "command.txt").exists():
            former = (options.start / "command.txt").read_text(encoding="utf-8").strip() + "\n"
    if options.set:
        words += ["--set", *(shlex.quote(change) for change in options.set)]
    return former + " ".join(words)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--run", type=Path, required=True, help="folder of this run, outside the repository")
    add_places(parser)
    parser.add_argument("--start", type=Path, help="folder of another run to go on from")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--stop-after", type=int, help="leave after this many steps; run again to go on")
    parser.add_argument("--recipe", type=Path, help="a recipe.json to begin with")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=JSON", help="changes to the recipe")
    options = parser.parse_args(arguments)
    recipe = Recipe() if options.recipe is None else Recipe.from_json(options.recipe.read_text(encoding="utf-8"))
    options.run.mkdir(parents=True, exist_ok=True)
    (options.run / "command.txt").write_text(_commands(options), encoding="utf-8")
    train(
        recipe.changed({"network": options.network, **changes_of(options.set)}),
        options.run,
        data=options.data,
        teachers=options.teachers,
        cache=options.cache,
        start=options.start,
        workers=options.workers,
        stop_after=options.stop_after,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
