"""Writes the tiny TFLite files that the tests load: ``python -m tests.networks.make`` (needs TensorFlow).

Each answers from the mean of its input, which the tests know, so that polarity and value range can be checked
by hand. They are committed, because the tests must not need TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import tensorflow as tf

FOLDER = Path(__file__).parent
Function = Callable[..., "tf.Tensor"]


def main() -> None:
    save("sigmoid", lambda x: tf.reduce_mean(x, [1, 2, 3])[:, None])
    save("one_at_a_time", lambda x: tf.reduce_mean(x, [1, 2, 3])[:, None], batch=1)
    save("two_class", lambda x: tf.stack([tf.reduce_mean(x, [1, 2, 3]), 1 - tf.reduce_mean(x, [1, 2, 3])], axis=1))
    save("logit", lambda x: 4 * tf.reduce_mean(x, [1, 2, 3])[:, None] - 2)
    save("three_logits", lambda x: tf.reduce_mean(x, [1, 2])[:, :3])
    save("size_64", lambda x: tf.reduce_mean(x, [1, 2, 3])[:, None], shape=(64, 64, 3))
    save("grey", lambda x: tf.reduce_mean(x, [1, 2, 3])[:, None], shape=(32, 32, 1))
    save("two_inputs", lambda x, y: tf.reduce_mean(x + y, [1, 2, 3])[:, None], inputs=2)
    save("ends_in_sigmoid", lambda x: tf.sigmoid(tf.reduce_mean(x, [1, 2, 3])[:, None]))
    save("endings/sigmoid_pair", lambda x: pair(tf.sigmoid(tf.reduce_mean(x, [1, 2, 3])[:, None])))
    save("endings/softmax_pick", lambda x: tf.nn.softmax(tf.reduce_mean(x, [1, 2]))[:, 1:2])
    save_views("two_views", 0.25)
    save("integers", lambda x: tf.reduce_sum(x, [1, 2, 3])[:, None], dtype=tf.int32)


def pair(p: tf.Tensor) -> tf.Tensor:
    """Both classes of a binary output, the second first."""
    return tf.concat([1 - p, p], axis=1)


def save(
    name: str,
    function: Function,
    *,
    shape: tuple[int, ...] = (32, 32, 3),
    inputs: int = 1,
    dtype: object = tf.float32,
    batch: int | None = None,
) -> None:
    """Convert one function of pictures (batch, *shape) and write it beside this script."""
    module = tf.Module()
    signature = [tf.TensorSpec([batch, *shape], dtype)] * inputs
    concrete = tf.function(function, input_signature=signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    (FOLDER / f"{name}.tflite").write_bytes(converter.convert())


def save_views(name: str, share: float, side: int = 32) -> None:
    """Convert a network of two named inputs, which answers with ``share`` of the near view's mean and the rest wide."""
    specs = [tf.TensorSpec([None, side, side, 3], tf.float32, name=view) for view in ("wide", "near")]

    @tf.function(input_signature=specs)  # type: ignore[untyped-decorator,unused-ignore]
    def answer(wide: tf.Tensor, near: tf.Tensor) -> tf.Tensor:
        return (share * tf.reduce_mean(near, [1, 2, 3]) + (1 - share) * tf.reduce_mean(wide, [1, 2, 3]))[:, None]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([answer.get_concrete_function()], tf.Module())
    (FOLDER / f"{name}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
