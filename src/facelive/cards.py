"""The model card: what a model file needs to be fed, how to read its answer, and what it was measured to do."""

from __future__ import annotations

import codecs
import json
import os
import stat
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Dict, Literal, Optional, Tuple, Union

from typing_extensions import TypedDict, Unpack

from facelive.errors import ModelError
from facelive.words import quoted, shown

__all__ = ["MAX_CARD_BYTES", "CardFields", "ModelCard", "ModelFields"]

MAX_CARD_BYTES = 2**20
"""Largest card file that is read; the bundled ones take a few kilobytes."""

_MAX_NAME = 200
_MAX_DEPTH = 20
_MAX_VALUE = 1e6  # of value_range: beyond it float32 inputs lose the picture
_VIEWS = ("near", "wide")


class CardFields(TypedDict, total=False):
    """The fields of ``ModelCard`` that may be given where a model is loaded."""

    name: str
    live_class: int
    version: str
    input_size: int
    crop_scale: float
    views: Dict[str, float]
    value_range: Tuple[float, float]
    output: Literal["probability", "logits"]
    licence: str
    sha256: str
    description: str
    training: Dict[str, Any]
    measured: Dict[str, Any]
    limits: Tuple[str, ...]


class ModelFields(CardFields, total=False):
    """All fields of ``ModelCard``."""

    threshold: float


@dataclass(frozen=True)
class ModelCard:
    """What a liveness model is, frozen; the JSON file beside the ``.tflite`` holds the same keys.

    Args:
        name: What results and reports call the model.
        live_class: Index of the class that means live. A single output is P(class 1), so 1 reads it as
            P(live) and 0 as P(spoof). Never guessed: a folder named ``live`` sorts before ``spoof``.
        version: The model's own version.
        input_size: Side of the square input in pixels.
        crop_scale: Side of the near view, the face crop, in units of the face box's longer side.
        views: What the model sees, a side in the same units for each: ``"near"`` is the face crop, mirrored where the
            picture ends; ``"wide"`` a square of real pixels with what is around the face. Only the near view at
            ``crop_scale`` unless given. In a file of two inputs each name stands in one input's name.
        value_range: What pixel values 0 and 255 become, for example ``(-1, 1)``.
        output: ``"probability"`` (sigmoid or softmax already applied) or ``"logits"``.
        threshold: The operating point on P(bona fide), above 0 and at most 1.
        licence: SPDX name of the weights' licence.
        sha256: Hash of the ``.tflite`` file in hex, kept in lower case; empty when unknown.
        description: One line for listings.
        training: What it was trained on and how.
        measured: Its errors and on which pictures.
        limits: What it cannot do, a plain sentence each.

    Raises:
        ModelError: A field is out of its range.

    Example:
        >>> ModelCard("mine", live_class=1, value_range=(0, 1)).views
        {'near': 1.5}
    """

    name: str
    live_class: int
    version: str = "0"
    input_size: int = 128
    crop_scale: float = 1.5
    views: dict[str, float] = field(default_factory=dict, hash=False)
    value_range: tuple[float, float] = (-1.0, 1.0)
    output: Literal["probability", "logits"] = "probability"
    threshold: float = 0.5
    licence: str = ""
    sha256: str = ""
    description: str = ""
    training: dict[str, Any] = field(default_factory=dict, compare=False)
    measured: dict[str, Any] = field(default_factory=dict, compare=False)
    limits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            self._set("value_range", tuple(_number(value) for value in self.value_range))
            if not isinstance(self.limits, (list, tuple)):
                raise TypeError("limits are a list of sentences")
            self._set("limits", tuple(self.limits))
            views = {name: _number(scale) for name, scale in dict(self.views).items()}
            self._set("views", views or {"near": _number(self.crop_scale)})
            self._set("crop_scale", self.views.get("near", next(iter(self.views.values()))))
            self._set("threshold", _number(self.threshold))
            problem = self._problem()
        except Exception as error:  # whatever a value trips over, or does when it is asked for a number
            raise ModelError(f"the model card holds a value of the wrong type: {shown(error, 200)}") from error
        if problem:
            raise ModelError(f"the model card of '{shown(self.name, _MAX_NAME)}' {problem}")
        self._set("sha256", self.sha256.lower())

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _problem(self) -> Optional[str]:
        if not isinstance(self.name, str) or not 1 <= len(self.name) <= _MAX_NAME:
            return f"needs a name of 1 to {_MAX_NAME} characters"
        if not all(isinstance(one, str) for one in self.limits):
            return "has limits that are no list of sentences"
        for text in ("version", "licence", "sha256", "description"):
            if not isinstance(getattr(self, text), str):
                return f"has a {text} that is no text"
        if not _is_count(self.input_size) or not 8 <= self.input_size <= 1024:
            return f"has input_size {quoted(self.input_size)}: pixels from 8 to 1024 are possible"
        if not set(self.views) <= set(_VIEWS):
            return "has a view that is neither 'near' nor 'wide'"
        if not all(0.2 <= scale <= 10 for scale in self.views.values()):
            return f"has crop_scale or views {self.views}: 0.2 to 10 face sides are possible"
        possible = len(self.value_range) == 2 and -_MAX_VALUE <= self.value_range[0] < self.value_range[1] <= _MAX_VALUE
        if not possible:
            return f"has value_range {self.value_range[:3]}: give (low, high)"
        if self.output not in ("probability", "logits"):
            return f"has output {quoted(self.output)}: it is 'probability' or 'logits'"
        if not _is_count(self.live_class) or self.live_class < 0:
            return f"has live_class {quoted(self.live_class)}: give the index of the live class, 0 or more"
        if not 0 < self.threshold <= 1:
            return f"has threshold {self.threshold}: it lies above 0, which would accept every attack, and up to 1"
        for content in ("training", "measured"):
            if not isinstance(getattr(self, content), dict) or _deeper_than(_MAX_DEPTH, getattr(self, content)):
                return f"has a {content} that is no object of at most {_MAX_DEPTH} levels"
        return None

    def changed(self, **changes: Unpack[ModelFields]) -> ModelCard:
        """The same card with other values; another ``crop_scale`` alone changes the near view.

        Raises:
            ModelError: A field is out of its range.
            TypeError: There is no such field.

        Example:
            >>> ModelCard("mine", live_class=1).changed(crop_scale=2).views
            {'near': 2.0}
        """
        if "crop_scale" in changes and "views" not in changes:
            changes["views"] = {**self.views, "near": changes["crop_scale"]}
        return replace(self, **changes)

    @classmethod
    def from_json(cls, path: Union[str, os.PathLike[str]]) -> ModelCard:
        """Read a card file; keys it does not know are ignored, so that newer cards stay readable.

        Raises:
            ModelError: The file is missing, is not JSON, or a field does not fit.
        """
        try:
            if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe may never begin
                raise ValueError("it is no regular file")
            with Path(path).open("rb") as file:
                text = file.read(MAX_CARD_BYTES + 1)
            if len(text) > MAX_CARD_BYTES:
                raise ValueError(f"it has more than {MAX_CARD_BYTES} bytes")
            content = json.loads(text.removeprefix(codecs.BOM_UTF8).decode())
        except Exception as error:  # also whatever an object says when it is asked for its path
            reason = getattr(error, "strerror", None) or shown(error, 200)
            raise ModelError(f"cannot read the model card '{shown(path)}': {reason}") from error
        if not isinstance(content, dict):
            raise ModelError(f"the model card '{shown(path)}' must be a JSON object")
        known = {one.name for one in fields(cls)}
        try:
            return cls(**{key: value for key, value in content.items() if key in known})
        except TypeError as error:
            raise ModelError(f"the model card '{shown(path)}' lacks a field: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Every field, ready for JSON.

        Example:
            >>> ModelCard("mine", live_class=1).to_dict()["crop_scale"]
            1.5
        """
        return asdict(self)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("true and false are no numbers")
    return float(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _deeper_than(levels: int, content: Any) -> bool:
    """Whether lists and objects are nested deeper than that; asks without recursion, which has a limit of its own."""
    layer = [content]
    for _ in range(levels):
        layer = [
            value
            for one in layer
            if isinstance(one, (dict, list, tuple))
            for value in (one.values() if isinstance(one, dict) else one)
        ]
    return any(isinstance(one, (dict, list, tuple)) for one in layer)
