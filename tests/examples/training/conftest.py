"""A tiny set of training pictures: the public-domain portrait, cut and tinted, under the manifests' own format.

And starting weights as ImageNet's are: drawn by lot, but with the statistics of real pictures.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

Picture = npt.NDArray[np.uint8]
FACE = (178.0, 70.0, 270.0, 190.0)  # in the portrait's pixels


@pytest.fixture(scope="session")
def face_box() -> tuple[float, float, float, float]:
    return FACE


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory, portrait: Picture) -> Path:
    """Two sources of train and one of val, three live pictures and three attacks each, and one plain photograph."""
    data = tmp_path_factory.mktemp("data")
    for folder in ("images", "faces", "backgrounds"):
        (data / folder).mkdir()
    small = Image.fromarray(portrait).resize((256, 256))
    box = [edge / 2 for edge in FACE]
    rows: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    for source, split in (("one/lab", "train"), ("two/room", "train"), ("three/hall", "val")):
        for number in range(6):
            live = number < 3
            name = f"{source[:3]}{number}.jpg"
            tone = np.asarray(small) // 2 + (40 if live else 0) + number
            Image.fromarray(tone.astype(np.uint8)).save(data / "images" / name)
            kind = "bona_fide" if live else ("print" if number == 3 else "replay_phone")
            rows.append(
                {
                    "file": name,
                    "split": split,
                    "label": "live" if live else "spoof",
                    "kind": kind,
                    "source": source,
                    "subject": f"{source}-{number % 2}",
                    "sequence": number,
                    "frame": 0,
                    "box": box,
                    "width": 256,
                    "height": 256,
                }
            )
            scores.append({"file": name, "minifasnet_ensemble": 0.9 if live else 0.2, "minifas128": 0.7})
    small.save(data / "faces" / "plain.jpg")
    found = [{"box": place} for place in (box, [180, 60, 220, 110], [20, 20, 40, 44])]  # one aside, one small
    faces = [{"file": "plain.jpg", "source": "web/faces", "width": 256, "height": 256, "faces": found}]
    scores.append({"file": "faces/plain.jpg", "box": box, "minifasnet_ensemble": 0.8, "minifas128": 0.6})
    Image.new("RGB", (64, 48), (90, 120, 60)).save(data / "backgrounds" / "lawn.jpg")
    backgrounds = [{"file": "lawn.jpg", "source": "web/scenes", "kind": "scene", "width": 64, "height": 48}]
    for name, lines in (
        ("liveness.jsonl", rows),
        ("faces.jsonl", faces),
        ("backgrounds.jsonl", backgrounds),
        ("train_scores.jsonl", [line for line in scores if not line["file"].startswith("thr")]),
        ("val_scores.jsonl", [line for line in scores if line["file"].startswith("thr")]),
    ):
        (data / name).write_text("\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    return data


def settle(network: Any, inputs: Any) -> None:
    """Give a fresh network's normalizations the statistics that these pictures have."""
    for layer in network.layers:
        if hasattr(layer, "momentum"):
            layer.momentum = 0.0
    network(inputs, training=True)


@pytest.fixture(scope="session")
def imagenet(portrait: Picture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of MobileNetV2 without its top, where ImageNet's would lie."""
    keras = pytest.importorskip(
        "keras", reason="training needs Keras: pip install -r examples/training/requirements.txt"
    )
    keras.utils.set_random_seed(1)
    whole = keras.applications.MobileNetV2((128, 128, 3), include_top=False, weights=None)
    parts = [portrait[y : y + 128, x : x + 128] for y in (0, 128, 256) for x in (0, 128, 256)]
    settle(whole, np.stack(parts).astype(np.float32) / 127.5 - 1)
    path = tmp_path_factory.mktemp("imagenet") / "start.weights.h5"
    whole.save_weights(path)
    return path
