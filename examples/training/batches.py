"""Prepared examples on disk: both views of an augmented picture and what the teachers said of it.

    python -m examples.training.batches ../runs/pool --chunks 120

Asking the teachers costs more than a training step, so it is done once, beside the training or before it, and every
network learns from the same files. A chunk is a function of its number; a command given again makes what is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.attacks.spoofs import SPECIES, mirror, present
from examples.training.camera import Box, Camera, Pixels, blended, cut, jittered, margins, shoot
from examples.training.data import FACES, PictureStore, Row, add_places, backdrop_files, load_rows, open_store
from examples.training.networks import SIZE
from examples.training.sampling import Sampler
from examples.training.teachers import FEATURES, NAMES, ask

from facelive.crops import face_crop, scene_crop

__all__ = ["EXAMPLE", "VIEWS", "Maker", "drawn", "views"]

VIEWS = {"near": 1.5, "wide": 3.0}
CHUNK = 1024  # examples in a file: about 100 MB
CUTS = 2  # examples of one augmented picture: asking the teachers costs five times as much as making one
EXAMPLE = np.dtype(
    [
        ("near", np.uint8, (SIZE, SIZE, 3)),
        ("wide", np.uint8, (SIZE, SIZE, 3)),
        ("label", np.float32),  # 1 live, 0 attack, NaN unknown
        ("row", np.int32),  # number of the picture that it was made from
        ("answers", np.float16, (len(NAMES),)),  # NaN where no teacher was asked
        ("features", np.float16, (FEATURES,)),
    ]
)


def views(image: Pixels, box: Box) -> dict[str, Pixels]:
    """Both views of a face, as the library cuts them: uint8, (128, 128, 3), RGB."""
    return {
        "near": face_crop(image, box, scale=VIEWS["near"], size=SIZE),
        "wide": scene_crop(image, box, scale=VIEWS["wide"], size=SIZE),
    }


@dataclass
class Maker:
    """From a chunk's number to its examples; workers get a copy each.

    Args:
        rows: The pictures.
        store: Decoded, in the order of ``rows``.
        backdrops: Pictures to stand behind synthetic attacks, if any.
        teachers: Folder of the open models; without it nobody is asked.
        own: An earlier model of ours, as one more teacher.
        sampler: Chooses the pictures.
        camera: How they are degraded.
        synthetic: Share of pictures not labelled as attacks that become one; as many more become its mirror.
        blended: Share of pictures that show through another one, face upon face. They have no label: only the
            teachers can say what they are, and a student that agrees with them between pictures too has understood
            more than the pictures (Beyer et al., "Knowledge distillation: a good teacher is patient and consistent").
    """

    rows: Sequence[Row]
    store: PictureStore
    backdrops: Optional[PictureStore]
    teachers: Optional[Path]
    own: Path
    sampler: Sampler
    camera: Camera = field(default_factory=Camera)
    synthetic: float = 0.12
    blended: float = 0.2

    def __post_init__(self) -> None:
        self._others: dict[tuple[str, Optional[float]], list[int]] = {}
        for index, row in enumerate(self.rows):
            self._others.setdefault((row.source, row.label), []).append(index)

    def __call__(self, number: int) -> npt.NDArray[Any]:
        """The examples of a chunk: `EXAMPLE`, (`CUTS` times the sampler's batch,)."""
        rng = np.random.default_rng([self.sampler.seed, number, 1])
        made = np.zeros(CUTS * self.sampler.batch, EXAMPLE)
        for place, index in enumerate(self.sampler.draw(number)):
            made[CUTS * place : CUTS * (place + 1)] = list(self._examples(int(index), rng))
        return made

    def _examples(self, index: int, rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
        row = self.rows[index]
        image, box, label = self.store[index], row.box, row.label
        draw = float(rng.random())
        if label != 0.0 and draw < 2 * self.synthetic:
            if draw < self.synthetic:
                made = present(image, box, rng, species=str(rng.choice(SPECIES)), backdrop=self._backdrop(rng))
                label = 0.0
            else:
                made = mirror(image, box, rng)
            image, box = made.image, made.box
        elif draw > 1 - self.blended and self.teachers:
            other = int(rng.integers(len(self.rows)))
            image = blended(image, box, self.store[other], self.rows[other].box, float(rng.uniform(0.2, 0.5)))
            label = None
        image, box = shoot(image, box, rng, self.camera)
        asked = jittered(box, rng, shift=0.02, zoom=(0.97, 1.03))
        answers, features = np.full(len(NAMES), np.nan, np.float32), np.full(FEATURES, np.nan, np.float32)
        if self.teachers:
            answers, features = ask(self.teachers, self.own, image, asked)  # uncut: they see what is around
        for _ in range(CUTS):
            part, face = self._as_the_other_class(image, box, row, rng)
            if rng.random() < self.camera.close:
                part, face = cut(part, face, ((float(rng.uniform(1.0, 1.6)) - 1) / 2,) * 4)
            seen = views(part, jittered(face, rng, shift=self.camera.shift, zoom=self.camera.zoom))
            yield (seen["near"], seen["wide"], np.nan if label is None else label, index, answers, features)

    def _as_the_other_class(self, image: Pixels, box: Box, row: Row, rng: np.random.Generator) -> tuple[Pixels, Box]:
        """Show no more surroundings than some picture of the source's other class: how much is in view is no cue."""
        others = self._others.get((row.source, None if row.label is None else 1.0 - row.label))
        if not others:
            return image, box
        other = int(rng.choice(others))
        return cut(image, box, margins(self.store[other], self.rows[other].box))

    def _backdrop(self, rng: np.random.Generator) -> Optional[Pixels]:
        if self.backdrops is None or rng.random() < 0.2:
            return None
        return self.backdrops[int(rng.integers(len(self.backdrops)))]


def drawn(rows: Sequence[Row], *, splits: Sequence[str] = ("train", FACES), left_out: Sequence[str] = ()) -> list[int]:
    """Numbers of the rows to learn from.

    Args:
        rows: All of them.
        splits: Those that may be learnt from.
        left_out: Beginnings of the names of sources that may not.
    """
    return [
        index
        for index, row in enumerate(rows)
        if row.split in splits and row.trainable and not row.source.startswith(tuple(left_out) or ("\0",))
    ]


_maker: Optional[Maker] = None
_pool = Path()


def _adopt(maker: Maker, pool: Path) -> None:
    global _maker, _pool
    _maker, _pool = maker, pool


def _write(number: int) -> int:
    assert _maker is not None
    path = _pool / f"{number:05d}.npy"
    if not path.exists():
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.save(file, _maker(number))
        partial.replace(path)
    return number


def prepare(maker: Maker, pool: Path, numbers: Sequence[int], workers: int) -> Iterator[int]:
    """Write the chunks of these numbers in worker processes; yields each number when it is there."""
    pool.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_adopt, initargs=(maker, pool)) as processes:
        yield from processes.map(_write, numbers)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line."""
    from tqdm import tqdm

    parser = argparse.ArgumentParser(prog="batches", description=__doc__)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--chunks", type=int, default=120)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--own", type=Path, required=True, help="an earlier one-view .tflite of ours, as a teacher")
    parser.add_argument("--splits", nargs="+", default=["train", FACES])
    parser.add_argument("--left-out", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blended", type=float, default=0.2, help="share; 0 for runs that leave sources out")
    add_places(parser)
    options = parser.parse_args(arguments)
    everything = load_rows(options.data, options.teachers)
    numbers = drawn(everything, splits=options.splits, left_out=options.left_out)
    rows = [everything[number] for number in numbers]
    store = open_store(options.data, [(row.file, row.size) for row in everything], options.cache).subset(numbers)
    backdrops = open_store(options.data, backdrop_files(options.data), options.cache)
    sampler = Sampler(rows, batch=CHUNK // CUTS, seed=options.seed)
    maker = Maker(rows, store, backdrops, options.teachers, options.own, sampler, blended=options.blended)
    wanted = range(options.first, options.first + options.chunks)
    for _ in tqdm(prepare(maker, options.pool, wanted, options.workers), total=len(wanted), unit="chunk"):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
