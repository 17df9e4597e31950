"""Attacks changed by a little, pixel by pixel, so that a network takes them for live: FGSM and PGD through Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facelive.crops import face_crop

__all__ = ["MIDDLE", "SCENE", "SIZE", "Attacker", "Jitter", "centred_box", "make_scene"]

SIZE = 128  # of a model's crop
SCENE = 192  # of the picture around it, at the same scale
MIDDLE = slice((SCENE - SIZE) // 2, (SCENE + SIZE) // 2)

Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


def make_scene(image: Pixels, box: Box, *, crop_scale: float) -> Pixels:
    """The surroundings of a face at the size in which a model sees them: its crop is ``[MIDDLE, MIDDLE]``, bit by bit.

    Args:
        image: uint8, (H, W, 3), RGB, 0-255.
        box: The face in pixels.
        crop_scale: The model's.

    Returns:
        uint8, (SCENE, SCENE, 3), RGB; the face's box in it is ``centred_box(crop_scale)``.
    """
    return face_crop(image, box, scale=crop_scale * SCENE / SIZE, size=SCENE)


def centred_box(crop_scale: float) -> Box:
    """Where the face lies in a scene, in its pixels."""
    low, high = (SCENE - SIZE / crop_scale) / 2, (SCENE + SIZE / crop_scale) / 2
    return (low, low, high, high)


@dataclass(frozen=True)
class Jitter:
    """A box that misses by a little on purpose.

    Args:
        shift: Largest move along each axis, in sides of the face.
        scale: Largest factor by which the box grows or shrinks.
    """

    shift: float = 0.06
    scale: float = 1.08

    def draw(self, box: Box, count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Boxes around one: float64, (count, 4), x0, y0, x1, y1 in pixels."""
        side = box[2] - box[0]
        middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
        middles = middle + rng.uniform(-self.shift, self.shift, (count, 2)) * side
        halves = side / 2 * np.exp(rng.uniform(-1, 1, (count, 1)) * np.log(self.scale))
        return np.hstack([middles - halves, middles + halves])


class Attacker:
    """Somebody who has the network, and raises its logit by changing the crop's values a little.

    Args:
        network: Keras, float32 (B, 128, 128, 3) in [-1, 1] to logits of P(live), or to a list that starts with them.
        crop_scale: The model's.
        jitter: A defence that the attacker knows: the logit is raised on average over boxes drawn from it.
        draws: How many boxes a step looks through.
    """

    def __init__(self, network: Any, *, crop_scale: float, jitter: Jitter | None = None, draws: int = 4) -> None:
        import tensorflow as tf

        self._network = network
        self._crop_scale = crop_scale
        self._jitter = jitter
        self._draws = draws
        self._gradient = tf.function(self._slope, reduce_retracing=True)

    def perturb(self, scenes: Pixels, *, eps: float, steps: int, rng: np.random.Generator) -> Pixels:
        """Change every value of the crops by at most ``eps``.

        One step is FGSM; more are PGD from a random start, steps of ``2.5 * eps / steps``.

        Args:
            scenes: uint8, (N, SCENE, SCENE, 3).
            eps: In steps of 255.
            steps: How often the gradient is asked for.
            rng: Consumed.

        Returns:
            uint8, the shape of ``scenes``, changed in the middle only.
        """
        still = scenes[:, MIDDLE, MIDDLE].astype(np.float32)
        step = eps if steps == 1 else 2.5 * eps / steps
        start = np.zeros(still.shape) if steps == 1 else rng.uniform(-eps, eps, still.shape)
        change = start.astype(np.float32)
        owners = np.repeat(np.arange(len(scenes), dtype=np.int32), self._draws)
        looks = np.zeros((len(owners), 4), np.float32)
        for _ in range(steps):
            if self._jitter is not None:
                boxes = self._jitter.draw(centred_box(self._crop_scale), len(owners), rng)
                looks = _corners(boxes, self._crop_scale)
            slope = self._gradient(scenes.astype(np.float32), change, looks, owners).numpy()
            change = np.clip(change + np.float32(step) * np.sign(slope), -eps, eps)
            change = np.clip(still + change, 0, 255) - still
        changed: Pixels = scenes.copy()
        changed[:, MIDDLE, MIDDLE] = np.rint(still + change).astype(np.uint8)
        return changed

    def _slope(self, scenes: Any, change: Any, looks: Any, owners: Any) -> Any:
        import tensorflow as tf

        beside = [MIDDLE.start, SCENE - MIDDLE.stop]
        with tf.GradientTape() as tape:
            tape.watch(change)
            seen = scenes[:, MIDDLE, MIDDLE] + change
            if self._jitter is not None:
                whole = scenes + tf.pad(change, [[0, 0], beside, beside, [0, 0]])
                seen = tf.image.crop_and_resize(whole, looks, owners, (SIZE, SIZE))
            logits = self._network(seen / 127.5 - 1.0, training=False)
            total = tf.reduce_sum(logits[0] if isinstance(logits, (list, tuple)) else logits)
        return tape.gradient(total, change)


def _corners(boxes: npt.NDArray[np.float64], crop_scale: float) -> npt.NDArray[np.float32]:
    """The crops of boxes as ``crop_and_resize`` wants them: centres of the outermost pixels, y first, in [0, 1]."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]) / 2 * crop_scale * (1 - 1 / SIZE)
    low, high = middles - halves - 0.5, middles + halves - 0.5
    return (np.hstack([low[:, ::-1], high[:, ::-1]]) / (SCENE - 1)).astype(np.float32)
