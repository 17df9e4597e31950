from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from facelive.errors import EvaluationError
from facelive.evaluation.outcomes import Ledger, Outcome

RUN: Dict[str, Any] = {"model": "mean", "threshold": 0.5, "window": 5}


def outcome(unit: int, score: float = 0.25) -> Outcome:
    return Outcome(unit, f"{unit}.jpg", "live", "", "", "", "", "judged", score=score)


def write(path: Path, *units: int) -> None:
    with Ledger(path, RUN, 5) as ledger:
        ledger.append(outcome(unit) for unit in units)


def test_a_ledger_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path, 3, 1)
    with Ledger(path, RUN, 5) as ledger:
        assert list(ledger.done) == [0, 1, 0, 1, 0]
        assert ledger.pictures == 2
        ledger.append([outcome(0, 1 / 3)])
    assert [(one.unit, one.score) for one in ledger] == [(3, 0.25), (1, 0.25), (0, 1 / 3)]


@pytest.mark.parametrize(
    "torn", [b'{"unit": 4, "pa', b"{", b"\0\0\0\0", b'{"unit": 4}', b"not JSON\n", b'{"unit": 9}\n']
)
def test_a_torn_last_line_is_cut_off_and_done_again(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "results.jsonl"
    write(path, 0, 1)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with Ledger(path, RUN, 5) as ledger:
        assert list(ledger.done) == [1, 1, 0, 0, 0]
        ledger.append([outcome(4)])
    assert path.read_bytes().startswith(whole)
    assert [one.unit for one in ledger] == [0, 1, 4]


def test_a_torn_first_line_is_a_new_beginning(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path)
    path.write_bytes(path.read_bytes()[:17])
    with Ledger(path, RUN, 5) as ledger:
        assert list(ledger) == []
    assert path.read_bytes().count(b"\n") == 1


def test_damage_before_the_last_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path, 0, 1, 2)
    lines = path.read_bytes().splitlines(keepends=True)
    for damage in (
        b"garbage\n",
        b'{"unit": "0"}\n',
        b'{"unit": 0}\n',
        b'{"unit": 7}\n',
        lines[1].replace(b": 0,", b': "0",'),
    ):
        path.write_bytes(b"".join([*lines[:2], damage, *lines[3:]]))
        with pytest.raises(EvaluationError, match="is damaged at line 3"):
            Ledger(path, RUN, 5)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({**RUN, "threshold": 0.6}, r"holds another run: threshold was 0.5 and is now 0.6"),
        ({**RUN, "model": "other"}, r"holds another run: model was 'mean' and is now 'other'"),
        ({**RUN, "vote": True}, r"holds another run: vote was None and is now True"),
    ],
)
def test_a_changed_run_is_refused(tmp_path: Path, run: Dict[str, Any], message: str) -> None:
    path = tmp_path / "results.jsonl"
    write(path, 0)
    before = path.read_bytes()
    with pytest.raises(EvaluationError, match=message):
        Ledger(path, run, 5)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"my,own,file\n1,2,3\n", b"{}\n", b"one line without an end", b'{"facelive": 1}\n']
)
def test_a_file_of_another_kind_is_never_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(content)
    with pytest.raises(EvaluationError, match="is not a results file of facelive"):
        Ledger(path, RUN, 5)
    assert path.read_bytes() == content


def test_an_outcome_written_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path, 2, 2)
    with Ledger(path, RUN, 5) as ledger:
        assert [one.unit for one in ledger] == [2]
        assert ledger.pictures == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"cannot write the results to .*: No such file or directory"):
        Ledger(tmp_path / "none" / "results.jsonl", RUN, 5)
