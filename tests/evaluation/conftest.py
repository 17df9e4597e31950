"""Small labelled sets whose right answers are known: the network scores a picture by its brightness."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Callable, Optional

import numpy as np
import pytest
from PIL import Image

from facelive import LivenessDetector

NETWORKS = Path(__file__).parent.parent / "networks"
SPECIES = ("print", "replay_phone")

MakePicture = Callable[..., Path]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A ``.tflite`` with a card beside it; its P(bona fide) is the mean of the picture, 0 to 1."""
    path = tmp_path / "model" / "mean.tflite"
    path.parent.mkdir()
    shutil.copy(NETWORKS / "sigmoid.tflite", path)
    card = {"name": "mean", "version": "1", "input_size": 32, "crop_scale": 1.0, "value_range": [0, 1], "live_class": 1}
    path.with_suffix(".json").write_text(json.dumps({**card, "limits": ["Judges brightness."]}), encoding="utf-8")
    return path


@pytest.fixture
def detector(model: Path) -> LivenessDetector:
    """Scores a picture by its mean brightness; every picture is a face crop."""
    return LivenessDetector(model, threshold=0.5, faces=None)


@pytest.fixture
def picture() -> MakePicture:
    """Writes a grainy picture, which scores its ``brightness``; too small a ``side`` is rejected."""

    def write(path: Path, brightness: float, *, side: int = 64, seed: Optional[int] = None) -> Path:
        grain = np.random.default_rng(seed).normal(0, 25, (side, side, 1))
        pixels = np.clip(255 * brightness + grain - grain.mean(), 0, 255).repeat(3, axis=2).astype(np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path, picture: MakePicture) -> Path:
    """12 live pictures, 2 too dark; 8 prints, 1 too bright; 8 replays; a tiny live picture and a broken print."""
    root = tmp_path / "set"
    for number in range(12):
        picture(root / "live" / f"{number}.png", 0.3 if number < 2 else 0.7, seed=number)
    for species in SPECIES:
        for number in range(8):
            bright = species == "print" and number == 0
            picture(root / "spoof" / species / f"{number}.png", 0.65 if bright else 0.35, seed=number)
    picture(root / "live" / "tiny.png", 0.7, side=16)
    (root / "spoof" / "print" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    return root
