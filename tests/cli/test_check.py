"""``facelive check``: which pictures are meant, what is printed about each, and the exit code."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.shell import facelive


def test_a_live_portrait(portrait_path: Path) -> None:
    done = facelive("check", portrait_path)
    assert done.returncode == 0
    line = rf"{re.escape(str(portrait_path))}  live      P\(live\) 0\.\d+, threshold 0\.\d+\n"
    assert re.fullmatch(line, done.stdout)
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
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"facelive: {tmp_path / 'none.jpg'}: cannot open ")
    assert said.endswith(": No such file or directory; give the path of a picture file")
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


@pytest.fixture
def album(tmp_path: Path, portrait_path: Path) -> Path:
    """Two pictures, one of them deeper, and what is none."""
    folder = tmp_path / "album"
    for name in ("b.JPG", "a/deeper/c.jpeg", ".hidden/d.jpg", ".e.jpg", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(portrait_path, folder / name)
    return folder


def judged(*words: object) -> list[str]:
    return [json.loads(line)["path"] for line in facelive("check", "--json", *words).stdout.splitlines()]


def test_a_folder_stands_for_the_pictures_in_it_and_below(album: Path) -> None:
    assert judged(album) == [str(album / "b.JPG"), str(album / "a" / "deeper" / "c.jpeg")]


@pytest.mark.parametrize("pattern", ["**/*.jpeg", "*/*/c.*", "[a]/deeper/c.jpeg"])
def test_a_pattern_stands_for_what_it_matches(album: Path, pattern: str) -> None:
    assert judged(album / pattern) == [str(album / "a" / "deeper" / "c.jpeg")]


@pytest.mark.parametrize("word", ["x" * 5000, "[a]" * 200, "\udcff"])
def test_a_word_that_can_be_no_file_is_a_line_of_its_own(word: str, album: Path, portrait_path: Path) -> None:
    done = facelive("check", word, portrait_path) if word[0] != "[" else facelive("check", portrait_path, word)
    assert done.returncode == 2
    assert "cannot write" not in done.stderr and "Traceback" not in done.stderr
    assert ("live" in done.stdout) == (word[0] != "["), done


def test_a_name_that_looks_like_a_pattern_is_a_name(tmp_path: Path, portrait_path: Path) -> None:
    shutil.copy(portrait_path, tmp_path / "me[1].jpg")
    assert judged(tmp_path / "me[1].jpg") == [str(tmp_path / "me[1].jpg")]


def test_a_folder_without_a_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    done = facelive("check", tmp_path)
    assert done.returncode == 2
    assert "holds no picture" in done.stderr


def test_columns_are_aligned_and_the_last_line_counts(album: Path, blank: Path, portrait_path: Path) -> None:
    (album / "broken.png").write_text("nothing")
    done = facelive("check", album, blank, portrait_path)
    *lines, counts = done.stdout.splitlines()
    assert len({re.search(r"  (live|spoof|rejected) +", line).start() for line in lines}) == 1  # type: ignore[union-attr]
    assert counts == "5 pictures: 3 live, 0 spoof, 1 rejected, 1 unreadable"


def on_a_terminal(*words: object, **environment: str) -> str:
    """What it prints where both outputs are a terminal."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    ours, theirs = pty.openpty()
    importlib.import_module("fcntl").ioctl(theirs, importlib.import_module("termios").TIOCSWINSZ, b"\x18\0\x78\0" * 2)
    command = [sys.executable, "-m", "facelive", "check", *map(str, words)]
    env = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **environment}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env=env)
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    process.wait()
    return seen.decode()


def test_a_terminal_gets_colour_unless_it_wants_none(portrait_path: Path) -> None:
    assert "\033[32mlive" in on_a_terminal(portrait_path, NO_COLOR="")
    assert "\033" not in on_a_terminal(portrait_path, NO_COLOR="1")
    assert "\033" not in on_a_terminal(portrait_path, TERM="dumb")


@pytest.mark.parametrize("bar", ["tqdm", "plain"])
def test_long_work_shows_how_far_it_is(portrait_path: Path, tmp_path: Path, bar: str) -> None:
    if bar == "tqdm":
        pytest.importorskip("tqdm", reason="tqdm is not installed: its bar was not shown")
    else:
        (tmp_path / "tqdm.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    seen = on_a_terminal(*[portrait_path] * 600, PYTHONPATH=path)
    assert re.search(r"\b\d+ ?(/|of) ?600", seen.split("600 pictures:")[0])
    assert len(re.findall("  P\\(live\\)", seen)) == 600


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp932", "latin-1"])
def test_a_name_that_cannot_be_printed_does_not_end_the_run(tmp_path: Path, portrait_path: Path, encoding: str) -> None:
    for name in (b"caf\xe9.jpg", "人.jpg".encode(), b"two\nlines.jpg", b"\x1b[2J.jpg", b"broken\xff.jpg"):
        path = os.fsencode(tmp_path) + b"/" + name
        Path(os.fsdecode(path)).write_bytes(portrait_path.read_bytes())
        if name.startswith(b"broken"):
            os.truncate(path, 10)
    for options in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "facelive", "check", str(tmp_path), *options],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 2
        assert done.stdout.count(b"live") >= 4
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"Traceback" not in done.stderr
