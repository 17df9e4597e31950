"""A Keras network as a PyTorch module, to train it where there is a GPU, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional

__all__ = ["Twin"]

# Keras's kernels are (h, w, in, out), PyTorch's (out, in, h, w); depthwise ones differ by a reshape more.
_AXES = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}
_AXES_BACK = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}


class Twin(nn.Module):
    """What a Keras network computes, layer by layer, with the same weights under the same names.

    Args:
        network: A functional model of the layers that MobileNets are made of, on any backend of Keras.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        layers = {layer.name: layer for layer in network.layers}
        config = network.get_config()
        self._steps = [(layer["name"], _inputs(layer["inbound_nodes"])) for layer in config["layers"]]
        self._inputs = [layer[0] for layer in _listed(config["input_layers"])]
        self._ends = [layer[0] for layer in _listed(config["output_layers"])]
        last = {name: step for step, (_, inputs) in enumerate(self._steps) for name in inputs}
        self._done_with = [[name for name, at in last.items() if at == step] for step in range(len(self._steps))]
        self.parts = nn.ModuleDict({name: _part(layers[name]) for name, inputs in self._steps if inputs})
        self.take(network)

    def forward(self, *pictures: torch.Tensor) -> list[torch.Tensor]:
        """The heads' answers.

        Args:
            pictures: One for each of the network's inputs, float32, (B, 3, 128, 128), in [-1, 1]; channels last in
                memory is fastest.

        Returns:
            One tensor for each of the network's outputs, maps as (B, C, h, w).
        """
        known = dict(zip(self._inputs, pictures))
        for (name, inputs), done_with in zip(self._steps, self._done_with):
            if inputs:
                known[name] = self.parts[name](*(known[before] for before in inputs))
            for before in done_with:
                del known[before]  # or every map of the network would fill the memory at once
        return [known[name] for name in self._ends]

    def take(self, network: Any) -> None:
        """Take over the Keras network's weights."""
        with torch.no_grad():
            for name, own in self._weights():
                for mine, value in zip(own, network.get_layer(name).get_weights()):
                    mine.copy_(torch.from_numpy(value.transpose(_AXES[value.ndim]).copy()).reshape(mine.shape))

    def give(self, network: Any) -> None:
        """Hand the weights back to the Keras network."""
        for name, own in self._weights():
            layer = network.get_layer(name)
            values = [mine.detach().cpu().numpy() for mine in own]
            turned = [value.transpose(_AXES_BACK[value.ndim]) for value in values]
            layer.set_weights([value.reshape(old.shape) for value, old in zip(turned, layer.get_weights())])

    def _weights(self) -> Iterator[tuple[str, list[torch.Tensor]]]:
        """Each layer's tensors, in the order in which Keras lists them."""
        for name, part in self.parts.items():
            if isinstance(part, nn.BatchNorm2d):
                assert part.running_mean is not None and part.running_var is not None
                yield name, [part.weight, part.bias, part.running_mean, part.running_var]
            elif isinstance(part, (_Conv, nn.Linear)):
                yield name, [part.weight] if part.bias is None else [part.weight, part.bias]


class _Conv(nn.Conv2d):
    """A convolution whose ``same`` padding is TensorFlow's: the odd pixel goes after, not before."""

    def __init__(self, inputs: int, outputs: int, config: dict[str, Any], *, groups: int = 1) -> None:
        size, stride = config["kernel_size"], tuple(config["strides"])
        same = config["padding"] == "same"
        even = size[0] // 2 if same and stride == (1, 1) else 0
        super().__init__(inputs, outputs, size, stride, even, groups=groups, bias=config["use_bias"])
        missing = size[0] - stride[0] if same and stride != (1, 1) else 0
        self.before_after = (missing // 2, missing - missing // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(functional.pad(x, self.before_after * 2) if any(self.before_after) else x)


class _Made(nn.Module):
    """A step without weights."""

    def __init__(self, kind: str, config: dict[str, Any]) -> None:
        super().__init__()
        self.kind = kind
        self.config = config

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        if self.kind == "ReLU":
            top = self.config["max_value"]
            return functional.relu(x[0]) if top is None else functional.hardtanh(x[0], 0.0, top)
        if self.kind == "ZeroPadding2D":
            (top, bottom), (left, right) = self.config["padding"]
            return functional.pad(x[0], (left, right, top, bottom))
        if self.kind == "Add":
            return x[0] + x[1]
        if self.kind == "Concatenate":
            return torch.cat(x, dim=1)
        return x[0].mean(dim=(2, 3))


def _part(layer: Any) -> nn.Module:
    """The PyTorch module for one Keras layer."""
    kind, config = type(layer).__name__, layer.get_config()
    shapes = [tuple(weight.shape) for weight in layer.weights]
    if kind == "Conv2D":
        return _Conv(shapes[0][2], shapes[0][3], config)
    if kind == "DepthwiseConv2D":
        return _Conv(shapes[0][2], shapes[0][2], config, groups=shapes[0][2])
    if kind == "BatchNormalization":
        return nn.BatchNorm2d(shapes[0][0], eps=config["epsilon"], momentum=1 - config["momentum"])
    if kind == "Dense":
        return nn.Linear(*shapes[0], bias=config["use_bias"])
    if kind == "Dropout":
        return nn.Dropout(config["rate"])
    if kind in ("ReLU", "ZeroPadding2D", "Add", "Concatenate", "GlobalAveragePooling2D"):
        return _Made(kind, config)
    raise ValueError(f"layer {layer.name!r} is a {kind}, which has no twin; add it to twin.py")


def _inputs(nodes: Any) -> list[str]:
    """Names of the layers whose outputs a layer takes, from its entry in a model's configuration."""
    if isinstance(nodes, dict):
        history = (
            nodes.get("config", {}).get("keras_history") if nodes.get("class_name") == "__keras_tensor__" else None
        )
        return [history[0]] if history else [name for value in nodes.values() for name in _inputs(value)]
    return [name for value in nodes for name in _inputs(value)] if isinstance(nodes, (list, tuple)) else []


def _listed(layers: Any) -> list[Any]:
    return layers if isinstance(layers[0], (list, tuple)) else [layers]
