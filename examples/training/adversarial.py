"""How far small changes of the pixels fool a model: ``python -m examples.training.adversarial RUN --model FILE``.

Gradients come from RUN's Keras network, which FILE was exported from; verdicts come from FILE, through the library's
own crop. Attacked are pictures that show an attack: prints and screens simulated from the portrait, and a sample of
val attacks where the data is there. The defence that is measured beside it looks five times through boxes that miss by
a little on purpose, and lets the five scores vote. Figures go into FILE's card as ``measured.adversarial``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.measure import rounded
from examples.training.perturb import Attacker, Jitter, centred_box, make_scene
from examples.training.runs import load_run
from examples.training.sheet import COLLINS
from examples.training.spoofs import contact_rows
from PIL import Image

from facelive.models import LivenessModel
from facelive.voting import log_average

__all__ = ["ATTACKS", "EPS", "main", "sample_scenes", "simulated_scenes", "study", "table"]

EPS = (1, 2, 4, 8)
JITTER = Jitter()
LOOKS = 5
ATTACKS = {"FGSM": (1, False), "PGD": (10, False), "PGD that knows the jitter": (10, True)}
"""Steps, and whether the attacker reckons with the defence."""
PORTRAIT = Path("examples/portrait.jpg")
BATCH = 25
LARGEST_DIFFERENCE = 0.05  # between the run's network and the file: above it, the file is of another run

Pixels = npt.NDArray[np.uint8]
Scenes = dict[str, Pixels]  # "attack" and "live": uint8, (N, SCENE, SCENE, 3)


def simulated_scenes(portrait: Pixels, draws: int, crop_scale: float) -> Scenes:
    """Prints and screens of the portrait, and as many mirrors of it, ``draws`` of each species."""
    prints, screens, mirrors = contact_rows(portrait, COLLINS, range(draws))
    made = {"attack": [*prints, *screens], "live": mirrors}
    return {
        name: np.stack([make_scene(one.image, one.box, crop_scale=crop_scale) for one in pictures])
        for name, pictures in made.items()
    }


def sample_scenes(data: Path, cache: Path, count: int, crop_scale: float) -> Scenes:
    """Val attacks and val live pictures, ``count`` of each at most, spread evenly over the manifest."""
    from examples.training.valset import ValidationSet

    validation = ValidationSet.load(data, None, cache)
    found = {}
    for name, label in (("attack", 0.0), ("live", 1.0)):
        all_of_them = np.flatnonzero(validation.labels == label)
        chosen = all_of_them[np.linspace(0, len(all_of_them) - 1, min(count, len(all_of_them))).astype(int)]
        found[name] = np.stack(
            [make_scene(validation.store[int(i)], validation.rows[i].box, crop_scale=crop_scale) for i in chosen]
        )
    return found


def study(network: Any, model: LivenessModel, scenes: Scenes, *, seed: int = 0) -> dict[str, Any]:
    """How many attacks pass, and how many live pictures do not, by one look and by the vote of five jittered ones.

    Args:
        network: Keras: whose gradients the attacker has.
        model: Who judges.
        scenes: What is judged.
        seed: Of starts and jitter.

    Returns:
        ``live``, ``attacks`` (counts), ``bpcer`` of either kind, and ``passed``: for each attack and eps in steps of
        255 the share of attack pictures that pass, ``[by one look, by the vote]``; ``0`` is without a change.
    """
    rng = np.random.default_rng(seed)
    look, vote = _judge(model, scenes["live"], rng)
    found: dict[str, Any] = {
        "live": len(scenes["live"]),
        "attacks": len(scenes["attack"]),
        "bpcer": [float(np.mean(~look)), float(np.mean(~vote))],
        "passed": {"0": [float(side.mean()) for side in _judge(model, scenes["attack"], rng)]},
    }
    blind, knowing = (Attacker(network, crop_scale=model.card.crop_scale, jitter=one) for one in (None, JITTER))
    for name, (steps, knows) in ATTACKS.items():
        found["passed"][name] = {}
        attacker = knowing if knows else blind
        for eps in EPS:
            starts = range(0, len(scenes["attack"]), BATCH)
            parts = [scenes["attack"][start : start + BATCH] for start in starts]
            parts = [attacker.perturb(part, eps=eps, steps=steps, rng=rng) for part in parts]
            passed = _judge(model, np.concatenate(parts), rng)
            found["passed"][name][str(eps)] = [float(side.mean()) for side in passed]
            print(f"{name}, {eps}: {found['passed'][name][str(eps)]}", file=sys.stderr, flush=True)
    return found


def _judge(
    model: LivenessModel, scenes: Pixels, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which scenes are live by one look at the very box, and by the vote of looks through jittered ones."""
    box = centred_box(model.card.crop_scale)
    looks, votes = [], []
    for scene in scenes:
        boxes = [box, *(tuple(edges) for edges in JITTER.draw(box, LOOKS, rng))]
        first, *others = model.score(np.stack([model.crops(scene, one) for one in boxes])).tolist()
        looks.append(first >= model.card.threshold)
        votes.append(log_average(others) >= model.card.threshold)
    return np.array(looks), np.array(votes)


def table(found: dict[str, Any]) -> str:
    """Markdown: a row per eps, a column per attack, each ``by one look / by the vote``."""

    def cell(pair: Sequence[float]) -> str:
        return f"{100 * pair[0]:.0f} % / {100 * pair[1]:.0f} %"

    lines = []
    for part, one in found["parts"].items():
        passed = one["passed"]
        lines += [
            f"{part}: {one['attacks']} attacks, of which pass by one look / by the vote of {LOOKS} jittered looks;",
            f"of {one['live']} live pictures {cell(one['bpcer'])} are turned away",
            "",
            "| change, of 255 | " + " | ".join(ATTACKS) + " |",
            "|---|" + "---|" * len(ATTACKS),
            "| none | " + " | ".join([cell(passed["0"])] * len(ATTACKS)) + " |",
        ]
        lines += [f"| ±{eps} | " + " | ".join(cell(passed[name][str(eps)]) for name in ATTACKS) + " |" for eps in EPS]
        lines.append("")
    return "\n".join(lines)


def check_kinship(network: Any, model: LivenessModel, scenes: Pixels) -> None:
    """Refuse a network whose scores are not those of the file.

    Raises:
        ValueError: They differ by more than float16 explains.
    """
    from examples.training.calibration import Calibration
    from examples.training.export import keras_logits

    fitted = model.card.training["calibration"]
    crops = np.stack([model.crops(scene, centred_box(model.card.crop_scale)) for scene in scenes])
    expected = Calibration(fitted["temperature"], fitted["offset"])(keras_logits(network, crops))
    apart = float(np.abs(expected - model.score(crops)).max())
    if apart > LARGEST_DIFFERENCE:
        raise ValueError(f"{model.card.name} was not exported from this run: scores differ by up to {apart:.2f}")


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="adversarial", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the run that the file was exported from")
    parser.add_argument("--model", type=Path, required=True, help="the .tflite file, its card beside it")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("../runs/cache"))
    parser.add_argument("--draws", type=int, default=20, help="simulated attacks of each species")
    parser.add_argument("--sample", type=int, default=200, help="val attacks, and as many val live pictures")
    parser.add_argument("--out", type=Path, help="write the table here and leave the card alone")
    options = parser.parse_args(arguments)
    model, network = LivenessModel.load(options.model), load_run(options.run)
    scale = model.card.crop_scale
    parts = {"portrait": simulated_scenes(np.asarray(Image.open(PORTRAIT)), options.draws, scale)}
    check_kinship(network, model, parts["portrait"]["live"])
    if options.sample and (options.data / "liveness.jsonl").exists():
        parts["val"] = sample_scenes(options.data, options.cache, options.sample, scale)
    found = rounded(
        {
            "jitter": {"shift": JITTER.shift, "scale": JITTER.scale, "looks": LOOKS},
            "parts": {name: study(network, model, scenes) for name, scenes in parts.items()},
        }
    )
    if options.out is not None:
        options.out.write_text(table(found), encoding="utf-8")
    else:
        path = options.model.with_suffix(".json")
        card = json.loads(path.read_text(encoding="utf-8"))
        card["measured"]["adversarial"] = found
        path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
