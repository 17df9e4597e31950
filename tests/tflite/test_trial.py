from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from facelive import LivenessModel, ModelError
from facelive.tflite.trial import try_out

NETWORKS = Path(__file__).parents[1] / "networks"

# A process of its own: were a crash to get through, the test run would not live to report it.
DAMAGE = """
import random, sys
from pathlib import Path
from facelive import LivenessModel, ModelError
import numpy as np
files = sorted(Path(sys.argv[1]).glob("*.tflite"))
draw = random.Random(int(sys.argv[2]))
refused = loaded = 0
for _ in range(int(sys.argv[3])):
    content = bytearray(draw.choice(files).read_bytes())
    for _ in range(draw.randint(1, 4)):
        content[draw.randrange(8, len(content))] = draw.randrange(256)
    try:
        model = LivenessModel.load(bytes(content), input_size=32, live_class=1)
        scores = model.score(np.full((2, 32, 32, 3), 128, np.uint8))
    except ModelError as error:
        refused += 1
    else:
        assert np.all((scores >= 0) & (scores <= 1)), scores
        loaded += 1
print(refused, loaded)
"""


def test_a_damaged_file_is_refused_or_runs_and_never_takes_the_process_down() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DAMAGE, str(NETWORKS), "11", "30"], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    refused, loaded = map(int, done.stdout.split())
    assert refused and loaded and refused + loaded == 30


def test_a_good_file_passes() -> None:
    try_out((NETWORKS / "sigmoid.tflite").read_bytes())


def test_a_file_that_the_runtime_refuses_in_an_orderly_way_passes_too() -> None:
    try_out(b"no model at all")


def test_a_crash_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies as a crashing runtime does: by a signal, without a word."""
    monkeypatch.setattr("facelive.tflite.trial._START", "import os; os.abort()  # {name!r}")
    with pytest.raises(ModelError, match="crashes the TFLite runtime.*download it again"):
        try_out((NETWORKS / "sigmoid.tflite").read_bytes(), "mine.tflite")


def test_a_file_that_never_finishes_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facelive.tflite.trial._START", "import time; time.sleep(60)  # {name!r}")
    monkeypatch.setattr("facelive.tflite.trial.TIMEOUT_S", 0.5)
    with pytest.raises(ModelError, match="within 0 s|within 1 s"):
        try_out((NETWORKS / "sigmoid.tflite").read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits for a process to set itself")
def test_a_file_that_computes_for_ever_is_stopped_by_the_time_it_used(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); "
    busy = "from facelive.tflite.trial import _limit_time; _limit_time(1)\nwhile True: pass  # {name!r}"
    monkeypatch.setattr("facelive.tflite.trial._START", path + busy)
    with pytest.raises(ModelError, match="of processor time"):
        try_out((NETWORKS / "sigmoid.tflite").read_bytes())


def test_a_frozen_program_skips_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/no/such/interpreter")
    try_out((NETWORKS / "sigmoid.tflite").read_bytes())


def test_without_another_process_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("executable", "_base_executable", "prefix", "exec_prefix", "base_prefix"):
        monkeypatch.setattr(sys, name, "/no/such/place", raising=False)
    with pytest.raises(ModelError, match="mine.tflite could not be tried in another process.*give its card a sha256"):
        try_out((NETWORKS / "sigmoid.tflite").read_bytes(), "mine.tflite")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its address space")
def test_it_works_in_a_process_whose_memory_is_limited() -> None:
    """A limit can be lowered and never raised: asking for the usual 8 GiB would fail, and look like a crash."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "from facelive import LivenessModel\n"
        "LivenessModel.load(sys.argv[1], live_class=1)"
    )
    command = [sys.executable, "-c", code, str(NETWORKS / "sigmoid.tflite")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_a_path_object_on_sys_path_is_passed_over_as_python_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [Path("/no/such/place"), *sys.path])
    LivenessModel.load(NETWORKS / "sigmoid.tflite", live_class=1)


def test_a_very_long_sys_path_is_no_reason_to_refuse_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, *[f"/no/such/place/{number:0200}" for number in range(2_000)]])
    LivenessModel.load(NETWORKS / "sigmoid.tflite", live_class=1)


@pytest.mark.skipif(sys.platform == "win32", reason="servers that embed Python are not found on Windows")
@pytest.mark.parametrize("server", ["uwsgi", "apache2", ""])
def test_in_a_server_that_embeds_python_no_second_server_is_started(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in uWSGI, where ``sys.executable`` is the server; one that is started here leaves a file behind."""
    (tmp_path / "server").write_text(f"#!/bin/sh\ntouch {tmp_path / 'started'}\nexit 1\n")
    (tmp_path / "server").chmod(0o755)
    (tmp_path / "server").rename(tmp_path / (server or "unnamed"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / server) if server else "")
    LivenessModel.load(NETWORKS / "sigmoid.tflite", live_class=1)
    assert not (tmp_path / "started").exists()
