"""What became of each picture or recording, appended to a file as it comes, so that a run can go on after a kill."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterable, Iterator, Optional, Tuple

from facelive.errors import EvaluationError

__all__ = ["Ledger", "Outcome"]

_MARK = "facelive_evaluation"
_FSYNC_SECONDS = 1.0


@dataclass(frozen=True)
class Outcome:
    """The answer to one unit of a set.

    Args:
        unit: Its position in the set.
        path: The picture, or the first frame of the recording, as written in the set.
        label: ``"live"`` or ``"spoof"``.
        species: Attack species; empty for live.
        subject: Who is seen, empty when unknown.
        source: Where it came from, empty when unknown.
        sequence: The recording, empty when it stands alone.
        status: ``"judged"``, ``"rejected"`` or ``"unreadable"``.
        score: P(bona fide) or the vote, in [0, 1], higher is more live; ``None`` unless judged.
        reason: Why it was rejected or could not be read; empty when judged.
        pictures: How many pictures the unit has.
        rejected: How many of them were rejected.
        unreadable: Paths of those that could not be read.
    """

    unit: int
    path: str
    label: str
    species: str
    subject: str
    source: str
    sequence: str
    status: str
    score: Optional[float] = None
    reason: str = ""
    pictures: int = 1
    rejected: int = 0
    unreadable: Tuple[str, ...] = ()


_KNOWN = {one.name for one in fields(Outcome)}


class Ledger:
    """A JSONL file: what is evaluated on the first line, then an outcome a line, in the order they came.

    Use it in a ``with`` statement; what was appended can still be read afterwards.

    Args:
        path: The file; it is made when missing and continued when there.
        run: What is evaluated and how, ready for JSON; a file of another run is refused.
        units: How many units the set has.

    Raises:
        EvaluationError: The file belongs to another run, is no results file, or is damaged before its last line.
    """

    def __init__(self, path: Path, run: Dict[str, Any], units: int) -> None:
        self.path = path
        self.done = bytearray(units)
        self.pictures = 0
        self.started_utc = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._synced = time.monotonic()
        try:
            self._file: BinaryIO = path.open("a+b")
        except OSError as error:
            raise EvaluationError(f"cannot write the results to {str(path)!r}: {error.strerror}") from error
        try:
            self._resume({_MARK: 1, **run})
        except BaseException:
            self._file.close()
            raise

    def append(self, outcomes: Iterable[Outcome]) -> None:
        """Write outcomes; they survive the death of the process at once, and of the machine after a second."""
        lines = []
        for outcome in outcomes:
            self._count(outcome)
            lines.append(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
        self._write("".join(lines))

    def __iter__(self) -> Iterator[Outcome]:
        """Every outcome once, in the order they came."""
        seen = bytearray(len(self.done))
        for _, outcome in self._outcomes():
            if not seen[outcome.unit]:
                seen[outcome.unit] = True
                yield outcome

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        """Make sure that everything is on the disk, and close the file."""
        os.fsync(self._file.fileno())
        self._file.close()

    def _resume(self, run: Dict[str, Any]) -> None:
        self._file.seek(0)
        first = self._file.readline()
        if not first.endswith(b"\n"):  # a new file, or one whose first line was cut off
            if first and not first.startswith(f'{{"{_MARK}"'.encode()[: len(first)]):
                raise EvaluationError(f"{str(self.path)!r} is not a results file of facelive: name another one")
            self._file.truncate(0)
            self._write(json.dumps({**run, "started_utc": self.started_utc}, ensure_ascii=False) + "\n")
            return
        self._check_run(first, run)
        end = len(first)
        for position, outcome in self._outcomes():
            self._count(outcome)
            end = position
        self._file.truncate(end)

    def _count(self, outcome: Outcome) -> None:
        if not self.done[outcome.unit]:
            self.done[outcome.unit] = True
            self.pictures += outcome.pictures

    def _check_run(self, line: bytes, run: Dict[str, Any]) -> None:
        header = _parsed(line)
        if header is None or header.get(_MARK) != 1:
            raise EvaluationError(f"{str(self.path)!r} is not a results file of facelive: name another one")
        self.started_utc = str(header.pop("started_utc", ""))
        # Through JSON and back, so that a tuple here and a list there are the same.
        expected = json.loads(json.dumps(run))
        changed = [name for name in {**expected, **header} if expected.get(name) != header.get(name)]
        if changed:
            name = changed[0]
            raise EvaluationError(
                f"{str(self.path)!r} holds another run: {name} was {header.get(name)!r} and is now "
                f"{expected.get(name)!r}; go on with the old settings, or name another file"
            )

    def _outcomes(self) -> Iterator[Tuple[int, Outcome]]:
        """Outcomes with the file position after each; a torn last line ends the reading."""
        with self.path.open("rb") as lines:
            lines.readline()
            for number, line in enumerate(lines, start=2):
                outcome = _outcome(_parsed(line), len(self.done)) if line.endswith(b"\n") else None
                if outcome is None:
                    if lines.read(1):
                        raise EvaluationError(f"{str(self.path)!r} is damaged at line {number}: name another file")
                    return
                yield lines.tell(), outcome

    def _write(self, text: str) -> None:
        self._file.write(text.encode())
        self._file.flush()
        if time.monotonic() - self._synced > _FSYNC_SECONDS:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()


def _outcome(content: Optional[Dict[str, Any]], units: int) -> Optional[Outcome]:
    """What a line says, unless it is damaged."""
    known = {name: value for name, value in (content or {}).items() if name in _KNOWN}
    try:
        outcome = Outcome(**{**known, "unreadable": tuple(known.get("unreadable", ()))})
    except TypeError:
        return None
    return outcome if isinstance(outcome.unit, int) and 0 <= outcome.unit < units else None


def _parsed(line: bytes) -> Optional[Dict[str, Any]]:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
