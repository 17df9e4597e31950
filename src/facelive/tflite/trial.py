"""Tries an untrusted ``.tflite`` in a process of its own, because a damaged one can take the whole process down.

A TFLite runtime trusts the file it is given: files with random bytes changed crashed tflite-runtime in 4 of 6 runs of
60 files, with nothing that Python could catch. ``format`` refuses what it understands; this refuses the rest. It shows
that a file does no harm by accident; against a malicious one, load models from people you trust.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Optional

from facelive.errors import ModelError

__all__ = ["try_out"]

PROCESSOR_S = 60
_OUT_OF_TIME = getattr(signal, "SIGXCPU", None)  # Windows lets no process limit itself
TIMEOUT_S = 60.0 if _OUT_OF_TIME is None else 600.0  # on a busy machine an innocent file waits for long
MEMORY_BYTES = 8 << 30

# sys.path comes along, before the file: the library may lie where a fresh interpreter would not look for it.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); "
    "from facelive.tflite.trial import _run; _run({name!a})"
)
_PYTHON = re.compile(r"(python|pypy)[0-9.]*[dtw]*(\.exe)?", re.IGNORECASE)


def try_out(content: bytes, name: str = "model") -> None:
    """Load a file and run it once on zeros in another process; about a third of a second.

    A frozen program has no Python interpreter to start such a process with, and skips this.

    Raises:
        ModelError: The other process crashed, or did not come back within a minute of processor time or ten of waiting.
            A file that the runtime refuses in an orderly way passes: loading it here says why.
    """
    if getattr(sys, "frozen", False):
        return
    python = _python()
    if python is None:
        raise ModelError(f"{name} could not be tried in another process (no Python found): give its card a sha256")
    path = json.dumps([entry for entry in sys.path if isinstance(entry, str)])  # Python passes over anything else
    command = [python, "-c", _START.format(name=name)]
    try:
        done = subprocess.run(
            command, input=path.encode() + b"\n" + content, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{name} did not load and run within {TIMEOUT_S:.0f} s: the file is damaged, or the machine far too busy"
        ) from error
    except OSError as error:
        raise ModelError(f"{name} could not be tried in another process ({error}): give its card a sha256") from error
    if _OUT_OF_TIME is not None and done.returncode == -_OUT_OF_TIME:
        raise ModelError(f"{name} did not load and run in {PROCESSOR_S} s of processor time: the file is damaged")
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        detail = f" ({last[0]})" if last and done.returncode > 0 else ""
        raise ModelError(
            f"{name} crashes the TFLite runtime, exit status {done.returncode}{detail}: the file is damaged, "
            "convert or download it again"
        )


def _python() -> Optional[str]:
    """A Python to start: in uWSGI and Apache ``sys.executable`` is the server, which would start once more."""
    beside = [
        Path(prefix, *place)
        for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix)
        for place in (("bin", "python3"), ("bin", "python"), ("python.exe",), ("Scripts", "python.exe"))
    ]
    for candidate in (sys.executable, getattr(sys, "_base_executable", None), *beside):
        if candidate and _PYTHON.fullmatch(Path(candidate).name) and Path(candidate).is_file():
            return str(candidate)
    return None


def _run(name: str) -> None:
    """In the other process: whatever raises is no crash. A read out of bounds may do no harm once, rarely thrice."""
    _limit_memory()
    _limit_time(PROCESSOR_S)
    content = sys.stdin.buffer.read()
    for _ in range(3):
        _try_here(content, name)


def _try_here(content: bytes, name: str) -> None:
    from facelive.tflite.interpreter import TFLiteModel

    try:
        network = TFLiteModel(content, name=name, checked=True)  # walked already, by the one who asked
        interpreter = network.interpreter()
        interpreter.invoke()
        inputs = [interpreter.get_tensor(tensor["index"]) for tensor in network.input_details]
        network.run(*(one.repeat(2, axis=0) for one in inputs))
    except Exception:
        pass


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has none
        return
    if sys.platform != "win32":
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]  # a process may lower its limits, never raise them
        limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _limit_time(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has none
        return
    if sys.platform != "win32":
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        limit = int(time.process_time()) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
