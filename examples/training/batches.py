"""Training batches made beside the training step, in worker processes that never import TensorFlow."""

from __future__ import annotations

import functools
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
from examples.training.augment import AugmentPolicy, augment, tightened
from examples.training.data import PictureStore, Row
from examples.training.sampling import Sampler
from examples.training.spoofs import SPECIES, mirror, present

__all__ = ["LIMIT", "Batch", "BatchMaker", "echoed", "minifas", "mirrored", "prefetched"]

SYNTHETIC_TARGET = 0.05  # what a teacher that is sure would say
LIMIT = 8.0  # beyond it a logit says no more than that its model is sure


@dataclass(frozen=True)
class Batch:
    """One step's pictures.

    Args:
        images: uint8, (B, 128, 128, 3), RGB, 0-255.
        whole: The same with the surroundings that some were cut from; the same array when nobody asks for them.
        targets: float32, (B,): P(live) to be learnt, in [0, 1].
        labels: float32, (B,): 1 live, 0 attack, NaN unknown.
        taught: float32, (B, 2): each open model's logit of P(live), within ±`LIMIT`, NaN where it has none.
        features: float32, (B, n): what MiniFAS 128 makes of each picture before its last layer; n is 0 when not asked.
    """

    images: npt.NDArray[np.uint8]
    whole: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]
    labels: npt.NDArray[np.float32]
    taught: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]


class BatchMaker:
    """From a step number to its batch; the same step always gives the same pictures.

    Args:
        rows: The table that the sampler's numbers point into.
        store: Decoded pictures, in the order of ``rows``.
        sampler: Chooses the pictures.
        policy: How each picture is degraded.
        label_weight: Share of the label in a target; the rest is the teachers' soft score.
        teacher_mix: Weights of the two teachers in the soft score.
        synthetic: Share of the pictures not labelled as attacks that become one, and the same share again mirrors.
        backdrops: Pictures to stand behind synthetic attacks.
        open_model: ONNX file of MiniFAS 128, asked about every augmented picture instead of the stored one.
        whole: Give every picture with its surroundings too, for teachers who know more than a student is shown.
        taught_whole: With ``whole``, ask ``open_model`` about those.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        store: PictureStore,
        sampler: Sampler,
        policy: AugmentPolicy,
        *,
        label_weight: float = 0.6,
        teacher_mix: tuple[float, float] = (0.5, 0.5),
        synthetic: float = 0.0,
        backdrops: Optional[PictureStore] = None,
        open_model: Optional[Path] = None,
        whole: bool = False,
        taught_whole: bool = False,
    ) -> None:
        self._boxes = [row.box for row in rows]
        self._store = store
        self._sampler = sampler
        self._policy = policy
        self._synthetic = synthetic
        self._backdrops = backdrops
        self._open_model = open_model
        self._whole = whole
        self._taught_whole = taught_whole
        self._labels = np.array([np.nan if row.label is None else row.label for row in rows], np.float32)
        pair = np.array([row.soft or (np.nan, np.nan) for row in rows], np.float32)
        self._taught = _logits(pair)
        soft = pair @ (np.array(teacher_mix, np.float32) / np.float32(sum(teacher_mix)))
        mixed = label_weight * self._labels + (1 - label_weight) * soft
        # A photograph without a label leans on its soft score alone, a picture without a score on its label.
        self._targets = np.where(np.isnan(self._labels), soft, np.where(np.isnan(soft), self._labels, mixed))

    def __call__(self, step: int) -> Batch:
        chosen = self._sampler.draw(step)
        rng = np.random.default_rng([self._sampler.seed, step, 1])
        targets, labels = self._targets[chosen].astype(np.float32), self._labels[chosen].copy()
        taught = self._taught[chosen].copy()
        images = np.empty((len(chosen), 128, 128, 3), np.uint8)
        whole = np.empty_like(images) if self._whole else images
        for place, index in enumerate(chosen):
            image, box = self._store[index], self._boxes[index]
            draw = float(rng.random())
            if labels[place] != 0 and draw < 2 * self._synthetic:
                if draw < self._synthetic:
                    made = present(image, box, rng, species=str(rng.choice(SPECIES)), backdrop=self._backdrop(rng))
                    targets[place], labels[place], taught[place] = SYNTHETIC_TARGET, 0, np.nan
                else:
                    made = mirror(image, box, rng)
                image, box = made.image, made.box
            cut, cut_box = tightened(image, box, rng, self._policy)
            state = rng.bit_generator.state
            images[place] = augment(cut, cut_box, rng, self._policy)
            whole[place] = images[place]
            if self._whole and cut is not image:
                rng.bit_generator.state = state  # all else alike
                whole[place] = augment(image, box, rng, self._policy)
        features = np.empty((len(images), 0), np.float32)
        if self._open_model is not None:
            taught[:, 1], features = minifas(self._open_model, whole if self._taught_whole else images)
        return Batch(images, whole, targets, labels, taught, features)

    def _backdrop(self, rng: np.random.Generator) -> Optional[npt.NDArray[np.uint8]]:
        if self._backdrops is None or rng.random() < 0.2:
            return None
        return self._backdrops[int(rng.integers(len(self._backdrops)))]


def _logits(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(scores) - np.log1p(-scores), -LIMIT, LIMIT), np.float32)


@functools.lru_cache(maxsize=1)
def _session(path: Path) -> Any:
    import onnx
    import onnxruntime

    model = onnx.load(path)
    # The input of the last layer joins the outputs.
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(model.graph.node[-1].input[0]))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def minifas(path: Path, images: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What MiniFAS 128 says of crops at 1.5 times the face.

    Args:
        path: Its ONNX file.
        images: uint8, (N, 128, 128, 3), RGB, 0-255.

    Returns:
        The logit of P(live), float32, (N,), within ±`LIMIT`; the features that its last layer sees, float32, (N, n).
    """
    session = _session(path)
    inputs = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
    # By fours: a whole batch at once leaves the processor's caches and takes half as long again.
    parts = [session.run(None, {"input": inputs[start : start + 4]}) for start in range(0, len(inputs), 4)]
    logits, features = (np.concatenate(part) for part in zip(*parts))
    return np.clip(logits[:, 0] - logits[:, 1], -LIMIT, LIMIT), features


_maker: Optional[BatchMaker] = None


def _adopt(maker: BatchMaker) -> None:
    global _maker
    _maker = maker


def _make(step: int) -> Batch:
    assert _maker is not None
    return _maker(step)


def prefetched(maker: BatchMaker, steps: range, *, workers: int = 1, ahead: int = 6) -> Iterator[Batch]:
    """Yield the batch of every step in order, ``ahead`` of them in the making.

    Args:
        maker: Copied into each worker.
        steps: Step numbers.
        workers: Processes; 0 makes the batches in this one.
        ahead: Batches made before they are asked for.
    """
    if workers == 0:
        yield from map(maker, steps)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_adopt, initargs=(maker,)) as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for step in steps:
                waiting.append(pool.submit(_make, step))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def mirrored(batch: Batch) -> Batch:
    """The same pictures, left and right exchanged."""
    return replace(batch, images=batch.images[:, :, ::-1], whole=batch.whole[:, :, ::-1])


def echoed(batches: Iterable[Batch], steps: range, times: int) -> Iterator[Batch]:
    """Use each batch for several steps in a row, every second time mirrored left to right.

    Args:
        batches: From the one that the first step belongs to, ``steps.start // times``, on.
        steps: Step numbers; the first may lie in the middle of a batch's turns.
        times: Steps that one batch serves.
    """
    for number, batch in enumerate(batches, start=steps.start // times):
        for turn in range(times):
            if number * times + turn in steps:
                yield batch if turn % 2 == 0 else mirrored(batch)
