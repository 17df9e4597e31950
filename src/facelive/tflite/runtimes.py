"""Finds a TFLite interpreter that works and says what to do when none does."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
from operator import attrgetter
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

from facelive.errors import RuntimeUnavailableError
from facelive.forks import LOADING

__all__ = ["RUNTIMES", "Interpreter", "build", "runtime_name"]

Interpreter = Any
InterpreterFactory = Callable[..., Interpreter]

RUNTIMES = ("ai_edge_litert", "tflite_runtime", "tensorflow")
"""Import names in the order they are tried."""

_WHERE = {
    "ai_edge_litert": ("ai_edge_litert.interpreter", "Interpreter"),
    "tflite_runtime": ("tflite_runtime.interpreter", "Interpreter"),
    "tensorflow": ("tensorflow", "lite.Interpreter"),  # a module named tensorflow.lite is another one, without it
}
_PROBE = Path(__file__).parents[1] / "assets" / "probe.tflite"


def runtime_name() -> str:
    """The TFLite runtime in use, one of ``RUNTIMES``.

    The environment variable ``FACELIVE_RUNTIME`` names the only one to try.

    Raises:
        RuntimeUnavailableError: None works; the message says what was tried, why each failed and what to install.

    Example:
        >>> runtime_name() in RUNTIMES
        True
    """
    with LOADING:
        return _find_runtime(os.environ.get("FACELIVE_RUNTIME"))[0]


def build(content: bytes, num_threads: int) -> Interpreter:
    """A fresh interpreter of a file that does no harm, ready to run; raises whatever the runtime raises."""
    with LOADING:
        _, factory = _find_runtime(os.environ.get("FACELIVE_RUNTIME"))
        interpreter = factory(model_content=content, num_threads=num_threads)
        interpreter.allocate_tensors()
        return interpreter


@functools.cache
def _find_runtime(only: Optional[str]) -> tuple[str, InterpreterFactory]:
    if only and only not in RUNTIMES:
        raise RuntimeUnavailableError(f"FACELIVE_RUNTIME is {only!r}; set it to one of {', '.join(RUNTIMES)}")
    failures = []
    for name in (only,) if only else RUNTIMES:
        module, attribute = _WHERE[name]
        try:
            factory: InterpreterFactory = attrgetter(attribute)(importlib.import_module(module))
            # With NumPy 2, tflite_runtime imports and then raises SystemError here: only building one tells.
            with _without_greeting():
                factory(model_content=_PROBE.read_bytes(), num_threads=1).allocate_tensors()
        except Exception as error:  # whatever a foreign runtime raises, it is not usable
            reason = str(error).strip().splitlines() or [""]
            failures.append(f"{name}: {type(error).__name__}: {reason[0]}")
        else:
            return name, factory
    raise RuntimeUnavailableError(
        "no TFLite runtime works here (" + "; ".join(failures) + "); run: pip install ai-edge-litert"
    )


@contextlib.contextmanager
def _without_greeting() -> Iterator[None]:
    """Drop the INFO lines that a runtime's first interpreter writes past Python; whatever else it says is passed on.

    They come once in a process, and no runtime has a switch for them. Standard error goes through a pipe meanwhile.
    """
    try:
        kept = os.dup(2)
    except OSError:  # a daemon without standard error
        yield
        return
    reading, writing = os.pipe()
    if os.name == "posix":  # neither a full pipe nor a process started meanwhile, which holds its end, may stop us
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(writing, 2)
        os.close(writing)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        with contextlib.suppress(OSError):
            said = os.read(reading, 1 << 16).splitlines(keepends=True)
            os.write(2, b"".join(line for line in said if not line.startswith(b"INFO: ")))
        os.close(reading)
