"""The training step in TensorFlow: losses, schedule, running mean of the weights, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import keras
import numpy as np
import tensorflow as tf
from examples.training.batches import Batch
from examples.training.recipe import Recipe
from examples.training.runs import load_run, save_weights, started

__all__ = ["Trainer", "unexplained"]

CHECKPOINT = "checkpoint.npz"


def unexplained(wanted: Any, given: Any) -> Any:
    """Share of the variance of ``wanted`` that ``given`` leaves unexplained, NaN entries of ``wanted`` left out.

    Args:
        wanted: float32, (B, n).
        given: float32, (B, n).
    """
    known = tf.cast(tf.math.is_finite(wanted), tf.float32)
    wanted = tf.where(known > 0, wanted, tf.zeros_like(wanted))
    mean = tf.reduce_sum(wanted, 0) / tf.maximum(tf.reduce_sum(known, 0), 1.0)
    spread = tf.reduce_sum(known * tf.square(wanted - mean))
    return tf.reduce_sum(known * tf.square(wanted - given)) / tf.maximum(spread, 1e-3)


class Trainer:
    """One network in training.

    Args:
        recipe: Hyperparameters.
        imagenet: Folder of starting weights; used where one fits the network and its width.
        start: Folder of a former run whose weights are taken instead.
        runs: Folder in which the recipe's teachers are found by name.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        imagenet: Optional[Path] = None,
        start: Optional[Path] = None,
        runs: Path = Path(),
    ) -> None:
        keras.utils.set_random_seed(recipe.seed)
        self.recipe = recipe
        self.step = 0
        self.network = started(recipe, imagenet, start)
        if recipe.frozen_before:
            names = [layer.name for layer in self.network.layers]
            for layer in self.network.layers[: names.index(recipe.frozen_before)]:
                layer.trainable = False
        self._teachers = [load_run(runs / name) for name in recipe.teachers]
        self._optimizer = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay)
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self._optimizer.build(self.network.trainable_variables)
        self._average = [tf.Variable(variable, trainable=False) for variable in self.network.variables]
        self._learn = tf.function(self._learn_eagerly, reduce_retracing=True)

    def update(self, batch: Batch) -> float:
        """Take one step; returns the loss."""
        self._optimizer.learning_rate.assign(self.recipe.rate(self.step / self.recipe.steps))
        decay = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        loss = self._learn(
            tf.constant(batch.images),
            tf.constant(batch.whole),
            tf.constant(batch.targets),
            tf.constant(batch.taught),
            tf.constant(batch.features),
            tf.constant(decay, tf.float32),
        )
        self.step += 1
        return float(loss)

    def _learn_eagerly(
        self, images: Any, whole: Any, targets: Any, open_logits: Any, open_features: Any, decay: Any
    ) -> Any:
        inputs = tf.cast(images, tf.float32) / 127.5 - 1.0
        targets = targets[:, None]
        with tf.GradientTape() as tape:
            logit, cells, taught, *features = self.network(inputs, training=True)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logit))
            if self._teachers:
                asked = tf.cast(whole, tf.float32) / 127.5 - 1.0
                given = [teacher(asked, training=False) for teacher in self._teachers]
                means = [tf.stop_gradient(tf.add_n(heads) / len(given)) for heads in zip(*given)]
                loss += self.recipe.distil_weight * unexplained(means[0], logit)
                if self.recipe.features_weight and not self.recipe.taught_live:
                    open_features = means[3]
            if self.recipe.cells_weight:
                everywhere = tf.broadcast_to(targets[:, :, None, None], tf.shape(cells))
                local = tf.nn.sigmoid_cross_entropy_with_logits(everywhere, cells)
                loss += self.recipe.cells_weight * tf.reduce_mean(local)
            if self.recipe.taught_weight:
                apart = [unexplained(open_logits[:, i : i + 1], taught[:, i : i + 1]) for i in range(2)]
                loss += self.recipe.taught_weight * tf.add_n(apart) / len(apart)
            if self.recipe.features_weight:
                loss += self.recipe.features_weight * unexplained(open_features, features[0])
        weights = [variable.value for variable in self.network.trainable_variables]
        gradients = tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
        self._optimizer.apply(gradients, self.network.trainable_variables)
        for mean, variable in zip(self._average, self.network.variables):
            if mean.dtype.is_floating:
                mean.assign_sub((1 - decay) * (mean - tf.convert_to_tensor(variable)))
        return loss

    def save(self, run: Path) -> None:
        """Write everything a later process needs to go on, in one move, and the averaged weights so far."""
        arrays = {f"network{i}": np.asarray(v) for i, v in enumerate(self.network.variables)}
        arrays.update({f"optimizer{i}": np.asarray(v) for i, v in enumerate(self._optimizer.variables)})
        arrays.update({f"average{i}": v.numpy() for i, v in enumerate(self._average)})
        partial = run / ("partial-" + CHECKPOINT)
        np.savez(partial, step=np.array(self.step), allow_pickle=False, **arrays)
        partial.replace(run / CHECKPOINT)

    def restore(self, run: Path) -> None:
        """Go on from the run's checkpoint, where there is one."""
        if not (run / CHECKPOINT).exists():
            return
        with np.load(run / CHECKPOINT) as arrays:
            for prefix, variables in (
                ("network", self.network.variables),
                ("optimizer", self._optimizer.variables),
                ("average", self._average),
            ):
                for index, variable in enumerate(variables):
                    variable.assign(arrays[f"{prefix}{index}"])
            self.step = int(arrays["step"])

    def export_average(self, run: Path) -> None:
        """Write the running mean of the weights: as it was trained, and with the taught heads folded in."""
        kept = [np.asarray(variable) for variable in self.network.variables]
        for variable, mean in zip(self.network.variables, self._average):
            variable.assign(mean)
        save_weights(self.network, run, self.recipe.taught_share)
        for variable, value in zip(self.network.variables, kept):
            variable.assign(value)
