"""The bundled liveness models, and your own: a TFLite file and its card, checked against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Tuple

import numpy as np
import numpy.typing as npt
from typing_extensions import Unpack

from facelive.cards import ModelCard, ModelFields
from facelive.crops import view_crops
from facelive.errors import ModelError
from facelive.model_files import (
    DEFAULT_MODEL,
    ModelLike,
    Source,
    bundled_models,
    describe,
    find_card,
    locate,
    open_network,
    read_model,
)
from facelive.tflite import TFLiteModel, runtime_name
from facelive.words import quoted, shown

__all__ = ["DEFAULT_MODEL", "LivenessModel", "ModelCard", "bundled_models"]


class LivenessModel:
    """A network that scores the views of a face. Make one with ``load``; ``with`` closes it at the end.

    Threads may share it; it pickles as a file name and a card.
    """

    __slots__ = ("_classes", "_num_threads", "_order", "_source", "card", "network")

    def __init__(self, network: TFLiteModel, card: ModelCard, source: Source, num_threads: int) -> None:
        self.card = card
        self.network = network
        self._order, self._classes = _fitted(network, card)
        self._source = source
        self._num_threads = num_threads

    @classmethod
    def load(
        cls, model: ModelLike = "default", *, num_threads: int = 1, **card_fields: Unpack[ModelFields]
    ) -> LivenessModel:
        """Load a bundled model by its name, or your own ``.tflite`` by its path or from its bytes.

        A ``sha256`` in the card is checked against the file; a file without one is first run in a process of its own,
        since a damaged file can crash the one that loads it.

        Args:
            model: A name from ``bundled_models()`` or ``"default"``, a path, or the bytes of a file.
            num_threads: Threads inside one call; 1 is fastest at 128x128.
            card_fields: Fields of ``ModelCard``; they overrule the card beside the file (``same_name.json``). Without
                such a card, ``live_class`` is required, because no file says which output means live.

        Raises:
            ModelError: The file is missing or no TFLite model, neither a card nor ``live_class`` is there, or file and
                card disagree; both values are named.
            RuntimeUnavailableError: No TFLite runtime works here.
            TypeError: A card has no such field.

        Example:
            >>> LivenessModel.load("custom").card.input_size
            128
        """
        source = locate(model)
        content, own = read_model(source), find_card(source)
        card = own.changed(**card_fields) if own else describe(source, **card_fields)
        network, card = open_network(content, card, num_threads)
        if own is None and "input_size" not in card_fields:
            shape = network.input_details[0]["shape"]
            card = card.changed(input_size=int(shape[1]) if len(shape) == 4 else 0)
        return cls(network, card, source.absolute() if isinstance(source, Path) else source, num_threads)

    def crops(self, image: npt.NDArray[np.uint8], box: tuple[float, float, float, float]) -> npt.NDArray[np.uint8]:
        """What this model wants to see of a face, in the order of ``card.views``.

        Args:
            image: uint8, (H, W, 3), RGB, 0-255, upright.
            box: ``(x0, y0, x1, y1)`` in pixels, overlapping the picture.

        Returns:
            uint8, (V, S, S, 3), RGB, 0-255, with V views of S = ``card.input_size`` pixels; a new array.

        Raises:
            ValueError: The box does not overlap the picture.

        Example:
            >>> LivenessModel.load().crops(np.zeros((480, 640, 3), np.uint8), (200, 100, 300, 240)).shape[1:]
            (128, 128, 3)
        """
        return view_crops(image, box, self.card.views, size=self.card.input_size)

    def score(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Score the views of N faces in one call of the network; threads may call this at the same time.

        Args:
            crops: uint8, (N, V, S, S, 3), RGB, 0-255, N at least 1: what ``crops`` gave for each face. With one view
                (N, S, S, 3) will do.

        Returns:
            float64, (N,): P(bona fide) in [0, 1], higher is more live.

        Raises:
            ModelError: The network gave a number that is no probability.
            ValueError: ``crops`` are not such an array.

        Example:
            >>> model = LivenessModel.load()
            >>> views = model.crops(np.zeros((480, 640, 3), np.uint8), (200, 100, 300, 240))
            >>> bool(0 <= model.score(np.stack([views, views]))[0] <= 1)
            True
        """
        crops = self._checked(crops)
        inputs = [crops[:, number] for number in self._order]
        outputs = self.network.run(*inputs, value_range=self.card.value_range)[0]
        if outputs.size != len(crops) * self._classes:
            raise ModelError(
                f"{self.card.name!r} gave {outputs.shape} for {len(crops)} faces and {self._classes} classes"
            )
        outputs = outputs.reshape(len(crops), self._classes)
        return _live_probability(outputs.astype(np.float64), self.card)

    def _checked(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The crops as (N, V, S, S, 3)."""
        crops, size, views = np.asarray(crops), self.card.input_size, len(self.card.views)
        if crops.ndim == 4 and views == 1:
            crops = crops[:, np.newaxis]
        if crops.dtype != np.uint8 or crops.shape[1:] != (views, size, size, 3) or not len(crops):
            wanted = f"(N, {size}, {size}, 3)" if views == 1 else f"(N, {views}, {size}, {size}, 3)"
            raise ValueError(f"crops are uint8 {wanted} as crops() makes them, not {crops.dtype} {crops.shape}")
        return crops

    def close(self) -> None:
        """Release the interpreters of all threads; a later ``score`` raises ``ModelError``."""
        self.network.close()

    def __enter__(self) -> LivenessModel:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LivenessModel({self.card.name!r}, runtime={runtime_name()!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"source": self._source, "card": self.card, "num_threads": self._num_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        source, num_threads = state["source"], state["num_threads"]
        network, card = open_network(read_model(source), state["card"], num_threads)
        self.__init__(network, card, source, num_threads)  # type: ignore[misc]


def _live_probability(outputs: npt.NDArray[np.float64], card: ModelCard) -> npt.NDArray[np.float64]:
    if not np.isfinite(outputs).all():  # also of the other classes: what went wrong there says nothing about this one
        raise ModelError(f"{card.name!r} gave numbers that are not finite: the file or its value_range is wrong")
    if card.output == "logits":
        # One logit is class 1 against class 0; softmax over (0, logit) is its sigmoid.
        logits = np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        outputs = exponents / exponents.sum(axis=1, keepdims=True)
    # A sigmoid may end a rounding error outside [0, 1]; anything further out is not a probability, of any class.
    if not (outputs.min() >= -1e-3 and outputs.max() <= 1 + 1e-3):
        raise ModelError(
            f"{card.name!r} gave {shown(outputs.tolist())}, no probability: say output='logits' if the file ends "
            "without sigmoid or softmax"
        )
    if outputs.shape[1] == 1 and card.live_class == 0:  # the one value is P(class 1)
        outputs = 1 - outputs
    return outputs[:, min(card.live_class, outputs.shape[1] - 1)].clip(0.0, 1.0)


def _fitted(network: TFLiteModel, card: ModelCard) -> Tuple[list[int], int]:
    """Hold the card against the file; return the number of the view for each input, and how many values come out."""
    inputs, outputs = network.input_details, network.output_details
    if len(inputs) != len(card.views) or len(outputs) != 1:
        raise ModelError(
            f"the file of {card.name!r} has {len(inputs)} inputs and {len(outputs)} outputs, but its card has the "
            f"views {', '.join(card.views)}: it must have an input for each view and one output"
        )
    if any(tensor["dtype"] != np.float32 for tensor in (*inputs, *outputs)):
        raise ModelError(f"{card.name!r} takes {inputs[0]['dtype'].__name__}: convert it with float32 in and out")
    wanted = (1, card.input_size, card.input_size, 3)
    for tensor in inputs:
        shape = tuple(int(length) for length in tensor["shape"])
        if shape != wanted:
            raise ModelError(f"the file of {card.name!r} takes input {shape}, but its card says {wanted}")
    classes = int(np.prod(outputs[0]["shape"][1:]))
    if classes < 1 or card.live_class >= max(classes, 2):
        raise ModelError(
            f"the file of {card.name!r} has {classes} outputs, but its card says live is {quoted(card.live_class)}"
        )
    return _view_of_each_input([tensor["name"] for tensor in inputs], card), classes


def _view_of_each_input(names: list[str], card: ModelCard) -> list[int]:
    if len(names) == 1:
        return [0]
    order = [[number for number, view in enumerate(card.views) if view in name] for name in names]
    if sorted(order) != [[number] for number in range(len(card.views))]:
        raise ModelError(
            f"the file of {card.name!r} has the inputs {', '.join(names)}, but its card has the views "
            f"{', '.join(card.views)}: each view's name must stand in exactly one input's name"
        )
    return [number for (number,) in order]
