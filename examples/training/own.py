"""A model of your own from a folder: ``python -m examples.training.own FOLDER --out mymodel``.

The folder holds ``live/`` and ``spoof/<species>/``. Put the pictures of one person or recording into a folder of their
own there, under one name on both sides: nobody is then both learnt from and measured on. What comes out is
``mymodel.tflite`` with its card ``mymodel.json``, ready for ``LivenessDetector("mymodel.tflite")``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import numpy as np
from examples.training.batches import Maker, prepare
from examples.training.camera import cut
from examples.training.card import TEACHERS
from examples.training.config import CONFIGS, Config
from examples.training.data import load_rows, open_store
from examples.training.export import export
from examples.training.measure import Pictures, errors, logits_of
from examples.training.networks import from_imagenet
from examples.training.record import rounded
from examples.training.sampling import Sampler
from examples.training.teachers import MIXTURE
from examples.training.train import fit
from PIL import Image
from tqdm import tqdm

from facelive import FaceBox, LivenessModel
from facelive.errors import ImageError
from facelive.evaluation.rows import read_rows
from facelive.face_network import BundledFaceDetector
from facelive.faces import choose_face
from facelive.images import read_image

__all__ = ["gather", "main", "split_of", "train_own"]

SPLITS = {"val": 0.15, "calibration": 0.15}  # shares that are held out; the rest is learnt from
FACE_PX = 170.0  # longer side of a face as it is kept: no step of the training looks closer
LIMITS = [
    "Trained and measured on one collection of pictures: people, cameras and attacks that are not in it are unknown.",
    "Deepfakes and recordings injected in place of the camera are not presentation attacks, and are not detected.",
    "No certification is claimed; this is not a test under ISO/IEC 30107-3.",
]


def split_of(person: str) -> str:
    """Where everything of a person belongs: the same in every run, whatever other pictures there are.

    Example:
        >>> split_of("ann") == split_of("ann")
        True
    """
    place = int(hashlib.sha256(person.encode()).hexdigest()[:8], 16) / 16**8
    for split, share in SPLITS.items():
        if place < share:
            return split
        place -= share
    return "train"


def gather(folder: Path, work: Path) -> Counter[tuple[str, str]]:
    """Find the face in every picture, and write what is around it with a manifest that the other steps read.

    Args:
        folder: ``live/`` and ``spoof/<species>/``.
        work: Gets ``images/``, ``liveness.jsonl`` and an empty ``faces.jsonl``.

    Returns:
        How many pictures each split has of each label; under ``("none", "no face")`` and ``("none", "unreadable")``
        those that were left out.

    Raises:
        EvaluationError: The folder is not laid out like that.
        ValueError: A split has no picture of one label.
    """
    (work / "images").mkdir(parents=True, exist_ok=True)
    counted: Counter[tuple[str, str]] = Counter()
    lines = []
    for entry in _entries(folder, work, counted):
        counted[entry["split"], entry["label"]] += 1
        lines.append(json.dumps(entry) + "\n")
    for split in ("train", *SPLITS):
        for label in ("live", "spoof"):
            if not counted[split, label]:
                raise ValueError(
                    f"no {label} picture with a face falls into the part {split!r}, of {len(lines)} in all: add more "
                    "people, or more folders of pictures of them"
                )
    (work / "liveness.jsonl").write_text("".join(lines), encoding="utf-8")
    (work / "faces.jsonl").touch()
    return counted


def _entries(folder: Path, work: Path, counted: Counter[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    detector = BundledFaceDetector()
    for number, row in enumerate(tqdm(list(read_rows(folder)), desc="faces", unit="picture")):
        path, label, sequence = (row.fields[name] for name in ("path", "label", "sequence"))
        try:
            pixels = read_image(folder / path).pixels
        except ImageError:
            counted["none", "unreadable"] += 1
            continue
        face = choose_face(detector.detect(pixels), pixels.shape[1], pixels.shape[0])
        if not isinstance(face, FaceBox):
            counted["none", "no face"] += 1
            continue
        part, box = cut(pixels, face.edges, (1.5,) * 4)
        scale = min(1.0, FACE_PX / face.side_px)
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        name = f"{number:06d}.jpg"
        Image.fromarray(part).resize(size, Image.Resampling.BICUBIC).save(work / "images" / name, quality=95)
        person = Path(sequence).name if sequence else path
        yield {
            "file": name,
            "split": split_of(person),
            "label": label,
            "kind": "bona_fide" if label == "live" else row.fields["species"] or "attack",
            "source": "own",
            "subject": person,
            "sequence": sequence or path,
            "frame": number,
            "box": [edge * scale for edge in box],
            "width": size[0],
            "height": size[1],
        }


def train_own(
    folder: Path,
    out: Path,
    *,
    minutes: float = 20.0,
    config: Config = CONFIGS["custom"],
    imagenet: Path = Path("imagenet"),
    teachers: Optional[Path] = None,
    examples: int = 8192,
    workers: int = 2,
    work: Optional[Path] = None,
) -> dict[str, Any]:
    """From a folder of pictures to a model, its card and its figures.

    Args:
        folder: ``live/`` and ``spoof/<species>/``.
        out: The model's path without its ending.
        minutes: To train, after the examples are prepared.
        config: What is trained and how.
        imagenet: Starting weights of MobileNetV2; Keras downloads them unless there is a file.
        teachers: Folder of the open models, to learn from their answers too.
        examples: How many are prepared, 100 kB each.
        workers: Processes that prepare them, and threads that train.
        work: For what lies between: pictures, examples, weights. Beside ``out`` unless given.

    Returns:
        The figures of the part that was held out, as `errors` gives them.
    """
    from_imagenet(imagenet)  # a download that fails should fail before the examples are made
    work = work or out.with_name(f"{out.name}-work")
    counted = gather(folder, work)
    print(", ".join(f"{split} {label}: {count}" for (split, label), count in sorted(counted.items())))
    # Other pictures are another training; the same ones go on where a former command stopped.
    stage = work / hashlib.sha256((work / "liveness.jsonl").read_bytes()).hexdigest()[:8]
    rows = load_rows(work)
    store = open_store(work, [(row.file, row.size) for row in rows], work)
    chosen = [number for number, row in enumerate(rows) if row.split == "train" and row.trainable]
    sampler = Sampler([rows[number] for number in chosen], batch=128, unlabelled=0.0, seed=config.seed)
    ours = Path(__file__).parents[2] / "src" / "facelive" / "assets" / "mobilenet.tflite"  # one view, as teachers have
    maker = Maker([rows[number] for number in chosen], store.subset(chosen), None, teachers, ours, sampler)
    chunks = range(max(1, examples // 256))
    for _ in tqdm(prepare(maker, stage / "examples", chunks, workers), "examples", len(chunks), unit="chunk"):
        pass
    if not teachers:
        config = replace(config, label_weight=1.0)
    fit(config, [stage / "examples"], stage / "run", imagenet=imagenet, minutes=minutes, threads=workers)
    only_label = np.eye(1, len(MIXTURE), dtype=np.float32)[0]
    exported = export(
        stage / "run",
        out.parent,
        name=out.name,
        pictures=Pictures.load(work, None, work, split="calibration"),
        mixture=MIXTURE if teachers else only_label,
        about={
            "version": "1",
            "description": f"trained on {len(chosen)} pictures of one collection",
            "licence": "",
            "limits": LIMITS,
        },
    )
    held_out = Pictures.load(work, None, work, split="val")
    with LivenessModel.load(exported.path) as model:
        logits = logits_of(model, held_out)
    found: dict[str, Any] = rounded(errors(held_out, 1 / (1 + np.exp(-logits)), np.ones(len(held_out), bool)))
    path = exported.path.with_suffix(".json")
    card = json.loads(path.read_text(encoding="utf-8"))
    card["measured"] = found
    card["training"] = {
        "start": "ImageNet weights of MobileNetV2",
        "teachers": TEACHERS if teachers else [],
        "pictures": {label: counted["train", label] for label in ("live", "spoof")},
        "minutes": minutes,
        "seed": config.seed,
    }
    path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="own", description=__doc__)
    parser.add_argument("folder", type=Path, help="live/ and spoof/<species>/")
    parser.add_argument("--out", type=Path, required=True, help="the model's path without .tflite")
    parser.add_argument("--minutes", type=float, default=20.0, help="to train, after the examples are prepared")
    parser.add_argument("--imagenet", type=Path, default=Path("imagenet"), help="a file instead of Keras's download")
    parser.add_argument("--teachers", type=Path, help="folder of the open models, to learn from their answers too")
    parser.add_argument("--examples", type=int, default=8192, help="how many are prepared, 100 kB each")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    found = train_own(
        options.folder,
        options.out,
        minutes=options.minutes,
        imagenet=options.imagenet,
        teachers=options.teachers,
        examples=options.examples,
        workers=options.workers,
    )
    print(f"held out: {found['live']} live, {found['attacks']} attacks")
    print(json.dumps({name: value for name, value in found.items() if name not in ("live", "attacks")}, indent=1))
    print(f"wrote {options.out}.tflite and {options.out}.json; {options.out}-work holds your pictures: delete it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
