"""What each fuzz target does with one input; only ``FaceliveError`` may come out."""

from __future__ import annotations

import json
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Callable, Iterator
from unittest import mock

import numpy as np
from tests.fuzz.trials import Trials

from facelive import FaceliveError, LivenessModel, ModelCard
from facelive.images import MAX_PIXELS, read_image
from facelive.tflite.format import check_tflite

__all__ = ["SEEDS", "TARGETS"]

ROOT = Path(__file__).parents[2]
NETWORKS = ROOT / "tests" / "networks"
ASSETS = ROOT / "src" / "facelive" / "assets"

FIELDS = [one.name.encode() for one in fields(ModelCard)]

TRIALS = Trials()
_FOLDER = Path(tempfile.mkdtemp(prefix="facelive-fuzz-"))
_CARD = _FOLDER / "card.json"
_MODEL = _FOLDER / "model.tflite"


def images(data: bytes) -> None:
    """Read a picture, in full and at reduced scale; what is read is an upright RGB picture."""
    for min_side_px in (None, 32):
        try:
            picture = read_image(data, min_side_px=min_side_px)
        except FaceliveError:
            continue
        height, width, channels = picture.pixels.shape
        assert picture.pixels.dtype == np.uint8 and channels == 3 and 1 <= height * width <= MAX_PIXELS, picture


def cards(data: bytes) -> None:
    """Read a card from a file: the bytes themselves, and a good card of which they are one field's value."""
    _read_card(data)
    if data:
        _read_card(b'{"name": "m", "live_class": 1, "' + FIELDS[data[0] % len(FIELDS)] + b'": ' + data[1:] + b"}")


def _read_card(content: bytes) -> None:
    """What is read survives its own JSON."""
    _CARD.write_bytes(content)
    try:
        card = ModelCard.from_json(_CARD)
    except FaceliveError:
        return
    hash(card)
    _CARD.write_text(json.dumps(card.to_dict()), encoding="utf-8")
    assert ModelCard.from_json(_CARD) == card


def tflite(data: bytes) -> None:
    """Walk a model file; one that gets through is loaded as an untrusted one is, tried out first."""
    try:
        check_tflite(data)
    except FaceliveError:
        return
    _MODEL.write_bytes(data)
    try:
        with mock.patch("facelive.tflite.try_out", TRIALS.try_out):
            model = LivenessModel.load(_MODEL, live_class=1)
        size = model.card.input_size
        scores = model.score(np.full((2, size, size, 3), 128, np.uint8))
    except FaceliveError:
        return
    assert scores.shape == (2,) and np.all((scores >= 0) & (scores <= 1)), scores


def picture_seeds() -> Iterator[bytes]:
    """Small pictures of every format and kind, whole and broken."""
    from tests.hostile.pictures import small_pictures

    yield from (content for _, content in small_pictures())


def card_seeds() -> Iterator[bytes]:
    """Real cards and nasty ones."""
    from tests.hostile.models import cards

    yield from (path.read_bytes() for path in sorted(ASSETS.glob("*.json")))
    yield from (content for _, content in cards() if len(content) < 4096)
    yield from (
        bytes((number,)) + value for number in range(len(FIELDS)) for value in (b'"x"', b"0.5", b"[0, 1]", b"{}")
    )


def tflite_seeds() -> Iterator[bytes]:
    """The networks of the tests and the runtime's probe: a few kilobytes each."""
    yield from (path.read_bytes() for path in sorted(NETWORKS.glob("*.tflite")))
    yield (ASSETS / "probe.tflite").read_bytes()


TARGETS: dict[str, Callable[[bytes], None]] = {"images": images, "cards": cards, "tflite": tflite}
SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "images": picture_seeds,
    "cards": card_seeds,
    "tflite": tflite_seeds,
}
