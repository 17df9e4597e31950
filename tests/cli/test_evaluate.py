"""``facelive evaluate`` as a shell sees it, killed and started again included."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest
from tests.evaluation.conftest import MakePicture, folder, model, picture

from facelive.cli import main

__all__ = ["folder", "model", "picture"]  # fixtures

MANY = 2000  # enough that a run can be stopped in the middle on a fast machine


def run(*arguments: str) -> int:
    return main(["evaluate", *arguments])


@pytest.fixture
def options(folder: Path, model: Path, tmp_path: Path) -> List[str]:
    results = str(tmp_path / "results.jsonl")
    return [str(folder), "--model", str(model), "--crops", "--threshold", "0.5", "--results", results]


def test_a_table_begins_in_plain_words_and_says_every_rate(
    options: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*options) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"scored 30 pictures in \d+ s\n", err)
    assert out.startswith(
        "Of 100 print attacks, the worst species here, 12 pass (1 of 8 did).\n"
        "Of 100 live people, 23 are refused (3 of 13 were).\n"
    )
    assert "mean 1 at threshold 0.5, 30 pictures" in out
    (printed,) = [line for line in out.splitlines() if line.startswith("APCER print")]
    assert printed.split()[2:5] == ["8", "1", "12.50"]
    assert "rejected: 1 face_too_small" in out
    assert "unreadable: spoof/print/broken.jpg" in out


def test_a_table_fits_a_terminal_whatever_the_names(
    folder: Path, options: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "spoof" / "print").rename(folder / "spoof" / ("a_very_long_species_" * 5))
    (folder / "spoof" / "replay_phone" / "0.png").write_bytes(b"no picture")
    (folder / "spoof" / "replay_phone" / "0.png").rename(folder / "live" / "\033[2Jgone\n.png")
    assert run(*options, "--max-apcer", "0.4") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if not line.startswith(("unreadable: ", "every outcome: "))) <= 80
    assert r"unreadable: live/\x1b[2Jgone\n.png" in lines


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
        ({7: "x" * 300}, "cannot write the results"),
        ({7: "/dev/full"}, "cannot write the results to '/dev/full': it is no regular file"),
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
    assert err.startswith("facelive: ")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("report", "why"),
    [("nowhere/r.html", "there is no folder '.*nowhere'"), (".", "it is a folder")],
)
def test_where_the_report_goes_is_checked_before_anything_is_scored(
    options: List[str], tmp_path: Path, report: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*options, "--report", str(tmp_path / report)) == 2
    out, err = capsys.readouterr()
    assert not out
    assert re.fullmatch(f"facelive: cannot write the report to '.*': {why}\n", err)
    assert not (tmp_path / "results.jsonl").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_report_that_finds_the_disk_full_is_said_after_the_table(
    options: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*options, "--report", "/dev/full") == 2
    out, err = capsys.readouterr()
    assert out.startswith("Of 100 print attacks")
    assert err.endswith("facelive: cannot write the report to '/dev/full': No space left on device\n")


def test_without_jinja2_the_error_names_the_extra(options: List[str], tmp_path: Path) -> None:
    code = "import sys; sys.modules['jinja2'] = None; from facelive.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "evaluate", *options]
    done = subprocess.run([*command, "--report", str(tmp_path / "r.html")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'facelive: the HTML report needs jinja2: pip install "facelive[report]"\n'
    assert subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp932", "cp437", "latin-1", "ascii"])
def test_any_output_can_take_any_name(options: List[str], folder: Path, tmp_path: Path, encoding: str) -> None:
    try:
        (folder / "live" / "0.png").rename(os.fsdecode(os.fsencode(folder / "live") + b"/caf\xe9.png"))
    except OSError:
        pytest.skip("this file system wants names that are UTF-8")
    (folder / "spoof" / "print").rename(folder / "spoof" / "\u5370\u5237")
    page = tmp_path / "r.html"
    command = [sys.executable, "-m", "facelive", "evaluate", *options]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*command, "--report", str(page)], capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    table = done.stdout.decode(encoding)
    assert table.isascii() == (encoding not in ("utf-8", "cp932"))
    assert "unreadable: spoof/" in table
    assert r"live/caf\udce9.png" in page.read_text(encoding="utf-8")
    again = subprocess.run([*command, "--json"], capture_output=True, env=environment)
    assert "live/caf\udce9.png" in [one["path"] for one in json.loads(again.stdout)["refused"]["shown"]]


@pytest.mark.parametrize(
    "extra", [["--where", "split"], ["--max-apcer", "0.1", "--max-bpcer", "0.1"], ["--workers", "x"]]
)
def test_bad_usage_exits_with_2(options: List[str], extra: List[str]) -> None:
    assert run(*options, *extra) == 2


@pytest.fixture
def many(tmp_path: Path, model: Path, picture: MakePicture) -> List[str]:
    """A command that takes a while; the name of its results file is still to come."""
    root = tmp_path / "many"
    for number in range(MANY):
        label = "live" if number % 2 else f"spoof/{'print' if number % 4 else 'mask'}"
        picture(root / label / f"{number}.png", 0.2 + 0.6 * number / MANY, seed=number)
    options = ["--model", str(model), "--crops", "--json", "--results"]
    return [sys.executable, "-m", "facelive", "evaluate", str(root), *options]


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
    said = r"facelive: interrupted after \S+ of 2,000 pictures; the same command goes on from here"
    assert [line for line in err.splitlines() if re.fullmatch(said, line)] == err.splitlines()[-1:]
    assert "Traceback" not in err
    again = subprocess.run([*many, str(results)], capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["units"] == MANY


def test_two_runs_on_one_file_are_refused(many: List[str], tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    first = _started([*many, str(results)], results)
    second = subprocess.run([*many, str(results)], capture_output=True, text=True)
    assert (second.returncode, second.stdout) == (2, "")
    assert "another evaluation is writing to" in second.stderr
    out, _ = first.communicate()
    assert json.loads(out)["units"] == MANY
    assert _lines(results) == 1 + MANY


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
