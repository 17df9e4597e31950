"""A labelled set of pictures: checked from end to end once, then read as often as needed, never held in memory."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Set, Tuple, Union

import numpy as np

from facelive.errors import EvaluationError
from facelive.evaluation.rows import Row, read_rows
from facelive.results import FaceBox

__all__ = ["Sample", "Samples", "Survey", "Unit"]

_ALIASES = {"file": "path", "kind": "species"}
_UNNAMED = "unnamed"


@dataclass(frozen=True)
class Sample:
    """One labelled picture.

    Args:
        path: As written in the set, relative to its pictures.
        label: ``"live"`` or ``"spoof"``.
        species: The attack species; empty for a live picture.
        subject: Who is seen, by one name in all sources; empty when unknown.
        source: Where the picture came from, empty when unknown.
        sequence: The recording it is a frame of, empty when it stands alone.
        frame: Its place in the recording.
        box: The face as ``(x0, y0, x1, y1)`` in pixels of the upright picture; ``None`` lets the detector find it.
    """

    path: str
    label: str
    species: str = ""
    subject: str = ""
    source: str = ""
    sequence: str = ""
    frame: Optional[float] = None
    box: Optional[Tuple[float, float, float, float]] = None


class Unit(NamedTuple):
    """What gets one score: a picture, or with a vote the frames of a recording in order."""

    position: int
    samples: Tuple[Sample, ...]


class Survey(NamedTuple):
    """A set counted and checked: how many ``pictures`` and ``units``, and a ``fingerprint`` of every row."""

    pictures: int
    units: int
    fingerprint: str


class Samples:
    """A folder (``live/``, ``spoof/<species>/``), a CSV or a JSONL of labelled pictures.

    Columns: ``path`` (or else ``file``) and ``label`` (``live`` or ``spoof``, in any case); optionally ``species`` (or
    else ``kind``), ``subject``, ``source``, ``sequence``, ``frame``, ``box``. Others are ignored.

    Args:
        data: The folder or file.
        images: Where relative paths start: unless given, the file's own folder, or ``images`` in it when the first
            picture is found there and not beside the file.
        where: Column values that a row must have to count, for example ``{"split": "val"}``.

    Raises:
        EvaluationError: Already when iterated: a row is wrong, and its line is named.
    """

    def __init__(
        self,
        data: Union[str, os.PathLike[str]],
        *,
        images: Optional[Union[str, os.PathLike[str]]] = None,
        where: Optional[Mapping[str, str]] = None,
    ) -> None:
        self.data = Path(data)
        self.where = {name.lower(): value for name, value in (where or {}).items()}
        self._images = None if images is None else Path(images)

    def __iter__(self) -> Iterator[Sample]:
        for row in self._rows():
            yield _sample(row)

    @property
    def images(self) -> Path:
        """The folder that relative paths start from."""
        if self._images is None:
            self._images = self.data if self.data.is_dir() else self._found_images()
        return self._images

    def units(self, *, vote: bool) -> Iterator[Unit]:
        """Pictures one by one, or with ``vote`` recordings whole; pictures without a recording stand alone."""
        if not vote:
            for position, sample in enumerate(self):
                yield Unit(position, (sample,))
            return
        keyed = ((sample.sequence or f"\0{row}", sample) for row, sample in enumerate(self))
        for position, (_, group) in enumerate(groupby(keyed, key=lambda pair: pair[0])):
            frames = [sample for _, sample in group]
            if all(sample.frame is not None for sample in frames):
                frames.sort(key=lambda sample: sample.frame or 0)
            yield Unit(position, tuple(frames))

    def survey(self, *, vote: bool) -> Survey:
        """Read the whole set once and check every row.

        Raises:
            EvaluationError: A row is wrong, a picture is listed twice, a class is missing, or with ``vote`` a
                recording is torn apart or changes its label.
        """
        digest, seen, labels = hashlib.sha256(), array("q"), {"live": 0, "spoof": 0}
        for sample in self:
            digest.update(json.dumps(asdict(sample), ensure_ascii=False).encode() + b"\n")
            seen.append(hash(_identity(sample)))
            labels[sample.label] += 1
        for label, count in labels.items():
            if not count:
                chosen = "".join(f" with {name}={value}" for name, value in self.where.items())
                raise EvaluationError(f"{self.data.name} has no {label} picture{chosen}: both classes are needed")
        if np.unique(np.frombuffer(seen, np.int64)).size < len(seen):
            self._name_duplicate()
        units = self._check_recordings() if vote else len(seen)
        return Survey(len(seen), units, digest.hexdigest())

    def _rows(self) -> Iterator[Row]:
        for row in read_rows(self.data):
            fields = {**{_ALIASES.get(name, name): value for name, value in row.fields.items()}, **row.fields}
            if all(_matches(row, name, value) for name, value in self.where.items()):
                yield Row(row.where, fields)

    def _found_images(self) -> Path:
        beside, below = self.data.parent, self.data.parent / "images"
        first = next(iter(self), None)
        if first is not None and not (beside / first.path).exists() and (below / first.path).exists():
            return below
        return beside

    def _name_duplicate(self) -> None:
        places: Dict[Any, str] = {}
        for row in self._rows():
            sample = _sample(row)
            before = places.setdefault(_identity(sample), row.where)
            if before != row.where:
                raise EvaluationError(f"{row.where}: {sample.path!r} is listed already ({before}): count it once")

    def _check_recordings(self) -> int:
        closed: Set[str] = set()
        count = 0
        for unit in self.units(vote=True):
            first = unit.samples[0]
            if first.sequence in closed:
                raise EvaluationError(f"the rows of sequence {first.sequence!r} must stand together to be voted on")
            if any((sample.label, sample.species) != (first.label, first.species) for sample in unit.samples):
                raise EvaluationError(f"sequence {first.sequence!r} is labelled in two ways")
            if first.sequence:
                closed.add(first.sequence)
            count += 1
        return count


def _matches(row: Row, name: str, value: str) -> bool:
    if name not in row.fields:
        raise EvaluationError(f"{row.where}: there is no column {name!r} to choose by")
    return str(row.fields[name]) == value


def _identity(sample: Sample) -> Tuple[str, Any]:
    return os.path.normpath(sample.path), sample.box


def _sample(row: Row) -> Sample:
    for name in ("path", "label"):
        if name not in row.fields:
            raise EvaluationError(f"{row.where}: the column {name!r} is missing; there are {', '.join(row.fields)}")
    path, label = _text(row, "path"), _text(row, "label").lower()
    if not path:
        raise EvaluationError(f"{row.where}: the path is empty")
    if label not in ("live", "spoof"):
        raise EvaluationError(f"{row.where}: label {row.fields['label']!r} is neither live nor spoof")
    return Sample(
        path=path,
        label=label,
        species=(_text(row, "species") or _UNNAMED) if label == "spoof" else "",
        subject=_text(row, "subject"),
        source=_text(row, "source"),
        sequence=_text(row, "sequence"),
        frame=_frame(row),
        box=_box(row),
    )


def _text(row: Row, name: str) -> str:
    value = row.fields.get(name)
    return "" if value is None else str(value).strip()


def _frame(row: Row) -> Optional[float]:
    text = _text(row, "frame")
    try:
        return float(text) if text else None
    except ValueError:
        raise EvaluationError(f"{row.where}: frame {text!r} is not a number") from None


def _box(row: Row) -> Optional[Tuple[float, float, float, float]]:
    value = row.fields.get("box")
    if value in (None, ""):
        return None
    try:
        numbers = value.replace(",", " ").strip("[] ").split() if isinstance(value, str) else value
        x0, y0, x1, y1 = (float(number) for number in numbers)
        return FaceBox(x0, y0, x1, y1).edges
    except (TypeError, ValueError) as error:
        raise EvaluationError(f"{row.where}: box {value!r} is not x0, y0, x1, y1 in pixels ({error})") from None
