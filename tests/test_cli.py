"""The command as a shell runs it: what it prints, where, and its exit code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NETWORKS = Path(__file__).parent / "networks"


def facelive(*arguments: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "facelive", *map(str, arguments)], input=stdin, capture_output=True, timeout=120
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def one_output(tmp_path: Path) -> Path:
    """A model of one's own with its card: it answers with the brightness of the crop."""
    shutil.copy(NETWORKS / "sigmoid.tflite", tmp_path / "own.tflite")
    card = {"name": "own", "live_class": 1, "input_size": 32, "value_range": [0, 1]}
    (tmp_path / "own.json").write_text(json.dumps(card))
    return tmp_path / "own.tflite"


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.png"
    Image.new("RGB", (640, 480), "white").save(path)
    return path


def test_a_live_portrait(portrait_path: Path) -> None:
    done = facelive("check", portrait_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{portrait_path}  live  P(live) 0.")
    assert done.stderr == ""


def test_json_has_one_object_a_line(portrait_path: Path, blank: Path) -> None:
    done = facelive("check", "--json", portrait_path, blank)
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 1
    assert (first["path"], first["verdict"]) == (str(portrait_path), "live")
    assert (second["verdict"], second["reason"], second["is_live"]) == ("rejected", "no_face", False)


def test_what_is_not_live_exits_with_1(blank: Path, portrait_path: Path, one_output: Path) -> None:
    assert facelive("check", blank).returncode == 1
    spoof = facelive("check", "--model", one_output, "--threshold", "0.99", portrait_path)
    assert (spoof.returncode, "spoof" in spoof.stdout) == (1, True)


def test_what_cannot_be_read_exits_with_2_and_the_rest_is_judged(portrait_path: Path, tmp_path: Path) -> None:
    done = facelive("check", tmp_path / "none.jpg", portrait_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"facelive: {tmp_path / 'none.jpg'}: cannot open {str(tmp_path / 'none.jpg')!r}: No such file or directory; "
        "give the path of a picture file"
    ]
    assert "live" in done.stdout


def test_unreadable_pictures_are_rows_in_json(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    done = facelive("check", "--json", tmp_path / "text.jpg")
    assert done.returncode == 2
    assert "known format" in json.loads(done.stdout)["error"]


def test_workers_print_the_same_lines_in_the_same_order(portrait_path: Path, blank: Path, tmp_path: Path) -> None:
    photos = [portrait_path, blank, tmp_path / "none.jpg"] * 8
    alone, shared = facelive("check", "--json", *photos), facelive("check", "--json", "--workers", "2", *photos)
    assert alone.stdout == shared.stdout
    assert alone.returncode == shared.returncode == 2


def test_standard_input(portrait_path: Path) -> None:
    assert facelive("check", "-", stdin=portrait_path.read_bytes()).returncode == 0
    assert facelive("check", "-", stdin=b"").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["check"], "required: PHOTO"),
        (["check", "--model", "nobody", "x.jpg"], "no bundled model 'nobody'"),
        (["check", "--model", "none.tflite", "x.jpg"], "say live_class=0 or 1|cannot read the model file"),
        (["check", "--threshold", "7", "x.jpg"], "threshold is a P"),
        (["check", "--threshold", "nan", "x.jpg"], "threshold is a P"),
        (["check", "--workers", "0", "x.jpg"], "at least one worker"),
        (["check", "--workers", "2", "-"], "standard input is one picture"),
    ],
)
def test_bad_usage_exits_with_2_in_one_sentence(arguments: list[str], message: str) -> None:
    done = facelive(*arguments)
    assert done.returncode == 2
    assert re.search(message, done.stderr)
    assert "Traceback" not in done.stderr


def test_models_lists_the_bundled() -> None:
    done = facelive("models")
    cards = json.loads(facelive("models", "--json").stdout)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == sorted(cards)
    assert cards["mobilenet_v2"]["live_class"] == 1


def test_a_reader_that_leaves_early_is_no_crash(portrait_path: Path) -> None:
    command = f"{sys.executable} -m facelive check {' '.join([str(portrait_path)] * 20)} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert "live" in done.stdout
    assert "Traceback" not in done.stderr


def test_bench_prints_a_line_per_step(one_output: Path) -> None:
    done = facelive("bench", "--model", one_output, "--repeats", "3", "--json")
    steps = {line["step"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert steps["predict 640x480, face given"]["ratio"] > 1
    memory = steps.pop("resident after the first verdict", {"mb": 2, "floor_mb": 1})  # measured on Linux
    assert memory["mb"] > memory["floor_mb"] > 0
    assert np.isfinite([line["ms"] for line in steps.values()]).all()
    assert {name for name, line in steps.items() if line["floor"] is None} == {"check the face", "crop", "vote"}
    assert facelive("bench", "--model", one_output, "--repeats", "3").stdout.startswith("step")
