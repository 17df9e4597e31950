"""The command as a shell runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, Optional

__all__ = ["facelive"]


def facelive(*arguments: object, stdin: Optional[bytes] = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end; ``environment`` is what else it finds there."""
    words: Any = [sys.executable, "-m", "facelive", *arguments]
    done = subprocess.run(
        words,
        input=stdin,
        capture_output=True,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
