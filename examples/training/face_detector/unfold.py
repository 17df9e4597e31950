"""Keras weights from a finished ``.tflite`` file, whose batch normalization has been folded into its convolutions.

A run's folder may be gone while the file that it ended in is not. What the file knows goes back into the layers of the
same names; each normalization gets the mean and variance that its convolution has on real pictures, so that training
goes on where it stood.
"""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from keras import layers

__all__ = ["unfold"]

Weights = dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]


def unfold(model: keras.Model, content: bytes, pictures: npt.NDArray[np.float32]) -> list[str]:
    """Give a model the weights of a file, as far as it has them.

    Args:
        model: A functional model whose convolutions bear the names that the file's had; changed in place.
        content: The bytes of the ``.tflite`` file.
        pictures: A batch of the model's inputs, to count means and variances on.

    Returns:
        The names of the layers that got weights; the others keep what they have.
    """
    known = _convolutions(content)
    given: list[str] = []
    normalized: list[tuple[Any, Any]] = []
    for layer in model.layers:
        if not isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)) or layer.name not in known:
            continue
        kernel, bias = known[layer.name]
        if kernel.shape != layer.get_weights()[0].shape:
            continue
        given.append(layer.name)
        after = layer._outbound_nodes[0].operation if layer._outbound_nodes else None
        if isinstance(after, layers.BatchNormalization):
            layer.set_weights([kernel])
            after.set_weights([np.full_like(bias, np.sqrt(1 + after.epsilon)), bias, 0 * bias, 0 * bias + 1])
            normalized.append((layer, after))
        else:
            layer.set_weights([kernel, bias])
    outputs = keras.Model(model.input, [layer.output for layer, _ in normalized]).predict(pictures, verbose=0)
    for (_, after), output in zip(normalized, outputs):
        bias, mean, variance = after.get_weights()[1], output.mean((0, 1, 2)), output.var((0, 1, 2))
        after.set_weights([np.sqrt(variance + after.epsilon), bias + mean, mean, variance])
    return given


def _convolutions(content: bytes) -> Weights:
    """Kernel (as Keras shapes it) and bias of each convolution of a file, by the name of its Keras layer."""
    reader = Interpreter(model_content=content)
    names = {tensor["index"]: tensor["name"] for tensor in reader.get_tensor_details()}
    operators = reader._get_ops_details()
    stored = {op["outputs"][0]: op["inputs"][0] for op in operators if op["op_name"] == "DEQUANTIZE"}
    found: Weights = {}
    for op in operators:
        if op["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernel, bias = (reader.get_tensor(stored.get(i, i)).astype(np.float32) for i in op["inputs"][1:3])
            name = re.search(r"/([^/;]+?)(_\d+)?/(depthwise|convolution)", names[op["inputs"][1]])
            if name:
                found[name[1]] = (kernel.transpose(1, 2, 3, 0), bias)
    return found
