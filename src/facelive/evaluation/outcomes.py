"""What became of each picture or recording, and the file that keeps it so that a killed run can go on."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any, BinaryIO, Dict, List, NamedTuple, Optional, Sequence, Tuple

from facelive.errors import EvaluationError
from facelive.evaluation.samples import Sample, Unit

__all__ = ["Outcome", "ResultsFile"]

_MARK = "facelive_evaluation"
_FSYNC_SECONDS = 1.0


class Outcome(NamedTuple):
    """The answer to one unit of a set.

    Args:
        unit: Its position in the set.
        sample: The picture, or the first frame of the recording.
        status: ``"judged"``, ``"rejected"`` or ``"unreadable"``.
        score: P(bona fide) or the vote, in [0, 1], higher is more live; ``None`` unless judged.
        reason: Why it was rejected or could not be read; empty when judged.
        pictures: How many pictures the unit has.
        rejected: How many of them were rejected.
        unreadable: Paths of those that could not be read.
    """

    unit: int
    sample: Sample
    status: str
    score: Optional[float] = None
    reason: str = ""
    pictures: int = 1
    rejected: int = 0
    unreadable: Tuple[str, ...] = ()

    def to_dict(self) -> Dict[str, Any]:
        """Plain values for JSON, the sample's among them."""
        sample = {name: getattr(self.sample, name) for name in _SAMPLE}
        return {"unit": self.unit, **sample, **{name: getattr(self, name) for name in _ANSWER}}


_SAMPLE = ("path", "label", "species", "subject", "source", "sequence")
_ANSWER = ("status", "score", "reason", "pictures", "rejected", "unreadable")


class ResultsFile:
    """A JSONL file: what is evaluated on the first line, then an outcome a line, in the order they came.

    Use it in a ``with`` statement. One process at a time holds it; its lock ends with the process, however that ends.

    Args:
        path: Made when missing, else continued: ``done`` holds the outcomes that it has already.
        run: What is evaluated and how, ready for JSON; a file of another run is refused.
        units: The set.
        started_utc: When this run started; the attribute says when the first run on this file did.

    Raises:
        EvaluationError: The file cannot be written, another process holds it, it belongs to another run, is no
            results file, or is damaged before its last line.
    """

    def __init__(self, path: Path, run: Dict[str, Any], units: Sequence[Unit], *, started_utc: str = "") -> None:
        self.path = path
        self.done: List[Outcome] = []
        self.started_utc = started_utc
        self._synced = time.monotonic()
        try:
            if path.exists() and not path.is_file():
                raise EvaluationError(f"cannot write the results to {str(path)!r}: it is no regular file")
            self._file: BinaryIO = path.open("a+b")
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self._lock()
            self._resume({_MARK: 1, **run}, units)
        except BaseException:
            self._close()
            raise

    def append(self, outcome: Outcome) -> None:
        """Write an outcome; it survives the death of the process at once, and of the machine after a second.

        Raises:
            EvaluationError: The disk is full or gone.
        """
        self._write(outcome.to_dict())

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _lock(self) -> None:
        try:
            if os.name == "nt":
                import msvcrt

                self._file.seek(1 << 40)  # beyond what is written, because a locked byte cannot be read
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            else:
                import fcntl

                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise EvaluationError(
                f"another evaluation is writing to {str(self.path)!r}: wait for it, or name another file"
            ) from error
        except OSError:
            pass  # a file system without locks

    def _resume(self, run: Dict[str, Any], units: Sequence[Unit]) -> None:
        self._file.seek(0)
        first = self._file.readline()
        if not first.endswith(b"\n"):  # a new file, or one whose first line was cut off
            if first and not first.startswith(f'{{"{_MARK}"'.encode()[: len(first)]):
                raise self._foreign()
            self._file.truncate(0)
            self._write({**run, "started_utc": self.started_utc})
            return
        self._check_run(first, run)
        seen = bytearray(len(units))
        end = len(first)
        for number, line in enumerate(self._file, start=2):
            outcome = _outcome(line, units)
            if outcome is None:  # a last line that was cut off is done again
                if self._file.read(1):
                    raise EvaluationError(f"{str(self.path)!r} is damaged at line {number}: name another file")
                break
            end += len(line)
            if not seen[outcome.unit]:
                seen[outcome.unit] = True
                self.done.append(outcome)
        self._file.truncate(end)

    def _check_run(self, line: bytes, run: Dict[str, Any]) -> None:
        header = _parsed(line)
        if header is None or header.get(_MARK) != 1:
            raise self._foreign()
        self.started_utc = str(header.pop("started_utc", ""))
        # Through JSON and back, so that a tuple here and a list there are the same.
        expected = json.loads(json.dumps(run))
        name = next((name for name in {**expected, **header} if expected.get(name) != header.get(name)), None)
        if name is not None:
            raise EvaluationError(
                f"{str(self.path)!r} holds another run: {name} was {header.get(name)!r} and is now "
                f"{expected.get(name)!r}; go on with the old settings, or name another file"
            )

    def _write(self, content: Dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(content).encode() + b"\n")  # ASCII: a path may hold bytes that are no UTF-8
            self._file.flush()
            if time.monotonic() - self._synced > _FSYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise self._unwritable(error) from error

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written has been said already
            os.fsync(self._file.fileno())
        with contextlib.suppress(OSError):
            self._file.close()

    def _unwritable(self, error: OSError) -> EvaluationError:
        return EvaluationError(f"cannot write the results to {str(self.path)!r}: {error.strerror}")

    def _foreign(self) -> EvaluationError:
        return EvaluationError(f"{str(self.path)!r} is not a results file of facelive: name another one")


def _outcome(line: bytes, units: Sequence[Unit]) -> Optional[Outcome]:
    """What a line says, unless it is damaged."""
    content = _parsed(line) if line.endswith(b"\n") else None
    if content is None:
        return None
    try:
        unit, answer = content["unit"], {name: content[name] for name in _ANSWER}
        score = answer["score"]
        if type(unit) is not int or unit < 0 or (score is not None) != (answer["status"] == "judged"):
            return None
        if score is not None and not 0 <= score <= 1:
            return None
        return Outcome(unit, units[unit][0], **{**answer, "unreadable": tuple(answer["unreadable"])})
    except (KeyError, TypeError, IndexError):
        return None


def _parsed(line: bytes) -> Optional[Dict[str, Any]]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
