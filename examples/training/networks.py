"""The three networks, each a Keras model from pictures in [-1, 1] to logits of P(live)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import numpy as np

__all__ = ["NETWORKS", "build_network", "copy_weights", "fold_taught", "widen"]

NETWORKS = ("mobilenet_v2", "mobilenet", "custom")
INPUT_SIZE = 128
NARROW = 0.25  # the one width of MobileNet whose ImageNet weights are at hand
# Keras builds MobileNets with 0.999: after a short run the moving statistics would still be ImageNet's.
BATCH_NORM_MOMENTUM = 0.9

# Stride and channels of MobileNetV2's blocks 1 to 12.
SLIM_BLOCKS = ((2, 24), (1, 24), (2, 32), *[(1, 32)] * 2, (2, 64), *[(1, 64)] * 3, *[(1, 96)] * 3)

# Texture lives in the middle of a network; by its end a print's dots have become "a face".
MIDDLE = {
    "mobilenet_v2": ("block_6_expand_relu", "block_13_expand_relu"),
    "mobilenet": ("conv_pw_5_relu", "conv_pw_11_relu"),
    "custom": ("block_6_expand_relu", "block_10_expand_relu"),
}


def build_network(
    name: str,
    *,
    weights: Optional[Path] = None,
    width: float = 1.0,
    dropout: float = 0.2,
    middle: bool = False,
    last: str = "",
    features: int = 0,
) -> Any:
    """Build a network with its heads.

    Args:
        name: One of `NETWORKS`.
        weights: Starting weights of the Keras application without its top; none for a random start. A MobileNet of
            width 0.5 takes those of 0.25, widened.
        width: Width multiplier of the MobileNets (``alpha``), or the share of a block's channels that custom keeps.
        dropout: Share of pooled features dropped while training.
        middle: Let the heads see pooled features from the middle of the network beside those from its end.
        last: Name of the layer after which the network ends; its own end unless given.
        features: How many of an open model's features one more head foretells.

    Returns:
        A ``keras.Model``: float32 (B, 128, 128, 3) in [-1, 1] to ``[logit (B, 1), map (B, h, w, 1), taught (B, 2)]``,
        all logits of P(live), and ``features (B, n)`` where asked for. The map and the features are aids to training;
        ``taught`` foretells each open model's logit.
    """
    import keras

    shape = (INPUT_SIZE, INPUT_SIZE, 3)
    if name == "mobilenet_v2":
        base = keras.applications.MobileNetV2(shape, alpha=width, include_top=False, weights=None)
        cells = base.get_layer("block_13_expand_relu").output
    elif name == "mobilenet":
        base = keras.applications.MobileNet(shape, alpha=width, include_top=False, weights=None)
        cells = base.get_layer("conv_pw_11_relu").output
    elif name == "custom":
        base = _slim(keras, shape, width)
        cells = base.output
    else:
        raise ValueError(f"no network is called {name!r}; there are {', '.join(NETWORKS)}")
    if weights is not None and name == "mobilenet" and width == 2 * NARROW:
        narrow = keras.applications.MobileNet(shape, alpha=NARROW, include_top=False, weights=None)
        narrow.load_weights(weights)
        widen(narrow, base)
    elif weights is not None:
        base.load_weights(weights)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = BATCH_NORM_MOMENTUM
    end = base.get_layer(last).output if last else base.output
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(end)
    if middle:
        more = [keras.layers.GlobalAveragePooling2D()(base.get_layer(layer).output) for layer in MIDDLE[name]]
        pooled = keras.layers.Concatenate(name="pooled_everywhere")([pooled, *more])
    pooled = keras.layers.Dropout(dropout, name="dropout")(pooled)
    logit = keras.layers.Dense(1, name="logit")(pooled)
    taught = keras.layers.Dense(2, name="taught")(pooled)
    cells = keras.layers.Conv2D(1, 1, name="cells")(cells)
    heads = [logit, cells, taught]
    if features:
        heads.append(keras.layers.Dense(features, name="features")(pooled))
    return keras.Model(base.input, heads, name=name)


def copy_weights(source: Any, target: Any) -> None:
    """Carry weights over by layer name; a head that sees more ignores what is new, one that sees less forgets it."""
    known = {layer.name for layer in source.layers}
    for layer in target.layers:
        if not layer.weights or layer.name not in known:
            continue
        values = source.get_layer(layer.name).get_weights()
        if values[0].shape != layer.weights[0].shape:
            fitted = np.zeros(layer.weights[0].shape, np.float32)
            seen = min(len(fitted), len(values[0]))
            fitted[:seen] = values[0][:seen]
            values[0] = fitted
        layer.set_weights(values)


def widen(source: Any, target: Any, *, noise: float = 0.05, seed: int = 0) -> None:
    """Start a network of twice the width from one of single width: every channel twice, so the outputs are the same.

    Args:
        source: The narrow network or base.
        target: Its like with ``alpha`` doubled; layers are met by name, and its weights are set.
        noise: Relative, on every kernel, so that the two copies of a channel part ways.
        seed: Of the noise.
    """
    rng = np.random.default_rng(seed)
    names = {layer.name for layer in source.layers}
    for layer in target.layers:
        if not layer.weights or layer.name not in names:
            continue
        values = []
        for value, wanted in zip(source.get_layer(layer.name).get_weights(), layer.weights):
            times = [int(new // old) for old, new in zip(value.shape, wanted.shape)]
            value = np.tile(value, times)
            if value.ndim == 4:
                # Doubled inputs would double the sum; a depthwise layer (one output a channel) adds up none.
                value = (
                    value / (times[2] if value.shape[3] != 1 else 1) * (1 + noise * rng.standard_normal(value.shape))
                )
            values.append(value)
        layer.set_weights(values)


def fold_taught(network: Any, share: float) -> None:
    """Make the logit the weighted mean of the three: an ensemble of heads at the price of one.

    Args:
        network: Its ``logit`` head is changed in place.
        share: Weight of each taught logit beside the logit's own weight of 1.
    """
    kernel, bias = network.get_layer("logit").get_weights()
    more, offset = network.get_layer("taught").get_weights()
    total = (kernel + share * more.sum(axis=1, keepdims=True), bias + share * offset.sum())
    network.get_layer("logit").set_weights([values / (1 + 2 * share) for values in total])


def _slim(keras: Any, shape: tuple[int, int, int], share: float) -> Any:
    """MobileNetV2 up to its last 8x8 map, with a share of the channels inside each block.

    What tells a print or a screen from a face shows there; the layers keep their names, so that `slim` can fill them.
    """
    layers = keras.layers

    def normed(x: Any, name: str, *, relu: bool = True) -> Any:
        x = layers.BatchNormalization(name=f"{name}_BN")(x)
        return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x

    def block(x: Any, name: str, stride: int, count: int) -> Any:
        inner = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
        inner = normed(inner, f"{name}_depthwise")
        inner = layers.Conv2D(count, 1, use_bias=False, name=f"{name}_project")(inner)
        return normed(inner, f"{name}_project", relu=False)

    def expanded(x: Any, name: str, share: float) -> Any:
        count = 8 * round(6 * x.shape[-1] * share / 8)
        return normed(layers.Conv2D(count, 1, use_bias=False, name=f"{name}_expand")(x), f"{name}_expand")

    picture = keras.Input(shape)
    x = layers.Conv2D(32, 3, 2, padding="same", use_bias=False, name="Conv1")(picture)
    x = layers.ReLU(6.0, name="Conv1_relu")(layers.BatchNormalization(name="bn_Conv1")(x))
    x = block(x, "expanded_conv", 1, 16)
    for number, (stride, count) in enumerate(SLIM_BLOCKS, start=1):
        before, x = x, block(expanded(x, f"block_{number}", share), f"block_{number}", stride, count)
        if before.shape == x.shape:
            x = layers.Add(name=f"block_{number}_add")([before, x])
    return keras.Model(picture, expanded(x, "block_13", 1.0))
