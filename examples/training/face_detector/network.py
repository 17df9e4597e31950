"""The face detector's network, its targets and its loss.

One level, one output: every cell of 8×8 pixels says whether a face's middle is near it and where that face lies.
All offsets are in units of the predicted box, so that a face of 12 pixels and one of 150 weigh the same.
MobileNet ×0.25 is the backbone, for its ImageNet start; two bilinear steps up bring its widest context back to the
grid.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from examples.training.face_detector.targets import ANCHOR_PX, CHANNELS, SIZE, middles
from keras import layers


def face_network(weights: Path | None = None, *, width: int = 64, side: int = SIZE) -> keras.Model:
    """The network: float32 (n, side, side, 3) in -1…1 in, (n, side / 8, side / 8, 15) out.

    Args:
        weights: ImageNet weights of Keras's MobileNet ×0.25 without its top, or none.
        width: Channels of the neck and the head.
        side: Side of the input in pixels, a multiple of 32; the same weights fit any.
    """
    base = keras.applications.MobileNet(
        input_shape=(side, side, 3), alpha=0.25, include_top=False, weights=str(weights) if weights else None
    )
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.97
    x = _point(base.output, width, "top")
    for stage, skip in (("8", "conv_pw_11_relu"), ("16", "conv_pw_5_relu")):
        x = layers.UpSampling2D(interpolation="bilinear", name=f"up_{stage}")(x)
        x = layers.Add(name=f"join_{stage}")(
            [x, _point(base.get_layer(skip).output, width, f"skip_{stage}", act=False)]
        )
        x = layers.ReLU(name=f"join_{stage}_relu")(x)
        x = _separable(x, width, f"mix_{stage}")
    prior, small = keras.initializers.Constant([-4.0] + [0.0] * 4), keras.initializers.RandomNormal(0, 0.01)
    boxes = layers.Conv2D(5, 1, bias_initializer=prior, kernel_initializer=small, name="faces")(
        _separable(x, width, "head")
    )
    points = _separable(x, width, "marks", kernel=5)  # landmarks lie farther away than a box's middle
    points = layers.Conv2D(CHANNELS - 5, 1, kernel_initializer=small, name="points")(points)
    return keras.Model(base.input, layers.Concatenate(name="grid")([boxes, points]), name="face_detector")


def _point(x: Any, width: int, name: str, act: bool = True) -> Any:
    x = layers.Conv2D(width, 1, use_bias=False, name=name)(x)
    x = layers.BatchNormalization(momentum=0.97, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if act else x


def _separable(x: Any, width: int, name: str, kernel: int = 3) -> Any:
    x = layers.DepthwiseConv2D(kernel, padding="same", use_bias=False, name=f"{name}_dw")(x)
    x = layers.BatchNormalization(momentum=0.97, name=f"{name}_dw_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_dw_relu")(x)
    return _point(x, width, name)


def face_loss(out: Any, target: Any) -> Any:
    """Focal score loss, complete-IoU box loss and landmark loss of a batch; one number.

    Args:
        out: float32, (n, grid, grid, 15), the network's answer.
        target: float32, (n, grid, grid, 17), from :func:`examples.training.face_detector.targets.targets`.
    """
    cells = middles(int(out.shape[1]))
    is_face, weight = target[..., 0], target[..., 1]
    own = is_face * weight
    logit = out[..., 0]
    likely = tf.sigmoid(logit)
    miss = is_face * (1 - likely) + (1 - is_face) * likely
    cross = tf.nn.sigmoid_cross_entropy_with_logits(is_face, logit)
    faces = tf.reduce_sum(own) + 1.0
    score = tf.reduce_sum(weight * (0.25 + 0.5 * is_face) * miss**2 * cross) / faces

    size = ANCHOR_PX * tf.exp(tf.clip_by_value(out[..., 3:5], -5.0, 5.0))
    middle = cells + out[..., 1:3] * size
    true_low, true_high = target[..., 2:4], target[..., 4:6]
    true_size = tf.maximum(true_high - true_low, 1e-3)
    low, high = middle - size / 2, middle + size / 2
    inner = tf.reduce_prod(tf.maximum(tf.minimum(high, true_high) - tf.maximum(low, true_low), 0.0), -1)
    union = tf.reduce_prod(size, -1) + tf.reduce_prod(true_size, -1) - inner
    iou = inner / tf.maximum(union, 1e-6)
    outer = tf.maximum(high, true_high) - tf.minimum(low, true_low)
    apart = tf.reduce_sum((low + high - true_low - true_high) ** 2, -1) / 4
    far = apart / tf.maximum(tf.reduce_sum(outer**2, -1), 1e-6)
    edges = tf.concat([low - true_low, high - true_high], -1) / tf.concat([true_size, true_size], -1)
    box = tf.reduce_sum(own * (1 - iou + far + tf.reduce_mean(_smooth(edges, 0.05), -1))) / faces

    marks = cells[:, :, None] + tf.reshape(out[..., 5:15], (-1, *cells.shape[:2], 5, 2)) * size[..., None, :]
    wrong = (marks - tf.reshape(target[..., 6:16], tf.shape(marks))) / true_size[..., None, :]
    known = own * target[..., 16]
    mark = tf.reduce_sum(known * tf.reduce_mean(_smooth(wrong, 0.015), (-2, -1))) / faces
    return 4.0 * score + 2.0 * box + 30.0 * mark


def _smooth(error: Any, knee: float) -> Any:
    """Absolute error with a round bottom."""
    size = tf.abs(error)
    return tf.where(size < knee, size**2 / (2 * knee), size - knee / 2)
