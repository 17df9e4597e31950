"""The three ways to hand over a labelled set, read row by row: a folder, a CSV, a JSONL."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from facelive.errors import EvaluationError

__all__ = ["Row", "read_rows"]

# What lies beside pictures without being one. Any other file counts as a picture, so that what the library cannot
# read (.heic, .mp4) is reported as unreadable and not left out in silence.
_NOTES = {".csv", ".db", ".ini", ".json", ".jsonl", ".md", ".txt", ".xml", ".yaml", ".yml"}


class Row(NamedTuple):
    """One picture as written: ``where`` it stands, for error messages, and its ``fields`` by lower-case name."""

    where: str
    fields: Dict[str, Any]


def read_rows(data: Path) -> Iterator[Row]:
    """Rows of a folder, of a ``.jsonl``, or of any other file as CSV.

    Raises:
        EvaluationError: There is no such file or folder, or it cannot be understood; the line is named.
    """
    is_jsonl = data.suffix.lower() in (".jsonl", ".ndjson")
    try:
        if not data.exists():
            raise EvaluationError(f"there is no file or folder {str(data)!r}")
        yield from _folder_rows(data) if data.is_dir() else _jsonl_rows(data) if is_jsonl else _csv_rows(data)
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{data.name} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise EvaluationError(f"cannot read {str(error.filename or data)!r}: {error.strerror}") from error


def _folder_rows(root: Path) -> Iterator[Row]:
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    classes = {label: [path for path in folders if path.name.lower() == label] for label in ("live", "spoof")}
    for label, matching in classes.items():
        if not matching:
            names = ", ".join(path.name for path in folders) or "no folder"
            raise EvaluationError(
                f"{str(root)!r} needs a folder live/ and a folder spoof/<species>/: it has no {label}/, but {names}"
            )
    for label, matching in classes.items():
        pictures = [(folder, path) for folder in matching for path in _pictures(folder)]
        if not pictures:
            raise EvaluationError(f"{str(root)!r} has a {label} folder without a picture in it")
        for folder, path in pictures:
            parents = path.parent.relative_to(folder).parts
            species, recording = (parents[:1], parents[1:]) if label == "spoof" else ((), parents)
            where, sequence = (one.relative_to(root).as_posix() for one in (path, path.parent))
            fields = {"path": where, "label": label, "species": "".join(species)}
            yield Row(where, {**fields, "sequence": sequence if recording else ""})


def _pictures(folder: Path, above: Tuple[str, ...] = ()) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in above:  # two such links would be followed for ever
        raise EvaluationError(f"{str(folder)!r} is a link to a folder that it lies in: remove it")
    # Files before folders, so that the pictures of one recording stay together.
    entries = sorted(folder.iterdir(), key=lambda path: (path.is_dir(), _counted(path.name)))
    for path in entries:
        if path.is_dir():
            yield from _pictures(path, (*above, real))
        elif path.suffix.lower() not in _NOTES and not path.name.startswith("."):
            yield path


def _counted(name: str) -> List[Tuple[int, str]]:
    """A sort key that puts frame 2 before frame 10."""
    parts = re.split("([0-9]+)", name)
    return [(int(part or 0), "") if number % 2 else (0, part) for number, part in enumerate(parts)]


def _jsonl_rows(data: Path) -> Iterator[Row]:
    with data.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{data.name}, line {number}"
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise EvaluationError(f"{where}: this is not JSON: {error}") from error
            if not isinstance(fields, dict):
                raise EvaluationError(f"{where}: a row is a JSON object, not {line.strip()[:40]!r}")
            yield Row(where, {name.strip().lower(): value for name, value in fields.items()})


def _csv_rows(data: Path) -> Iterator[Row]:
    with data.open(encoding="utf-8-sig", newline="") as lines:
        first = lines.readline()
        separator = next((mark for mark in (",", ";", "\t") if mark in first), ",")
        lines.seek(0)
        reader = csv.reader(lines, delimiter=separator)
        try:
            header = [name.strip().lower() for name in next(reader, [])]
            if not any(header):
                raise EvaluationError(f"{data.name} is empty: its first line must name the columns")
            twice = next((name for name in header if name and header.count(name) > 1), None)
            if twice:
                raise EvaluationError(f"{data.name} has two columns {twice!r}: keep one")
            for values in reader:
                where = f"{data.name}, line {reader.line_num}"
                if not any(values):
                    continue
                if len(values) != len(header):
                    raise EvaluationError(f"{where}: {len(values)} fields, but the header names {len(header)}")
                yield Row(where, dict(zip(header, values)))
        except csv.Error as error:
            raise EvaluationError(f"{data.name}, line {reader.line_num}: {error}") from error
