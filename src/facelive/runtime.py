"""Finds a TFLite interpreter that works, says what to do when none does, and gives each thread its own."""

from __future__ import annotations

import functools
import importlib
import os
import threading
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
import numpy.typing as npt

from facelive.errors import ModelError, RuntimeUnavailableError
from facelive.tflite_format import check_tflite

__all__ = ["RUNTIMES", "TFLiteModel", "runtime_name"]

Interpreter = Any
InterpreterFactory = Callable[..., Interpreter]

RUNTIMES = ("ai_edge_litert", "tflite_runtime", "tensorflow")
"""Import names in the order they are tried."""

_MODULES = {
    "ai_edge_litert": "ai_edge_litert.interpreter",
    "tflite_runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow.lite",
}
_INHERITED: list[Interpreter] = []  # what a forked child must not delete: the threads inside stayed with the parent
_PROBE = Path(__file__).parent / "assets" / "probe.tflite"


def runtime_name() -> str:
    """The TFLite runtime in use, one of ``RUNTIMES``.

    The environment variable ``FACELIVE_RUNTIME`` names the only one to try.

    Raises:
        RuntimeUnavailableError: None works; the message says what was tried, why each failed and what to install.

    Example:
        >>> runtime_name() in RUNTIMES
        True
    """
    return _find_runtime(os.environ.get("FACELIVE_RUNTIME"))[0]


@functools.cache
def _find_runtime(only: Optional[str]) -> tuple[str, InterpreterFactory]:
    if only and only not in RUNTIMES:
        raise RuntimeUnavailableError(f"FACELIVE_RUNTIME is {only!r}; set it to one of {', '.join(RUNTIMES)}")
    failures = []
    for name in (only,) if only else RUNTIMES:
        try:
            factory: InterpreterFactory = importlib.import_module(_MODULES[name]).Interpreter
            # With NumPy 2, tflite_runtime imports and then raises SystemError here: only building one tells.
            factory(model_content=_PROBE.read_bytes(), num_threads=1).allocate_tensors()
        except Exception as error:  # whatever a foreign runtime raises, it is not usable
            reason = str(error).strip().splitlines() or [""]
            failures.append(f"{name}: {type(error).__name__}: {reason[0]}")
        else:
            return name, factory
    raise RuntimeUnavailableError(
        "no TFLite runtime works here (" + "; ".join(failures) + "); run: pip install ai-edge-litert"
    )


class TFLiteModel:
    """A TFLite file, loaded once, that any thread may run: each thread gets an interpreter of its own.

    Args:
        content: The bytes of the file; shared by all interpreters, never copied per thread.
        name: What errors call it.
        num_threads: Threads inside one call; 1 is fastest at the sizes bundled here.

    Raises:
        ModelError: The bytes are not a TFLite model that this runtime can run.
        RuntimeUnavailableError: No TFLite runtime works here.
    """

    def __init__(self, content: bytes, *, name: str = "model", num_threads: int = 1) -> None:
        check_tflite(content, name)
        self.name = name
        self._content: Optional[bytes] = content
        self._num_threads = num_threads
        self._interpreters = threading.local()
        try:
            self.input_details: list[dict[str, Any]] = self.interpreter().get_input_details()
            self.output_details: list[dict[str, Any]] = self.interpreter().get_output_details()
        except UnicodeDecodeError as error:
            raise ModelError(f"{name} cannot be loaded: a tensor's name is damaged") from error

    def run(self, batch: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """Run the model once on a whole batch; threads may call this at the same time.

        Args:
            batch: float32, (N, ...) with the model's input shape after the first axis.

        Returns:
            One float32 array (N, ...) per output, in the file's order; new arrays.

        Raises:
            ModelError: The model is closed, or the runtime refused the batch.
        """
        local = self._own()
        if local.batch != len(batch) and not self._resize(local, batch.shape):
            return self._one_by_one(batch)
        try:
            local.interpreter.set_tensor(self.input_details[0]["index"], batch)
            local.interpreter.invoke()
            return [local.interpreter.get_tensor(output["index"]) for output in self.output_details]
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self.name} cannot run a batch of shape {batch.shape}: {error}") from error

    def _one_by_one(self, batch: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        answers = [self.run(one[np.newaxis]) for one in batch]
        try:
            return [np.concatenate(parts) for parts in zip(*answers)]
        except ValueError as error:  # a network without a first axis
            raise ModelError(f"{self.name} cannot run a batch of shape {batch.shape}: {error}") from error

    def _resize(self, local: threading.local, shape: tuple[int, ...]) -> bool:
        """Set the batch size; False when the file was converted for one picture at a time."""
        try:
            local.interpreter.resize_tensor_input(self.input_details[0]["index"], shape)
            local.interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            local.pid = None  # half resized: the next call starts from a fresh one
            if shape[0] <= 1:
                raise ModelError(f"{self.name} cannot run a batch of shape {shape}: {error}") from error
            return False
        local.batch = shape[0]
        return True

    def interpreter(self) -> Interpreter:
        """This thread's bare interpreter, for benchmarks and debugging; keep it in this thread."""
        return self._own().interpreter

    def close(self) -> None:
        """Release every interpreter and the bytes; a later ``run`` raises."""
        self._content = None
        self._interpreters = threading.local()

    def _own(self) -> threading.local:
        """This thread's interpreter with its batch size, built on first use."""
        local = self._interpreters
        if getattr(local, "pid", None) != os.getpid():
            if self._content is None:
                raise ModelError(f"{self.name} is closed; make a new one")
            if getattr(local, "pid", None) is not None:
                _INHERITED.append(local.interpreter)
            local.interpreter, local.batch = self._build(self._content)
            local.pid = os.getpid()
        return local

    def _build(self, content: bytes) -> tuple[Interpreter, int]:
        """A fresh interpreter and the batch size that its file asks for."""
        _, factory = _find_runtime(os.environ.get("FACELIVE_RUNTIME"))
        try:
            interpreter = factory(model_content=content, num_threads=self._num_threads)
            interpreter.allocate_tensors()
        except Exception as error:
            raise ModelError(f"{self.name} cannot be loaded by the TFLite runtime: {error}") from error
        try:
            return interpreter, int(interpreter.get_input_details()[0]["shape"][0])
        except IndexError as error:
            raise ModelError(f"{self.name} takes no batch: its input needs a first axis for pictures") from error
