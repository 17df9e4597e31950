"""Tries a stranger's ``.tflite`` in a process of its own, because a damaged one can take the whole process down.

A TFLite runtime trusts the file it is given: files with random bytes changed crashed tflite-runtime in 4 of 6 runs of
60 files, with nothing that Python could catch. `facelive.tflite_format` refuses what it understands; this refuses the
rest. It shows that a file does no harm by accident; against a malicious one, load models from people you trust.
"""

from __future__ import annotations

import subprocess
import sys

from facelive.errors import ModelError

__all__ = ["try_out"]

TIMEOUT_S = 60.0
MEMORY_BYTES = 8 << 30

# sys.path comes along: the library may lie where a fresh interpreter would not look for it.
_START = "import sys; sys.path[:] = {path!r}; from facelive.trial import _run; _run({name!a})"


def try_out(content: bytes, name: str = "model") -> None:
    """Load a file and run it once on zeros in another process; about a third of a second.

    A program without a Python interpreter of its own (a frozen one) has no such process to start, and skips this.

    Args:
        content: The bytes of the file.
        name: What errors call it.

    Raises:
        ModelError: The other process crashed, or did not come back within a minute. A file that the runtime refuses in
            an orderly way passes: loading it here says why.
    """
    if not sys.executable or getattr(sys, "frozen", False):
        return
    command = [sys.executable, "-c", _START.format(path=sys.path, name=name)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{name} did not load and run within {TIMEOUT_S:.0f} s: the file is damaged") from error
    except OSError as error:
        raise ModelError(f"{name} could not be tried in another process ({error}): give its card a sha256") from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        detail = f" ({last[0]})" if last and done.returncode > 0 else ""
        raise ModelError(
            f"{name} crashes the TFLite runtime, exit status {done.returncode}{detail}: the file is damaged, "
            "convert or download it again"
        )


def _run(name: str) -> None:
    """In the other process: whatever raises is no crash. A read out of bounds may do no harm once, rarely thrice."""
    _limit_memory()
    content = sys.stdin.buffer.read()
    for _ in range(3):
        _try_here(content, name)


def _try_here(content: bytes, name: str) -> None:
    from facelive.runtime import TFLiteModel

    try:
        network = TFLiteModel(content, name=name)
        interpreter = network.interpreter()
        interpreter.invoke()
        network.run(interpreter.get_tensor(network.input_details[0]["index"]).repeat(2, axis=0))
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
