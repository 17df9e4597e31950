"""The bundled liveness models, and your own: a TFLite file and its card, checked against each other."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Union

import numpy as np
import numpy.typing as npt
from typing_extensions import TypedDict, Unpack

from facelive.cards import ModelCard
from facelive.crops import face_crop, normalize
from facelive.errors import ModelError
from facelive.runtime import TFLiteModel
from facelive.trial import try_out

__all__ = ["DEFAULT_MODEL", "LivenessModel", "ModelCard", "bundled_models"]

_ASSETS = Path(__file__).parent / "assets"
_BUNDLED = ("custom", "mobilenet", "mobilenet_v2")

MAX_MODEL_BYTES = 2**30
"""Largest model file that is read; the bundled ones take a few megabytes."""

DEFAULT_MODEL = "mobilenet_v2"
"""The bundled model with the lowest errors on sources it never saw; docs/models.md has the figures."""


class CardOptions(TypedDict, total=False):
    """The fields of ``ModelCard`` that describe a model without a card file."""

    name: str
    version: str
    crop_scale: float
    value_range: tuple[float, float]
    output: Literal["probability", "logits"]
    live_class: int
    threshold: float


def bundled_models() -> dict[str, ModelCard]:
    """The cards of the models that come with the library, by name.

    Example:
        >>> DEFAULT_MODEL in bundled_models()
        True
    """
    return {name: ModelCard.from_json(_ASSETS / f"{name}.json") for name in _BUNDLED}


class LivenessModel:
    """A network that scores face crops. Threads may share it; it pickles as a file name and a card.

    Args:
        source: Path of a ``.tflite`` file, or its bytes.
        card: How to feed it and how to read it. A ``sha256`` in the card is checked against the file; a file without
            one is first run in a process of its own, since a damaged file can crash the one that loads it.
        num_threads: Threads inside one call; 1 is fastest at 128x128.

    Raises:
        ModelError: The file is missing or no TFLite model, or file and card disagree; both values are named.
        RuntimeUnavailableError: No TFLite runtime works here.
    """

    def __init__(self, source: Union[str, os.PathLike[str], bytes], card: ModelCard, *, num_threads: int = 1) -> None:
        content = source if isinstance(source, bytes) else _read(source)
        sha256 = hashlib.sha256(content).hexdigest()
        if card.sha256 and card.sha256 != sha256:
            raise ModelError(f"the file of {card.name!r} has sha256 {sha256}, but its card says {card.sha256}")
        if not card.sha256:
            try_out(content, card.name)
        self.card = replace(card, sha256=sha256)
        self._source = source
        self._num_threads = num_threads
        self.network = TFLiteModel(content, name=card.name, num_threads=num_threads)
        self._classes = _check_shapes(self.network, card)

    @classmethod
    def bundled(cls, name: str = "default", *, num_threads: int = 1) -> LivenessModel:
        """Load a model that comes with the library: a name from ``bundled_models()``, or ``"default"``.

        Raises:
            ModelError: There is no such model.

        Example:
            >>> LivenessModel.bundled().card.input_size
            128
        """
        name = DEFAULT_MODEL if name == "default" else name
        if name not in _BUNDLED:
            raise ModelError(f"there is no bundled model {name!r}: choose from default, {', '.join(_BUNDLED)}")
        card = ModelCard.from_json(_ASSETS / f"{name}.json")
        model = cls(_ASSETS / f"{name}.tflite", card, num_threads=num_threads)
        model._source = name  # pickled so, because the library lies elsewhere on another machine
        return model

    @classmethod
    def from_file(
        cls, path: Union[str, os.PathLike[str]], *, num_threads: int = 1, **options: Unpack[CardOptions]
    ) -> LivenessModel:
        """Load your own ``.tflite``, described by the card beside it (``same_name.json``) or by keywords.

        Args:
            path: The ``.tflite`` file.
            num_threads: Threads inside one call.
            options: Fields of ``ModelCard``; they overrule the card. Without a card file, ``live_class`` is
                required, because no file says which output means live.

        Raises:
            ModelError: As the class says, or neither a card nor ``live_class`` is there.
        """
        path = Path(path)
        content = _read(path)
        card_path = path.with_suffix(".json")
        if card_path.exists():
            card = replace(ModelCard.from_json(card_path), **options)
        elif "live_class" in options:
            card = _described(path, content, options)
        else:
            raise ModelError(
                f"{path.name} has no card {card_path.name} beside it: write one, or say live_class=0 or 1 "
                "(and value_range, crop_scale) when loading it"
            )
        model = cls(content, card, num_threads=num_threads)
        model._source = path.absolute()  # pickled so, for a process that works in another folder
        return model

    @classmethod
    def load(cls, model: Union[str, os.PathLike[str]], *, num_threads: int = 1) -> LivenessModel:
        """Load a bundled model by its name, or a ``.tflite`` file by its path.

        Raises:
            ModelError: As ``bundled`` and ``from_file`` say.
        """
        if isinstance(model, str) and not model.endswith(".tflite"):
            return cls.bundled(model, num_threads=num_threads)
        return cls.from_file(model, num_threads=num_threads)

    def crop(self, image: npt.NDArray[np.uint8], box: tuple[float, float, float, float]) -> npt.NDArray[np.uint8]:
        """The square this model wants to see around a face: uint8, (input_size, input_size, 3), RGB.

        Args:
            image: uint8, (H, W, 3), RGB, 0-255, upright.
            box: ``(x0, y0, x1, y1)`` in pixels, overlapping the picture.
        """
        return face_crop(image, box, scale=self.card.crop_scale, size=self.card.input_size)

    def score(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Score crops in one call of the network; threads may call this at the same time.

        Args:
            crops: uint8, (N, input_size, input_size, 3), RGB, 0-255, N at least 1.

        Returns:
            float64, (N,): P(bona fide) in [0, 1], higher is more live.

        Raises:
            ModelError: The network gave a number that is no probability.
            ValueError: ``crops`` are not such an array.
        """
        crops, size = np.asarray(crops), self.card.input_size
        if crops.dtype != np.uint8 or crops.shape[1:] != (size, size, 3) or not len(crops):
            raise ValueError(
                f"crops are uint8 (N, {size}, {size}, 3) as crop() makes them, not {crops.dtype} {crops.shape}"
            )
        outputs = self.network.run(normalize(crops, self.card.value_range))[0]
        if outputs.size != len(crops) * self._classes:
            raise ModelError(
                f"{self.card.name!r} gave {outputs.shape} for {len(crops)} crops of {self._classes} classes"
            )
        outputs = outputs.reshape(len(crops), self._classes)
        return _live_probability(outputs.astype(np.float64), self.card)

    def close(self) -> None:
        """Release the interpreters of all threads; a later ``score`` raises ``ModelError``."""
        self.network.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"source": self._source, "card": self.card, "num_threads": self._num_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        bundled = state["source"] in _BUNDLED
        source = _ASSETS / f"{state['source']}.tflite" if bundled else state["source"]
        self.__init__(source, state["card"], num_threads=state["num_threads"])  # type: ignore[misc]
        self._source = state["source"]


def _live_probability(outputs: npt.NDArray[np.float64], card: ModelCard) -> npt.NDArray[np.float64]:
    if card.output == "logits":
        # One logit is class 1 against class 0; softmax over (0, logit) is its sigmoid.
        logits = np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        outputs = exponents / exponents.sum(axis=1, keepdims=True)
    elif outputs.shape[1] == 1:
        outputs = np.hstack([1 - outputs, outputs])
    live = outputs[:, card.live_class]
    # A sigmoid may end a rounding error outside [0, 1]; anything further out is not a probability.
    if not np.all((live >= -1e-3) & (live <= 1 + 1e-3)):
        raise ModelError(
            f"{card.name!r} gave {live.tolist()}, no probability: say output='logits' if the file ends without "
            "sigmoid or softmax"
        )
    return np.clip(live, 0.0, 1.0)


def _check_shapes(network: TFLiteModel, card: ModelCard) -> int:
    """Hold the card against the file; return the number of output values."""
    inputs, outputs = network.input_details, network.output_details
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{card.name!r} has {len(inputs)} inputs and {len(outputs)} outputs: it must have one each")
    if inputs[0]["dtype"] != np.float32 or outputs[0]["dtype"] != np.float32:
        raise ModelError(f"{card.name!r} takes {inputs[0]['dtype'].__name__}: convert it with float32 in and out")
    shape = tuple(int(length) for length in inputs[0]["shape"])
    if shape != (1, card.input_size, card.input_size, 3):
        wanted = (1, card.input_size, card.input_size, 3)
        raise ModelError(f"the file of {card.name!r} takes input {shape}, but its card says {wanted}")
    classes = int(np.prod(outputs[0]["shape"][1:]))
    if classes < 1 or card.live_class >= max(classes, 2):
        raise ModelError(
            f"the file of {card.name!r} has {classes} outputs, but its card says live is {card.live_class}"
        )
    return classes


def _described(path: Path, content: bytes, options: CardOptions) -> ModelCard:
    """A card from keywords; the input's size is read from the file, once that is known to do no harm."""
    try_out(content, path.name)
    shape = TFLiteModel(content, name=path.name).input_details[0]["shape"]
    described: dict[str, Any] = {
        "name": path.stem,
        "input_size": int(shape[1]) if len(shape) == 4 else 0,
        "sha256": hashlib.sha256(content).hexdigest(),
        **options,
    }
    return ModelCard(**described)


def _read(path: Union[str, os.PathLike[str]]) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_MODEL_BYTES + 1)
        if len(content) > MAX_MODEL_BYTES:
            raise ValueError(f"it has more than {MAX_MODEL_BYTES} bytes")
        return content
    except (OSError, ValueError, MemoryError) as error:
        raise ModelError(f"cannot read the model file {os.fspath(path)!r}: {error}") from error
