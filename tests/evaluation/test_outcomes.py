"""The results file: continued, never spoilt, never shared, and clear about what it cannot do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from facelive.errors import EvaluationError
from facelive.evaluation import Outcome, Sample
from facelive.evaluation.outcomes import ResultsFile

RUN: Dict[str, Any] = {"model": "mean", "threshold": 0.5, "window": 5}
UNITS = [(Sample(f"{unit}.jpg", "live"),) for unit in range(5)]


def outcome(unit: int, score: float = 0.25) -> Outcome:
    return Outcome(unit, UNITS[unit][0], "judged", score=score)


def write(path: Path, *units: int) -> None:
    with ResultsFile(path, RUN, UNITS) as file:
        for unit in units:
            file.append(outcome(unit))


def read(path: Path) -> List[Outcome]:
    with ResultsFile(path, RUN, UNITS) as file:
        return file.done


def test_a_file_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path, 3, 1)
    with ResultsFile(path, RUN, UNITS) as file:
        assert file.done == [outcome(3), outcome(1)]
        file.append(outcome(0, 1 / 3))
    assert read(path) == [outcome(3), outcome(1), outcome(0, 1 / 3)]


@pytest.mark.parametrize(
    "torn", [b'{"unit": 4, "pa', b"{", b"\0\0\0\0", b'{"unit": 4}', b"not JSON\n", b'{"unit": 9}\n']
)
def test_a_torn_last_line_is_cut_off_and_done_again(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "results.jsonl"
    write(path, 0, 1)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    write(path, 4)
    assert path.read_bytes().startswith(whole)
    assert read(path) == [outcome(0), outcome(1), outcome(4)]


def test_a_torn_first_line_is_a_new_beginning(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path)
    path.write_bytes(path.read_bytes()[:17])
    assert read(path) == []
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
        b"[" * 100_000 + b"\n",
        lines[1].replace(b": 0,", b': "0",'),
        lines[1].replace(b"0.25", b"25"),
        lines[1].replace(b"0.25", b"null"),
        lines[1].replace(b"judged", b"rejected"),
    ):
        path.write_bytes(b"".join([*lines[:2], damage, *lines[3:]]))
        with pytest.raises(EvaluationError, match="is damaged at line 3"):
            read(path)


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
        ResultsFile(path, run, UNITS)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"my,own,file\n1,2,3\n", b"{}\n", b"one line without an end", b'{"facelive": 1}\n']
)
def test_a_file_of_another_kind_is_never_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(content)
    with pytest.raises(EvaluationError, match="is not a results file of facelive"):
        ResultsFile(path, RUN, UNITS)
    assert path.read_bytes() == content


def test_an_outcome_written_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path, 2, 2)
    assert read(path) == [outcome(2)]


def test_two_runs_never_write_to_one_file_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    hold = (
        "import sys, pathlib; from facelive.evaluation.outcomes import ResultsFile; "
        "file = ResultsFile(pathlib.Path(sys.argv[1]), {}, []); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    before = path.read_bytes()
    with pytest.raises(EvaluationError, match="another evaluation is writing to .*: wait for it, or name another"):
        ResultsFile(path, {}, [])
    assert path.read_bytes() == before
    other.kill()
    other.communicate()
    with ResultsFile(path, {}, []) as file:
        assert file.done == []


def test_a_name_that_is_no_utf8_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    units = [(Sample("caf\udce9.jpg", "live"),)]
    with ResultsFile(path, RUN, units) as file:
        file.append(Outcome(0, units[0][0], "unreadable", reason="no picture", unreadable=("caf\udce9.jpg",)))
    assert json.loads(path.read_text(encoding="ascii").splitlines()[1])["path"] == "caf\udce9.jpg"
    with ResultsFile(path, RUN, units) as file:
        assert file.done[0].unreadable == ("caf\udce9.jpg",)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"cannot write the results to .*: No such file or directory"):
        ResultsFile(tmp_path / "none" / "results.jsonl", RUN, UNITS)
    with pytest.raises(EvaluationError, match=r"cannot write the results to .*: it is no regular file"):
        ResultsFile(tmp_path, RUN, UNITS)


FILL = """
import pathlib, sys
from facelive.evaluation.outcomes import ResultsFile
from tests.evaluation.test_outcomes import RUN, UNITS, outcome
try:
    with ResultsFile(pathlib.Path(sys.argv[1]) / "r.jsonl", RUN, UNITS) as file:
        for _ in range(1000):
            file.append(outcome(0))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_is_said() -> None:
    small = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=32k none /mnt && exec "$@"', "sh"]
    if sys.platform != "linux" or subprocess.run([*small, "true"], capture_output=True).returncode:
        pytest.skip("only root on Linux may mount a small disk")
    done = subprocess.run([*small, sys.executable, "-c", FILL, "/mnt"], capture_output=True, text=True)
    said = "EvaluationError cannot write the results to '/mnt/r.jsonl': No space left on device\n"
    assert (done.stdout, done.stderr) == (said, "")
