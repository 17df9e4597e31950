"""The manifests as one table, and every picture decoded once into one file that all workers share."""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Iterable, Optional

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["FACES", "PictureStore", "Row", "add_places", "backdrop_files", "load_rows", "open_store"]

FACES = "faces"  # the split of pictures that carry soft scores and no label
FEWEST_PX = 32  # of a face that is not the largest in its photograph


@dataclass(frozen=True)
class Row:
    """One picture of the training material.

    Args:
        file: Path under the data folder.
        split: ``train``, ``val`` or ``faces``.
        label: 1.0 for bona fide, 0.0 for an attack, ``None`` for a photograph nobody verified.
        kind: Attack species, ``bona_fide``, or ``unverified``.
        source: Repository it came from.
        subject: Person, unique over the set.
        sequence: Recording, unique over the set.
        frame: Position in the recording.
        box: ``(x0, y0, x1, y1)`` of the face in pixels.
        size: ``(width, height)`` of the picture in pixels.
        soft: P(live) of each teacher, in [0, 1]: the MiniFASNet pair, then MiniFAS 128; ``None`` where not scored.
    """

    file: str
    split: str
    label: Optional[float]
    kind: str
    source: str
    subject: str
    sequence: str
    frame: int
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    soft: Optional[tuple[float, float]]

    @property
    def context(self) -> float:
        """How many times the face's longer side the picture's longer side is."""
        return max(self.size) / max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def trainable(self) -> bool:
        """Whether there is a face to learn from: some cut-outs are slivers a few pixels wide."""
        wide, high = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return min(wide, high) >= 14 and max(wide, high) <= 3 * min(wide, high)


def load_rows(data: Path, teachers: Optional[Path] = None) -> list[Row]:
    """Read ``liveness.jsonl`` and ``faces.jsonl`` with the teachers' soft scores beside each picture.

    Args:
        data: Folder with the manifests.
        teachers: Folder with ``train_scores.jsonl`` and ``val_scores.jsonl``; without it only labelled pictures, and
            ``soft`` is ``None``.

    Returns:
        Labelled pictures in manifest order, then the largest face of every scored photograph, then all other faces that
        are at least `FEWEST_PX` large.
    """
    soft: dict[str, dict[str, Any]] = {}
    if teachers is not None:
        for name in ("train_scores.jsonl", "val_scores.jsonl"):
            soft.update((entry["file"], entry) for entry in _read_lines(teachers / name))
    rows = [
        Row(
            file=f"images/{entry['file']}",
            split=entry["split"],
            label=float(entry["label"] == "live"),
            kind=entry["kind"],
            source=entry["source"],
            subject=str(entry["subject"]),
            sequence=str(entry["sequence"]),
            frame=int(entry["frame"]),
            box=_box(entry["box"]),
            size=(entry["width"], entry["height"]),
            soft=_pair(soft.get(entry["file"]) or soft.get(f"images/{entry['file']}")),
        )
        for entry in _read_lines(data / "liveness.jsonl")
    ]
    further: list[Row] = []
    if teachers is None:
        return rows
    for entry in _read_lines(data / "faces.jsonl"):
        scored = soft.get(f"faces/{entry['file']}")
        face = Row(
            file=f"faces/{entry['file']}",
            split=FACES,
            label=None,
            kind="unverified",
            source=entry["source"],
            subject=entry["file"],
            sequence=entry["file"],
            frame=0,
            box=_box(scored["box"]) if scored else (0.0, 0.0, 0.0, 0.0),
            size=(entry["width"], entry["height"]),
            soft=_pair(scored),
        )
        if scored:
            rows.append(face)
        boxes = [_box(other["box"]) for other in entry["faces"]]
        large = [box for box in boxes if max(box[2] - box[0], box[3] - box[1]) >= FEWEST_PX]
        further += [replace(face, box=box, soft=None) for box in large if not (scored and _same(box, face.box))]
    return rows + further


def backdrop_files(data: Path) -> list[tuple[str, tuple[int, int]]]:
    """``(file, (width, height))`` of every picture of ``backgrounds/``: scenes in which no face was found."""
    listed = _read_lines(data / "backgrounds.jsonl")
    return [(f"backgrounds/{entry['file']}", (entry["width"], entry["height"])) for entry in listed]


class PictureStore:
    """Decoded pictures by row number, read from a memory-mapped file: cheap to open in every worker.

    Args:
        path: The file of raw bytes that `open_store` wrote.
        sizes: ``(width, height)`` of each picture, in file order.
        chosen: Which of them, in which order; all by default.
    """

    def __init__(self, path: Path, sizes: list[tuple[int, int]], chosen: Optional[list[int]] = None) -> None:
        self.path = path
        self.sizes = sizes
        self.chosen = list(range(len(sizes))) if chosen is None else chosen
        self._starts = np.concatenate([[0], np.cumsum([3 * width * height for width, height in sizes])])
        self._bytes = np.memmap(path, np.uint8, "r")

    def __len__(self) -> int:
        return len(self.chosen)

    def subset(self, chosen: list[int]) -> PictureStore:
        """The pictures of these numbers, renumbered from 0."""
        return PictureStore(self.path, self.sizes, [self.chosen[index] for index in chosen])

    def __getitem__(self, index: int) -> npt.NDArray[np.uint8]:
        """uint8, (H, W, 3), RGB, 0-255; read-only."""
        index = self.chosen[index]
        width, height = self.sizes[index]
        flat = self._bytes[self._starts[index] : self._starts[index + 1]]
        return np.asarray(flat).reshape(height, width, 3)

    def __reduce__(self) -> tuple[Any, ...]:
        return (PictureStore, (self.path, self.sizes, self.chosen))


def open_store(data: Path, files: Iterable[tuple[str, tuple[int, int]]], cache: Path) -> PictureStore:
    """Decode every picture into one file under ``cache``, or open the file a former run left there.

    Args:
        data: Folder the file names start from.
        files: ``(file, (width, height))`` of each picture.
        cache: Scratch folder; it holds pictures of people, so keep it out of the repository.
    """
    listed = list(files)
    digest = hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:12]
    path = cache / f"pictures-{digest}.bin"
    sizes = [size for _, size in listed]
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as sink:
            for file, size in listed:
                with Image.open(data / file) as picture:
                    if picture.size != size:
                        raise ValueError(f"{file} is {picture.size}, its manifest says {size}")
                    sink.write(np.asarray(picture.convert("RGB")).tobytes())
        partial.replace(path)
    return PictureStore(path, sizes)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes have their middles closer than a third of a face."""
    apart = max(abs(one[0] + one[2] - other[0] - other[2]), abs(one[1] + one[3] - other[1] - other[3])) / 2
    return apart < max(one[2] - one[0], one[3] - one[1]) / 3


def _box(edges: list[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = edges
    return (x0, y0, max(x1, x0 + 2), max(y1, y0 + 2))


def _pair(scored: Optional[dict[str, Any]]) -> Optional[tuple[float, float]]:
    if scored is None:
        return None
    values = [scored.get("minifasnet_ensemble"), scored.get("minifas128")]
    known = [float(value) for value in values if value is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return (
        mean if values[0] is None else float(values[0]),
        mean if values[1] is None else float(values[1]),
    )


def add_places(parser: argparse.ArgumentParser) -> None:
    """Let a command line say where the pictures, the soft scores and the decoded pictures lie."""
    for name in ("shared/data", "shared/teachers", "runs/cache"):
        parser.add_argument(f"--{Path(name).name}", type=Path, default=Path("..", name))
