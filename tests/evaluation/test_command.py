"""``facelive evaluate`` as a shell sees it, killed and started again included."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest
from tests.evaluation.conftest import MakePicture

from facelive.evaluation.command import Progress, add_evaluate_parser

MANY = 2000  # enough that a run can be stopped in the middle on a fast machine
COMMAND = """
import argparse, sys
from facelive.evaluation.command import add_evaluate_parser
parser = argparse.ArgumentParser(prog="facelive")
add_evaluate_parser(parser.add_subparsers(required=True))
arguments = parser.parse_args()
sys.exit(arguments.run(arguments))
"""


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser(prog="facelive")
    add_evaluate_parser(parser.add_subparsers(required=True))
    options = parser.parse_args(["evaluate", *arguments])
    code: int = options.run(options)
    return code


@pytest.fixture
def options(folder: Path, model: Path, tmp_path: Path) -> List[str]:
    results = str(tmp_path / "results.jsonl")
    return [str(folder), "--model", str(model), "--crops", "--threshold", "0.5", "--results", results]


def test_a_table_says_every_rate(options: List[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*options) == 0
    out, err = capsys.readouterr()
    assert "mean 1 at threshold 0.5, 30 pictures" in out
    (printed,) = [line for line in out.splitlines() if line.startswith("APCER print")]
    assert printed.split()[2:5] == ["8", "1", "12.50"]
    assert "rejected: 1 face_too_small" in out
    assert "unreadable: spoof/print/broken.jpg" in out
    assert max(map(len, out.splitlines()[:18])) <= 100
    assert "30 of 30 pictures" in err


def test_json_and_the_page_hold_the_same_report(
    options: List[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    assert run(*options, "--json", "--report", str(page), "--max-apcer", "0.4") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["species"][0]["rate"] == 0.125
    assert content["operating_point"]["limit_value"] == 0.4
    assert "12.50 %" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: "nowhere.csv"}, "there is no file or folder 'nowhere.csv'"),
        ({2: "none.tflite"}, "cannot read the model file"),
        ({5: "1.5"}, r"threshold is a P(bona fide) in [0, 1], not 1.5"),
        ({7: "nowhere/results.jsonl"}, "cannot write the results"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    options: List[str], change: Dict[int, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for place, value in change.items():
        options[place] = value
    assert run(*options) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("facelive evaluate: ")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "extra", [["--where", "split"], ["--max-apcer", "0.1", "--max-bpcer", "0.1"], ["--workers", "x"]]
)
def test_bad_usage_exits_with_2(options: List[str], extra: List[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*options, *extra)
    assert caught.value.code == 2


@pytest.fixture
def many(tmp_path: Path, model: Path, picture: MakePicture) -> List[str]:
    """A command that takes a while; the name of its results file is still to come."""
    root = tmp_path / "many"
    for number in range(MANY):
        label = "live" if number % 2 else f"spoof/{'print' if number % 4 else 'mask'}"
        picture(root / label / f"{number}.png", 0.2 + 0.6 * number / MANY, seed=number)
    return [
        sys.executable,
        "-c",
        COMMAND,
        "evaluate",
        str(root),
        "--model",
        str(model),
        "--crops",
        "--json",
        "--results",
    ]


def _heed_interrupts() -> None:
    """A shell starts its background jobs deaf to them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _started(command: List[str], results: Path) -> subprocess.Popen[str]:
    """The command, running, when it has written some outcomes."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_interrupts
    )
    while process.poll() is None and _lines(results) < 40:
        time.sleep(0.005)
    return process


def test_killed_and_started_again_it_reports_the_same(many: List[str], tmp_path: Path) -> None:
    results, page = tmp_path / "results.jsonl", tmp_path / "report.html"
    command = [*many, str(results), "--report", str(page), "--workers", "2"]
    killed = _started(command, results)
    workers = _children(killed.pid)
    killed.kill()
    killed.communicate()
    assert 0 < _lines(results) - 1 < MANY, "the run was to be killed in the middle"
    for _ in range(200):  # its workers notice and end on their own
        if not any(map(_alive, workers)):
            break
        time.sleep(0.05)
    assert not any(map(_alive, workers))

    resumed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "going on after " in resumed.stderr
    resumed_page = page.read_text(encoding="utf-8")
    straight_results = str(tmp_path / "straight.jsonl")
    straight = subprocess.run(
        [*many, straight_results, "--report", str(page)], capture_output=True, text=True, check=True
    )
    assert _undated(resumed.stdout) == _undated(straight.stdout)
    parts = zip(resumed_page.split("<dt>"), page.read_text(encoding="utf-8").split("<dt>"))
    assert {before.split("<")[0] for before, after in parts if before != after} <= {"results", "started_utc"}


def test_an_interrupt_leaves_what_is_done(many: List[str], tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    process = _started([*many, str(results), "--workers", "2"], results)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert not out
    assert "interrupted: the same command goes on from here" in err
    assert "Traceback" not in err
    again = subprocess.run([*many, str(results)], capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["units"] == MANY


def test_progress_on_a_terminal_is_one_line_redrawn() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    progress = Progress(stream)
    for done in (0, 30, 60, 100):
        progress(done, 100)
    progress.end()
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert "[########################] 100 of 100 pictures" in text


def test_progress_in_a_log_says_where_it_goes_on() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    for done in range(40, 101):
        progress(done, 100)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "going on after 40 of 100 pictures"
    assert len(lines) == 3


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _children(pid: int) -> List[int]:
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def _undated(report: str) -> Dict[str, Any]:
    content: Dict[str, Any] = json.loads(report)
    for name in ("started_utc", "results"):
        content["run"].pop(name)
    return content
