"""The networks as Keras models: a near look at the face, a wide one at what is around it, and heads on both.

Every look is a MobileNetV2 that ends at its last 8x8 map: what tells a print or a screen from a face shows there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

__all__ = ["SIZE", "Look", "build", "file_of", "fill_from_imagenet", "from_imagenet"]

SIZE = 128
HIDDEN = 48  # units that see both looks at once
# Keras builds MobileNets with 0.999: after a short run the moving statistics would still be ImageNet's.
MOMENTUM = 0.95
# Stride and channels of MobileNetV2's blocks 1 to 12.
BLOCKS = ((2, 24), (1, 24), (2, 32), *[(1, 32)] * 2, (2, 64), *[(1, 64)] * 3, *[(1, 96)] * 3)


@dataclass(frozen=True)
class Look:
    """One view of a face and the network that looks at it.

    Args:
        view: ``near`` or ``wide``; the input bears its name.
        share: Share of the channels inside each block that are kept.
        stem: Channels of the first layer.
    """

    view: str
    share: float = 1.0
    stem: int = 32


def build(looks: Sequence[Look], *, answers: int, features: int, dropout: float = 0.2) -> Any:
    """A network with all its heads, weights at random.

    Args:
        looks: The views that it takes, an input each.
        answers: How many teachers' logits it learns.
        features: How many of a teacher's features it learns; that head is dropped when the training is over.
        dropout: Share of pooled features dropped while training.

    Returns:
        A ``keras.Model``: float32 (B, 128, 128, 3) in [-1, 1] per look to
        ``[label (B, 1), answers (B, n), features (B, m)]``, the first two logits of P(live).
    """
    from keras import Input, Model, layers

    inputs = [Input((SIZE, SIZE, 3), name=look.view) for look in looks]
    seen = [
        layers.GlobalAveragePooling2D(name=f"{look.view}_pooled")(_body(picture, look))
        for picture, look in zip(inputs, looks)
    ]
    pooled = layers.Concatenate(name="pooled")(seen) if len(seen) > 1 else seen[0]
    pooled = layers.Dropout(dropout, name="dropout")(pooled)
    hidden = layers.ReLU(6.0, name="hidden_relu")(layers.Dense(HIDDEN, name="hidden")(pooled))
    both = layers.Concatenate(name="both")([pooled, hidden])
    heads = [layers.Dense(1, name="label")(both), layers.Dense(answers, name="answers")(both)]
    heads.append(layers.Dense(features, name="features")(pooled))
    return Model(inputs, heads)


def _body(picture: Any, look: Look) -> Any:
    """MobileNetV2 up to its last 8x8 map, its layers named as in Keras with the view in front."""
    from keras import layers

    def named(name: str) -> str:
        return f"{look.view}_{name}"

    def normed(x: Any, name: str, *, relu: bool = True) -> Any:
        x = layers.BatchNormalization(momentum=MOMENTUM, name=named(f"{name}_BN" if name != "Conv1" else "bn_Conv1"))(x)
        return layers.ReLU(6.0, name=named(f"{name}_relu"))(x) if relu else x

    def convolved(x: Any, count: int, name: str) -> Any:
        return layers.Conv2D(count, 1, use_bias=False, name=named(name))(x)

    def expanded(x: Any, name: str, share: float) -> Any:
        return normed(convolved(x, 8 * round(6 * x.shape[-1] * share / 8), f"{name}_expand"), f"{name}_expand")

    def block(x: Any, name: str, stride: int, count: int) -> Any:
        depthwise = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=named(f"{name}_depthwise"))
        inner = normed(depthwise(x), f"{name}_depthwise")
        return normed(convolved(inner, count, f"{name}_project"), f"{name}_project", relu=False)

    x = layers.Conv2D(look.stem, 3, 2, padding="same", use_bias=False, name=named("Conv1"))(picture)
    x = block(normed(x, "Conv1"), "expanded_conv", 1, 16)
    for number, (stride, count) in enumerate(BLOCKS, start=1):
        before, x = x, block(expanded(x, f"block_{number}", look.share), f"block_{number}", stride, count)
        if before.shape == x.shape:
            x = layers.Add(name=named(f"block_{number}_add"))([before, x])
    return expanded(x, "block_13", 1.0)


def from_imagenet(weights: Path) -> Any:
    """``keras.applications.MobileNetV2`` without its top.

    Args:
        weights: A file, or ``imagenet``, which Keras downloads once.
    """
    import keras

    return keras.applications.MobileNetV2((SIZE, SIZE, 3), include_top=False, weights=str(weights))


def fill_from_imagenet(network: Any, look: Look, weights: Path) -> None:
    """Start a look from ImageNet; of channels that there are too many of, those with the largest weights stay.

    Args:
        network: Changed in place.
        look: Which of its looks.
        weights: As `from_imagenet` takes them.
    """
    whole = from_imagenet(weights)
    kept: dict[str, npt.NDArray[np.int64]] = {}
    for name in ("Conv1", *(f"block_{number}_expand" for number in range(1, 14))):
        count = network.get_layer(f"{look.view}_{name}").weights[0].shape[-1]
        following = "expanded_conv_project" if name == "Conv1" else name.replace("expand", "project")
        importance = np.abs(whole.get_layer(following).get_weights()[0]).sum((0, 1, 3))
        kept[name] = np.sort(np.argsort(-importance)[:count])
    for layer in network.layers:
        name = layer.name.removeprefix(f"{look.view}_")
        if layer.weights and name != layer.name and name != "pooled":
            layer.set_weights(_cut(whole.get_layer(name).get_weights(), name, kept))


def _cut(values: list[Any], name: str, kept: dict[str, npt.NDArray[np.int64]]) -> list[Any]:
    """A layer's weights with the channels that its block keeps."""
    first = "Conv1" in name or name.startswith("expanded_conv")
    mine = kept["Conv1" if first else "_".join(name.split("_")[:2]) + "_expand"]
    if name.endswith("project_BN"):
        return values
    if name.endswith(("project", "depthwise")):  # kernels that take these channels in
        return [values[0][:, :, mine]]
    return [value[..., mine] for value in values]


def file_of(
    network: Any,
    mixed: npt.NDArray[np.float32],
    temperature: float,
    offset: float,
    *,
    gate: Optional[tuple[npt.NDArray[np.float32], float]] = None,
    surroundings: float = 0.0,
) -> Any:
    """The network that ships: one output, P(live), from a fixed mixture of its logits.

    Args:
        network: As `build` made it.
        mixed: float32, (1 + answers,): the weight of the label's logit and of each answer's in the mixture.
        temperature: Divides the mixture.
        offset: Added to it afterwards; 0.5 is the operating point then.
        gate: Kernel (F,) and bias of a sigmoid on the features.
        surroundings: Added to the logit as far as the gate is open.
    """
    from keras import Model, layers

    both = network.get_layer("label").input
    label, answers = (network.get_layer(name).get_weights() for name in ("label", "answers"))
    kernel = np.concatenate([label[0], answers[0]], 1) @ mixed[:, None] / temperature
    bias = np.concatenate([label[1], answers[1]]) @ mixed[:, None] / temperature + offset
    live = layers.Dense(1, activation="sigmoid", name="live")
    if gate is None:
        model = Model(network.inputs, live(both))
        live.set_weights([kernel, bias])
        return model
    opened = layers.Dense(1, activation="sigmoid", name="gate")
    model = Model(network.inputs, live(layers.Concatenate(name="gated")([both, opened(both)])))
    opened.set_weights([gate[0][:, None], np.array([gate[1]], np.float32)])
    live.set_weights([np.concatenate([kernel, [[surroundings]]]), bias])
    return model
