"""Where a liveness model lies: by a bundled name, by a path or in memory, with the card that describes it."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Optional, Union

from typing_extensions import Unpack

from facelive.cards import ModelCard, ModelFields
from facelive.errors import ModelError
from facelive.tflite import TFLiteModel, last_operator, load_network
from facelive.words import quoted, shown

__all__ = [
    "BUNDLED_MODELS",
    "DEFAULT_MODEL",
    "MAX_MODEL_BYTES",
    "ModelLike",
    "Source",
    "bundled_models",
    "describe",
    "find_card",
    "locate",
    "open_network",
    "read_model",
]

MAX_MODEL_BYTES = 2**30
"""Largest model file that is read; the bundled ones take a few megabytes."""

BUNDLED_MODELS = ("custom", "mobilenet", "mobilenet_v2")

DEFAULT_MODEL = "mobilenet_v2"
"""The bundled model with the lowest errors on sources it never saw; docs/models.md has the figures."""

ModelLike = Union[str, "os.PathLike[str]", bytes]
"""A bundled name, the path of a ``.tflite`` file, or its bytes."""

Source = Union[str, Path, bytes]
"""The same, once it is clear which: a string is a bundled name."""

_ASSETS = Path(__file__).parent / "assets"
_OTHER_FORMATS = (".onnx", ".pt", ".pth", ".h5", ".keras", ".pb", ".mlmodel", ".engine")


def bundled_models() -> dict[str, ModelCard]:
    """The cards of the models that come with the library, by name.

    Example:
        >>> DEFAULT_MODEL in bundled_models()
        True
    """
    return {name: ModelCard.from_json(_ASSETS / f"{name}.json") for name in BUNDLED_MODELS}


def locate(model: ModelLike) -> Source:
    """What is meant by a name or a path; a ``ModelError`` when it is neither a bundled name nor a TFLite file's path.

    Example:
        >>> locate("default") == DEFAULT_MODEL, locate("mine.TFLITE").name
        (True, 'mine.TFLITE')
    """
    if isinstance(model, (bytes, bytearray, memoryview)):
        return bytes(model)
    if not isinstance(model, (str, os.PathLike)):
        raise ModelError(f"a {type(model).__name__} is no model: give a bundled name, a path of a .tflite or its bytes")
    try:
        path = Path(model)
    except Exception as error:  # whatever an object says when it is asked for its path
        raise ModelError(f"a {type(model).__name__} gives no path ({shown(error)}): give the path as text") from error
    name = model if isinstance(model, str) else path.name
    if isinstance(model, str) and name in ("default", *BUNDLED_MODELS):
        return DEFAULT_MODEL if name == "default" else name
    suffix = path.suffix.lower()
    if suffix in _OTHER_FORMATS:
        raise ModelError(f"{quoted(path.name, 100)} is no TFLite file: convert it to .tflite first")
    if isinstance(model, str) and suffix != ".tflite":
        choice = ", ".join(("default", *BUNDLED_MODELS))
        raise ModelError(
            f"there is no bundled model {quoted(name, 100)}: choose from {choice}, or give a .tflite file's path"
        )
    return path


def read_model(source: Source) -> bytes:
    """The bytes of a model; a ``ModelError`` when its file cannot be read or is larger than ``MAX_MODEL_BYTES``."""
    if isinstance(source, bytes):
        return source
    path = _path(source)
    try:
        size, mode = path.stat().st_size, path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("it is no regular file")
        if size > MAX_MODEL_BYTES:
            raise ValueError(f"it has more than {MAX_MODEL_BYTES} bytes")
        return path.read_bytes()
    except MemoryError as error:
        raise ModelError(f"cannot read the model file {str(path)!r}: there is no memory for its bytes") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the model file {str(path)!r}: {error}") from error


def find_card(source: Source) -> Optional[ModelCard]:
    """The card beside a model's file, if there is one; a bundled one must name the hash of its file."""
    if isinstance(source, bytes):
        return None
    path = _path(source).with_suffix(".json")
    if isinstance(source, Path) and not path.exists():
        return None
    card = ModelCard.from_json(path)
    if isinstance(source, str) and not card.sha256:
        raise ModelError(f"the card of the bundled model {source!r} has no sha256: install facelive again")
    return card


def describe(source: Source, **card_fields: Unpack[ModelFields]) -> ModelCard:
    """A card from keywords, for a model that has none; ``live_class`` must be among them."""
    name = source.name if isinstance(source, Path) else "model"
    if "live_class" not in card_fields:
        beside = f" {Path(name).stem}.json beside it" if isinstance(source, Path) else ""
        what = repr(name) if beside else "data"
        raise ModelError(
            f"{name} has no card{beside}: {'write one, or ' * bool(beside)}say live_class=0 or 1 "
            f"(and value_range, crop_scale), as in LivenessModel.load({what}, live_class=1)"
        )
    fields: ModelFields = {"name": Path(name).stem, **card_fields}
    return ModelCard(**fields)


def open_network(content: bytes, card: ModelCard, num_threads: int) -> tuple[TFLiteModel, ModelCard]:
    """The network of a file, and its card with the file's hash.

    Raises:
        ModelError: The file is not the one that the card names, is no TFLite model, or does not end as the card says.
        RuntimeUnavailableError: No TFLite runtime works here.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if card.sha256 and card.sha256 != sha256:
        raise ModelError(f"the file of {card.name!r} has sha256 {sha256}, but its card says {card.sha256}")
    network = load_network(content, name=card.name, num_threads=num_threads, known=bool(card.sha256))
    ending = last_operator(content) if card.output == "logits" else None
    if ending:
        raise ModelError(
            f"the file of {card.name!r} ends in a {ending}, so it gives no logits: say output='probability'"
        )
    return network, card.changed(sha256=sha256)


def _path(source: Union[str, Path]) -> Path:
    return source if isinstance(source, Path) else _ASSETS / f"{source}.tflite"
