"""Cards and model files that somebody made to do harm: each with a name, all made here."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import Any

from tests.hostile.pictures import PORTRAIT, Named

__all__ = ["NETWORKS", "cards", "networks"]

NETWORKS = Path(__file__).parents[1] / "networks"
CARD = {"name": "mine", "live_class": 1, "input_size": 32, "value_range": [0, 1]}


def _card(**changes: Any) -> bytes:
    return json.dumps({**CARD, **changes}).encode()


def _nested(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    return _card(training={"x": 0}).replace(b'"x": 0', ('"x": ' + opening * levels + "0" + closing * levels).encode())


def cards() -> Named:
    """Cards of which each must be refused."""
    yield "empty", b""
    yield "not-text", bytes(range(256))
    yield "a-list", b"[]"
    yield "two-megabytes", _card(description="x" * 2**21)
    yield "a-hundred-megabytes", b" " * 10**8 + _card()
    yield "deep", b"[" * 10**6
    for levels in (40, 300, 900, 5_000, 100_000):
        yield f"nested-lists-{levels}", _nested(levels)
        yield f"nested-objects-{levels}", _nested(levels, '{"x": ', "}")
    yield "huge-integer", _card().replace(b"[0, 1]", b"[0, 1" + b"0" * 4_000 + b"]")
    yield "huge-integer-threshold", _card(threshold=10**4_000)
    yield "endless-integer", _card().replace(b"[0, 1]", b"[0, 1" + b"0" * 100_000 + b"]")
    yield "endless-float", _card(crop_scale=0).replace(b'"crop_scale": 0', b'"crop_scale": 1e999999999')
    yield "no-number", _card(threshold=float("nan"))
    yield "infinite-range", _card(value_range=[float("-inf"), float("inf")])
    yield "range-beyond-float32", _card(value_range=[-1e300, 1e300])
    yield "long-range", _card(value_range=list(range(10_000)))
    yield "endless-name", _card(name="x" * 500_000)
    for key in ("name", "version", "sha256", "licence", "description", "training", "measured"):
        yield f"{key}-is-a-number", _card(**{key: 7})
        yield f"{key}-is-a-list", _card(**{key: [[]]})
    for key in ("limits", "value_range", "live_class", "input_size", "crop_scale", "threshold"):
        yield f"{key}-is-an-object", _card(**{key: {"a": 1}})
    for key in ("live_class", "input_size"):
        yield f"{key}-is-true", _card(**{key: True})
    yield "another-sha256", _card(sha256="ab" * 32)


def shared_parts(count: int = 30_000) -> bytes:
    """A model of a quarter of a megabyte whose graphs are all one graph, whose tensors are all one tensor."""
    graphs = 64
    graph = graphs + 4 * (count + 1)
    tensors = graph + 16
    tensor = tensors + 4 * (count + 1)
    buffers = tensor + 16
    content = bytearray(buffers + 32)
    struct.pack_into("<I4s", content, 0, 24, b"TFL3")
    struct.pack_into("<HHHHHHH", content, 8, 14, 12, 0, 0, 4, 0, 8)  # the model's vtable: graphs, buffers
    struct.pack_into("<iII", content, 24, 16, graphs - 28, buffers - 32)
    struct.pack_into("<IIi", content, buffers, 1, 4, buffers + 8 - 50)
    struct.pack_into("<HHH", content, 40, 6, 8, 4)  # a graph's vtable: tensors at byte 4
    struct.pack_into("<HH", content, 50, 4, 4)  # a tensor's vtable: nothing
    for start, target in ((graphs, graph), (tensors, tensor)):
        struct.pack_into("<I", content, start, count)
        for number in range(count):
            position = start + 4 + 4 * number
            struct.pack_into("<I", content, position, target - position)
    struct.pack_into("<iI", content, graph, graph - 40, tensors - graph - 4)
    struct.pack_into("<i", content, tensor, tensor - 50)
    return bytes(content)


def networks(damaged: int = 24) -> Named:
    """Files of which each is refused, or scores in [0, 1] all the same; none may take the process down."""
    good = (NETWORKS / "sigmoid.tflite").read_bytes()
    yield "whole", good
    yield "empty", b""
    yield "a-picture", PORTRAIT.read_bytes()
    yield "magic-alone", b"\x1c\0\0\0TFL3"
    yield "shared-parts", shared_parts()
    yield "far-offset", b"\xff\xff\xff\xffTFL3" + good[8:]
    yield "zeros", good[:8] + bytes(len(good) - 8)
    yield "ones", good[:8] + b"\xff" * (len(good) - 8)
    for share in (10, 50, 90, 99):
        yield f"cut-at-{share}-percent", good[: len(good) * share // 100]
    draw = random.Random(8)
    for number in range(damaged):
        content = bytearray(draw.choice(sorted(NETWORKS.glob("*.tflite"))).read_bytes())
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(8, len(content))] = draw.randrange(256)
        yield f"damaged-{number}", bytes(content)
