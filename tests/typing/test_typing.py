"""The package is typed for those who import it: right calls pass mypy --strict, wrong ones do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_an_integrators_code_passes_mypy_strict(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed: pip install 'facelive[test]'")
    code = Path(__file__).parent / "integrator.py"
    # Unused ignores fail under --strict, so the wrong calls in the file must really be errors.
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--cache-dir", str(tmp_path), str(code)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stdout
