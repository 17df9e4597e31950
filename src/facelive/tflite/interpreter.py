"""A TFLite file that any thread may run: each thread gets an interpreter of its own."""

from __future__ import annotations

import os
import threading
from typing import Any, Optional, Tuple

import numpy as np
import numpy.typing as npt

from facelive.crops import normalize
from facelive.errors import ModelError, RuntimeUnavailableError
from facelive.tflite.format import check_tflite
from facelive.tflite.runtimes import Interpreter, build

__all__ = ["TFLiteModel"]

_INHERITED: list[Interpreter] = []  # what a forked child must not delete: the threads inside stayed with the parent

Floats = npt.NDArray[np.float32]
Values = npt.NDArray[Any]  # float32, or uint8


class TFLiteModel:
    """A TFLite file, loaded once, that any thread may run: each thread gets an interpreter of its own.

    Args:
        content: The bytes of the file; shared by all interpreters, never copied per thread.
        name: What errors call it.
        num_threads: Threads inside one call; 1 is fastest at the sizes bundled here.
        checked: Whether ``content`` is known to be whole; else it is walked first.

    Raises:
        ModelError: The bytes are not a TFLite model that this runtime can run.
        RuntimeUnavailableError: No TFLite runtime works here.
    """

    __slots__ = ("_content", "_interpreters", "_num_threads", "input_details", "name", "output_details")

    def __init__(self, content: bytes, *, name: str = "model", num_threads: int = 1, checked: bool = False) -> None:
        if not checked:
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

    def run(self, *inputs: Values, value_range: Tuple[float, float] = (0, 1)) -> list[Floats]:
        """Run the model once on a whole batch; threads may call this at the same time.

        Args:
            inputs: One array per input, in the order of ``input_details``: float32, (N, ...) with the input's shape
                after the first axis, the same N in all; or uint8, 0-255, which is written into the runtime's own
                memory as float32.
            value_range: What 0 and 255 of a uint8 array become.

        Returns:
            One float32 array (N, ...) per output, in the file's order; new arrays.

        Raises:
            ModelError: The model is closed, or the runtime refused the batch.
        """
        local = self._own()
        if len(inputs) != len(self.input_details):
            raise ModelError(f"{self.name} takes {len(self.input_details)} inputs, not {len(inputs)}")
        shapes = [batch.shape for batch in inputs]
        if local.batch != len(inputs[0]) and not self._resize(local, shapes):
            return self._one_by_one(inputs, value_range)
        try:
            for tensor, batch in zip(self.input_details, inputs):
                if batch.dtype == np.uint8 and batch.shape == (local.batch, *tensor["shape"][1:]):
                    normalize(batch, value_range, out=local.interpreter.tensor(tensor["index"])())
                else:
                    local.interpreter.set_tensor(tensor["index"], batch)
            local.interpreter.invoke()
            return [local.interpreter.get_tensor(output["index"]) for output in self.output_details]
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self.name} cannot run a batch of shape {_said(shapes)}: {error}") from error

    def _one_by_one(self, inputs: tuple[Values, ...], value_range: tuple[float, float]) -> list[Floats]:
        alone = (tuple(batch[number : number + 1] for batch in inputs) for number in range(len(inputs[0])))
        answers = [self.run(*pictures, value_range=value_range) for pictures in alone]
        try:
            return [np.concatenate(parts) for parts in zip(*answers)]
        except ValueError as error:  # a network without a first axis
            shapes = _said([batch.shape for batch in inputs])
            raise ModelError(f"{self.name} cannot run a batch of shape {shapes}: {error}") from error

    def _resize(self, local: threading.local, shapes: list[tuple[int, ...]]) -> bool:
        """Set the batch size; False when the file was converted for one picture at a time."""
        try:
            for tensor, shape in zip(self.input_details, shapes):
                local.interpreter.resize_tensor_input(tensor["index"], shape)
            local.interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            local.pid = None  # half resized: the next call starts from a fresh one
            if shapes[0][0] <= 1:
                raise ModelError(f"{self.name} cannot run a batch of shape {_said(shapes)}: {error}") from error
            return False
        local.batch = shapes[0][0]
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
        try:
            interpreter = build(content, self._num_threads)
        except RuntimeUnavailableError:
            raise
        except Exception as error:
            raise ModelError(f"{self.name} cannot be loaded by the TFLite runtime: {error}") from error
        try:
            return interpreter, int(interpreter.get_input_details()[0]["shape"][0])
        except IndexError as error:
            raise ModelError(f"{self.name} takes no batch: its input needs a first axis for pictures") from error


def _said(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes))
