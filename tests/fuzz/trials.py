"""``facelive.tflite.trial``, behind a quick one in a process that stays: most files that crash do so there."""

from __future__ import annotations

import select
import signal
import struct
import subprocess
import sys
from typing import Optional

__all__ = ["CONTAINED", "Trials"]

CONTAINED = "contained: "
"""How a line begins that tells of a crash of the runtime which did not reach the process that asked."""

TIMEOUT_S = 20.0
_START = """
import os, struct, sys
sys.path[:] = {path!r}
from facelive.tflite.trial import _limit_memory, _try_here
_limit_memory()
source, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
os.dup2(2, 1)
while head := source.read(4):
    _try_here(source.read(*struct.unpack("<I", head)), "model")
    answers.write(b"k")
"""


class Trials:
    """One process after another in which files are loaded and run; ``facelive.tflite.trial`` has one for each file."""

    def __init__(self) -> None:
        self._process: Optional[subprocess.Popen[bytes]] = None

    def try_out(self, content: bytes, name: str = "model") -> None:
        """Load a file and run it once; what survives that is tried out as the library does it.

        Raises:
            ModelError: Either crashed, or took too long.
        """
        from facelive import ModelError  # not above: the fuzzer has to be there before the library is
        from facelive.tflite.trial import try_out

        if self._process is None:
            command = [sys.executable, "-c", _START.format(path=sys.path)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self._process = subprocess.Popen(command, **pipes)  # type: ignore[call-overload]
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(struct.pack("<I", len(content)) + content)
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], TIMEOUT_S)
            if ready and process.stdout.read(1):
                return try_out(content, name)
        except BrokenPipeError:
            pass
        process.kill()
        code = process.wait()
        process.stdin.close()
        process.stdout.close()
        self._process = None
        how = "took too long" if code == -signal.SIGKILL else f"ended with {code}"
        print(f"{CONTAINED}the trial {how}", file=sys.stderr, flush=True)
        raise ModelError(f"{name} {how}: the file is damaged")
