"""A labelled set of pictures, read and checked as a whole and held in memory."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from facelive.errors import EvaluationError
from facelive.evaluation.rows import Row, read_rows
from facelive.results import FaceBox
from facelive.words import shown

__all__ = ["Sample", "Samples", "Unit"]

_ALIASES = {"file": "path", "kind": "species"}
_UNNAMED = "unnamed"


class Sample(NamedTuple):  # a tuple, because hundreds of thousands are held
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


Unit = Tuple[Sample, ...]
"""What gets one score: a picture, or with a vote the frames of a recording in order."""


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
        EvaluationError: A row is wrong or a picture is listed twice; its line is named.
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
        self._samples = list(self._read())
        self.images = Path(images) if images is not None else self._found_images()

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples)

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def fingerprint(self) -> str:
        """A hash of every field of every row."""
        digest = hashlib.sha256()
        for sample in self._samples:
            digest.update(json.dumps(sample).encode() + b"\n")
        return digest.hexdigest()

    def units(self, *, vote: bool) -> List[Unit]:
        """Pictures one by one, or with ``vote`` recordings whole; pictures without a recording stand alone.

        Raises:
            EvaluationError: A class is missing, or with ``vote`` a recording is torn apart or changes its label.
        """
        labels = {sample.label for sample in self._samples}
        for label in ("live", "spoof"):
            if label not in labels:
                chosen = "".join(f" with {name}={value}" for name, value in self.where.items())
                raise EvaluationError(f"{self.data.name} has no {label} picture{chosen}: both classes are needed")
        return self._recordings() if vote else [(sample,) for sample in self._samples]

    def _recordings(self) -> List[Unit]:
        units: Dict[Any, Unit] = {}
        for name, group in groupby(enumerate(self._samples), key=lambda pair: pair[1].sequence or pair[0]):
            frames = [sample for _, sample in group]
            if name in units:
                raise EvaluationError(f"the rows of sequence {name!r} must stand together to be voted on")
            if any((frame.label, frame.species) != (frames[0].label, frames[0].species) for frame in frames):
                raise EvaluationError(f"sequence {name!r} is labelled in two ways")
            if all(frame.frame is not None for frame in frames):
                frames.sort(key=lambda frame: frame.frame or 0)
            units[name] = tuple(frames)
        return list(units.values())

    def _read(self) -> Iterator[Sample]:
        first: Dict[Any, int] = {}
        for number, row in enumerate(self._rows()):
            sample = _sample(row)
            normal = os.path.normpath(sample.path)
            path = sample.path if normal == sample.path else normal  # most often no second copy
            identity = path if sample.box is None else (path, sample.box)
            if first.setdefault(identity, number) != number:
                before = next(islice(self._rows(), first[identity], None)).where
                listed = f"{shown(repr(sample.path))} is listed already ({before})"
                raise EvaluationError(f"{row.where}: {listed}: count it once")
            yield sample

    def _rows(self) -> Iterator[Row]:
        for row in read_rows(self.data):
            for alias, name in _ALIASES.items():
                if alias in row.fields:
                    row.fields.setdefault(name, row.fields[alias])
            if all(_matches(row, name, value) for name, value in self.where.items()):
                yield row

    def _found_images(self) -> Path:
        if self.data.is_dir():
            return self.data
        beside, below = self.data.parent, self.data.parent / "images"
        first = self._samples[0].path if self._samples else ""
        # pathlib raises where a name is too long
        there = [os.path.exists(folder / first) for folder in (beside, below)]  # noqa: PTH110
        return below if first and there == [False, True] else beside


def _matches(row: Row, name: str, value: str) -> bool:
    if name not in row.fields:
        raise EvaluationError(f"{row.where}: there is no column {name!r} to choose by")
    return str(row.fields[name]) == value


def _sample(row: Row) -> Sample:
    for name in ("path", "label"):
        if name not in row.fields:
            raise EvaluationError(f"{row.where}: the column {name!r} is missing; there are {', '.join(row.fields)}")
    path, label = _text(row, "path"), _text(row, "label").lower()
    if not path:
        raise EvaluationError(f"{row.where}: the path is empty")
    if "\0" in path:
        raise EvaluationError(f"{row.where}: the path holds a NUL character")
    if label not in ("live", "spoof"):
        raise EvaluationError(f"{row.where}: label {shown(repr(row.fields['label']))} is neither live nor spoof")
    return Sample(
        path=path,
        label=sys.intern(label),
        species=sys.intern(_text(row, "species") or _UNNAMED) if label == "spoof" else "",
        subject=sys.intern(_text(row, "subject")),
        source=sys.intern(_text(row, "source")),
        sequence=sys.intern(_text(row, "sequence")),
        frame=_frame(row),
        box=_box(row),
    )


def _text(row: Row, name: str) -> str:
    value = row.fields.get(name)
    return "" if value is None else str(value).strip()


def _frame(row: Row) -> Optional[float]:
    text = _text(row, "frame")
    try:
        frame = float(text) if text else None
    except ValueError:
        frame = math.nan
    if frame is not None and not math.isfinite(frame):
        raise EvaluationError(f"{row.where}: frame {shown(repr(text))} is not a number")
    return frame


def _box(row: Row) -> Optional[Tuple[float, float, float, float]]:
    value = row.fields.get("box")
    if value in (None, ""):
        return None
    try:
        numbers = value.replace(",", " ").strip("[] ").split() if isinstance(value, str) else value
        x0, y0, x1, y1 = (float(number) for number in numbers)
        return FaceBox(x0, y0, x1, y1).edges
    except (TypeError, ValueError, OverflowError) as error:
        shape = "x0, y0, x1, y1 in pixels with x0 < x1 and y0 < y1"
        raise EvaluationError(f"{row.where}: box {shown(repr(value))} is not {shape}") from error
