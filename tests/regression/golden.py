"""Scores that must not drift: ``python -m tests.regression.golden`` writes golden.json anew, after a model changed.

Every bundled model on the public-domain portrait, on what a camera and a codec do to it, and on attacks simulated from
it. Another runtime, NumPy or Pillow may move a score by a little; a changed crop, filter or polarity moves it a lot.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Iterator

import numpy as np
import numpy.typing as npt
from examples.training.attacks.spoofs import SPECIES, mirror, present
from PIL import Image, ImageEnhance

from facelive import FaceBox, LivenessDetector, bundled_models

GOLDEN = Path(__file__).parent / "golden.json"
PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.jpg"
FACE = FaceBox(176, 62, 272, 186)


def pictures() -> Iterator[tuple[str, npt.NDArray[np.uint8], FaceBox]]:
    """Name, picture and face of every case; the same on every machine."""
    portrait = Image.open(PORTRAIT).convert("RGB")
    pixels = np.asarray(portrait)
    yield "portrait", pixels, FACE
    yield "mirrored", np.ascontiguousarray(pixels[:, ::-1]), FaceBox(512 - FACE.x1, FACE.y0, 512 - FACE.x0, FACE.y1)
    yield "half size", np.asarray(portrait.resize((256, 256), Image.Resampling.LANCZOS)), FACE.scaled(0.5)
    yield "darker", np.asarray(ImageEnhance.Brightness(portrait).enhance(0.6)), FACE
    yield "cut at the face", pixels[62:186, 176:272], FaceBox(0, 0, 96, 124)
    buffer = io.BytesIO()
    portrait.save(buffer, "JPEG", quality=40)
    yield "JPEG 40", np.asarray(Image.open(buffer)), FACE
    for seed in range(3):
        for species in SPECIES:
            attack = present(pixels, FACE.edges, np.random.default_rng(seed), species=species)
            yield f"{species} {seed}", attack.image, FaceBox(*attack.box)
    second_camera = mirror(pixels, FACE.edges, np.random.default_rng(0))
    yield "second camera", second_camera.image, FaceBox(*second_camera.box)


def scores(model: str) -> dict[str, float]:
    """P(live) of one model in every case."""
    detector = LivenessDetector(model)
    judged = {name: detector.predict(image, face=face) for name, image, face in pictures()}
    return {name: round(result.score, 4) for name, result in judged.items() if result.score is not None}


if __name__ == "__main__":
    content = {name: scores(name) for name in bundled_models()}
    GOLDEN.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
