"""Train the bundled face detector and write its float16 TFLite file.

    python -m examples.training.face_detector.train --run ../runs/face --minutes 70

One process composes pictures, this one trains. The learning rate follows the clock, the exported weights are a moving
average, and they are saved at every report, so the run can be judged (and used) before it ends.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from examples.training.face_detector.targets import SIZE

BATCH = 64
SHARES = {"faces": 0.46, "liveness": 0.3, "backgrounds": 0.24}
"""Part of a batch from each set; inside a set a source weighs with the root of its size."""
FROZEN_TO = "conv_pw_1_relu"
"""The first layers keep ImageNet's edges: they cost half of the training time. A last, gentle stage can freeze more."""


def compose_forever(queue: Any, data: Path, cache: Path, seed: int, side: int, limit: int) -> None:
    """Fill the queue with batches: uint8 (64, side, side, 3) and float32 (64, grid, grid, 17)."""
    import cv2
    from examples.training.face_detector.compose import Composer
    from examples.training.face_detector.data import load

    cv2.setNumThreads(1)
    samples = [sample for sample in load(data, cache) if not sample.held_out]
    samples = samples[:: max(1, len(samples) // limit)] if limit else samples
    pictures = [sample.read() for sample in samples]
    scenes = [picture for picture, sample in zip(pictures, samples) if sample.group == "backgrounds"]
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    for sample in samples:
        sizes[sample.group, sample.source] += 1
    chance = np.array([sizes[sample.group, sample.source] ** -0.5 for sample in samples])
    for group, share in SHARES.items():
        mine = np.array([sample.group == group for sample in samples])
        chance[mine] *= share / chance[mine].sum()
    chance /= chance.sum()
    composer = Composer(seed, scenes, side)
    while True:
        picks = composer.rng.choice(len(samples), BATCH, p=chance)
        made = [composer.compose(pictures[pick], samples[pick]) for pick in picks]
        queue.put((np.stack([one[0] for one in made]), np.stack([one[1] for one in made])))


def to_tflite(model: Any) -> bytes:
    """The float16 file of a Keras model: half the size, same speed, runs on every TFLite runtime."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


class Average:
    """Moving average of a model's weights, batch statistics included."""

    def __init__(self, model: Any, keep: float) -> None:
        self.keep, self.count = keep, 0
        self.weights = [np.array(value) for value in model.get_weights()]

    def update(self, model: Any) -> None:
        self.count += 1
        keep = min(self.keep, (1 + self.count) / (10 + self.count))
        for mine, new in zip(self.weights, model.get_weights()):
            mine *= keep
            mine += (1 - keep) * new


def train(options: argparse.Namespace) -> None:
    """The whole run."""
    queue: Any = mp.get_context("spawn").Queue(6)
    worker = mp.get_context("spawn").Process(
        target=compose_forever,
        args=(queue, options.data, options.cache, options.seed, options.side, options.limit),
        daemon=True,
    )
    worker.start()

    import keras
    import tensorflow as tf
    from examples.training.face_detector.network import face_loss, face_network
    from examples.training.face_detector.unfold import unfold

    keras.utils.set_random_seed(options.seed)
    weights = options.teachers / "mobilenet_0.25_imagenet.weights.h5"
    model = face_network(weights, side=options.side)
    if options.start and options.start.suffix == ".tflite":
        seen = np.concatenate([queue.get()[0] for _ in range(4)]).astype(np.float32)
        unfold(model, options.start.read_bytes(), seen / 127.5 - 1)
    elif options.start:
        model.load_weights(options.start)
    for layer in model.layers:
        layer.trainable = False
        if layer.name == options.frozen_to:
            break
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=1e-3, global_clipnorm=5.0)
    optimizer.build(model.trainable_variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(pictures: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            out = model(tf.cast(pictures, tf.float32) / 127.5 - 1, training=True)
            loss = face_loss(out, target)
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    options.run.mkdir(parents=True, exist_ok=True)
    average = Average(model, 0.95)
    losses, steps, waited = [], 0, 0.0
    began = reported = time.monotonic()
    while (now := time.monotonic()) - began < options.minutes * 60:
        part = (now - began) / (options.minutes * 60)
        warm = min(1.0, (steps + 1) / 200)
        optimizer.learning_rate.assign(options.rate * warm * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * part))))
        pictures, target = queue.get()
        waited += time.monotonic() - now
        losses.append(step(tf.constant(pictures), tf.constant(target)))
        steps += 1
        if steps % 10 == 0:
            average.update(model)
        if now - reported > options.report * 60:
            loss = float(np.mean([float(value) for value in losses]))
            speed, idle = len(losses) * BATCH / (now - reported), waited / (now - reported)
            print(json.dumps({"minutes": round((now - began) / 60, 1), "samples": steps * BATCH, "loss": round(loss, 4),
                              "per_second": round(speed), "waiting": round(idle, 2)}), flush=True)  # fmt: skip
            losses, waited, reported = [], 0.0, now
            _save(model, average, options.run)
    _save(model, average, options.run)
    worker.terminate()


def _save(model: Any, average: Average, run: Path) -> None:
    own = model.get_weights()
    model.set_weights(average.weights)
    model.save_weights(run / "face.weights.h5")
    model.set_weights(own)


def main() -> None:
    """Parse the options and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--teachers", type=Path, default=Path("../shared/teachers"))
    parser.add_argument("--cache", type=Path, default=Path("../runs/face/yunet.jsonl"))
    parser.add_argument("--run", type=Path, default=Path("../runs/face/run"))
    parser.add_argument("--start", type=Path, help="weights of an earlier run, or a finished .tflite")
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--report", type=float, default=4, help="minutes between reports")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--frozen-to", default=FROZEN_TO, help="the last layer that keeps its weights")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, default=SIZE, help="side of the training pictures, a multiple of 32")
    parser.add_argument("--limit", type=int, default=0, help="only about so many pictures, for a trial")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
