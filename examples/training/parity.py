"""Run a TFLite file on crops and save what it says: the same script on every runtime, with NumPy alone beside it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

__all__ = ["main", "tflite_scores"]


def tflite_scores(path: str, inputs: Any, batch: int = 7) -> Any:
    """Outputs of a TFLite file: float32, (N,).

    Args:
        path: The file.
        inputs: float32, (N, 128, 128, 3), in the model's value range.
        batch: Pictures in a call; the input tensor is resized to it, which the file must allow.
    """
    interpreter = _interpreter(path)
    outputs = []
    for start in range(0, len(inputs), batch):
        part = np.ascontiguousarray(inputs[start : start + batch])
        place = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(place, part.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, part)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).reshape(-1))
    return np.concatenate(outputs)


def _interpreter(path: str) -> Any:
    try:
        from tflite_runtime.interpreter import Interpreter
    except ImportError:
        from ai_edge_litert.interpreter import Interpreter
    return Interpreter(model_path=path, num_threads=1)


def main() -> None:
    """``parity.py MODEL.tflite INPUTS.npy OUTPUTS.npy``."""
    model, inputs, outputs = sys.argv[1:4]
    np.save(outputs, tflite_scores(model, np.load(inputs)))


if __name__ == "__main__":
    main()
