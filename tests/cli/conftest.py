"""Pictures and a model that the commands are tried on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

NETWORKS = Path(__file__).parents[1] / "networks"


@pytest.fixture
def one_output(tmp_path: Path) -> Path:
    """A model of one's own with its card: it answers with the brightness of the crop."""
    shutil.copy(NETWORKS / "sigmoid.tflite", tmp_path / "own.tflite")
    card = {"name": "own", "live_class": 1, "input_size": 32, "value_range": [0, 1]}
    (tmp_path / "own.json").write_text(json.dumps(card))
    return tmp_path / "own.tflite"


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.png"
    Image.new("RGB", (640, 480), "white").save(path)
    return path
