from __future__ import annotations

import struct
from pathlib import Path

import pytest

from facelive import ModelError
from facelive.tflite.format import check_tflite, last_operator

NETWORKS = Path(__file__).parents[1] / "networks"


@pytest.mark.parametrize("path", sorted(NETWORKS.glob("*.tflite")), ids=lambda path: path.stem)
def test_whole_files_pass(path: Path) -> None:
    check_tflite(path.read_bytes())


def test_a_shape_that_would_fill_the_memory_is_refused() -> None:
    content = (NETWORKS / "sigmoid.tflite").read_bytes()
    honest, greedy = (struct.pack("<4i", 1, side, side, 3) for side in (32, 20_000))
    assert honest in content
    with pytest.raises(ModelError, match="would fill the memory"):
        check_tflite(content.replace(honest, greedy))


def test_a_field_that_lies_outside_its_table_is_refused() -> None:
    """The runtime would follow it: this very byte crashed tflite-runtime."""
    content = bytearray((NETWORKS / "three_logits.tflite").read_bytes())
    content[1197] = 55
    with pytest.raises(ModelError, match="a field outside the table"):
        check_tflite(bytes(content))


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("ends_in_sigmoid", "sigmoid"),
        ("endings/sigmoid_pair", "sigmoid"),
        ("endings/softmax_pick", "softmax"),
        ("logit", None),
        ("sigmoid", None),
        ("two_class", None),
    ],
)
def test_the_last_operator_is_told(name: str, ending: str | None) -> None:
    assert last_operator((NETWORKS / f"{name}.tflite").read_bytes()) == ending
