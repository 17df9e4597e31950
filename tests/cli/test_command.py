"""The command itself: help, slips of the fingers, outputs that cannot take what is written, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.shell import facelive

import facelive as library


def test_alone_it_prints_help() -> None:
    done = facelive()
    assert done.returncode == 0
    assert done.stdout == facelive("--help").stdout
    for command in ("check", "models", "evaluate", "bench"):
        assert re.search(rf"^ +{command} ", done.stdout, re.M)


def test_the_version() -> None:
    assert facelive("-V").stdout == facelive("--version").stdout == f"facelive {library.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc", "x.jpg"], "there is no command 'chekc'; did you mean check?"),
        (["x.jpg"], "to judge a picture: facelive check PICTURE"),
        (["check"], "required: PICTURE"),
        (["check", "--treshold", "0.5", "x.jpg"], "there is no option --treshold; did you mean --threshold?"),
        (["check", "--model", "nobody", "x.jpg"], "no bundled model 'nobody'"),
        (["check", "--model", "none.tflite", "x.jpg"], "say live_class=0 or 1|cannot read the model file"),
        (["check", "--threshold", "7", "x.jpg"], "threshold is a P"),
        (["check", "--threshold", "nan", "x.jpg"], "threshold is a P"),
        (["check", "--workers", "0", "x.jpg"], "at least one worker"),
        (["check", "--workers", "2", "-"], "standard input is one picture"),
        (["check", "no/such/*.jpg"], "no file matches 'no/such/\\*.jpg'"),
    ],
)
def test_bad_usage_exits_with_2_in_one_sentence(arguments: list[str], message: str) -> None:
    done = facelive(*arguments)
    assert done.returncode == 2
    assert not done.stdout
    (said,) = done.stderr.splitlines()
    assert said.startswith("facelive") and re.search(message, said)


def test_models_lists_the_bundled() -> None:
    done = facelive("models")
    cards = json.loads(facelive("models", "--json").stdout)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == sorted(cards)
    assert cards["mobilenet_v2"]["live_class"] == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["check", "examples"], ["check", "--json", "examples"], ["models"], ["--help"]])
def test_a_full_disk_is_said(arguments: list[str]) -> None:
    for buffered in ("", "1"):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "facelive", *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": buffered},
            )
        assert done.returncode == 2
        assert done.stderr == "facelive: cannot write the output: No space left on device\n"


def test_a_reader_that_leaves_early_is_no_crash(portrait_path: Path) -> None:
    command = f"{sys.executable} -m facelive check {' '.join([str(portrait_path)] * 20)} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert "live" in done.stdout
    assert not done.stderr


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lists the children of a process, to be met as they start"
)
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_in_one_line(portrait_path: Path, workers: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "facelive", "check", "--workers", str(workers), *[str(portrait_path)] * 5000],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal sends it to the workers as well
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    if workers == 1:
        process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while workers > 1 and len(children.read_text().split()) < 2:  # one keeps the semaphores
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert re.fullmatch(r"facelive: interrupted( after \d+ of 5000 pictures)?\n", said)
