"""The wheel is the same to the byte, whoever builds it, and holds nothing but the library."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def built(folder: Path) -> Path:
    """A wheel built from a copy of the sources in ``folder``."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling, which builds, is not installed")
def test_two_builds_give_the_same_wheel(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "elsewhere" / "deeper"
    here.mkdir()
    there.mkdir(parents=True)
    first = built(here)
    for path in there.parent.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    second = built(there)
    digests = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in (first, second)}
    assert len(digests) == 1
    with zipfile.ZipFile(first) as wheel:
        names = wheel.namelist()
    assert all(name.startswith(("facelive/", "facelive-")) for name in names)
    assert {Path(name).suffix for name in names} <= {".py", ".typed", ".tflite", ".json", ".css", "", ".txt"}
