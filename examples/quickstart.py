"""The main job: judge a portrait, then attacks simulated from it. From the root of a checkout:

    python -m examples.quickstart

The portrait is NASA's of Eileen Collins, in the public domain. The attacks are a screen and a print of it, filmed
again, made by the code that also made some of the training pictures (`examples/training/spoofs.py`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from examples.training.spoofs import SPECIES, present
from PIL import Image

from facelive import LivenessDetector

PORTRAIT = Path(__file__).parent / "portrait.jpg"
ATTACKS = 20


def main() -> None:
    detector = LivenessDetector()
    result = detector.predict(PORTRAIT)
    print(f"portrait: {result.verdict}, P(live) {result.score:.3f}; live from {result.threshold:g} up")
    print(f"The attacks are simulated from it, {ATTACKS} of a kind; each that is called live is a mistake:")
    assert result.face is not None
    pixels = np.asarray(Image.open(PORTRAIT))
    for species in SPECIES:
        rng = np.random.default_rng(2026)
        attacks = [present(pixels, result.face.edges, rng, species=species).image for _ in range(ATTACKS)]
        judged = detector.predict_batch(attacks)
        live = sum(one.is_live for one in judged)
        scores = sorted(one.score for one in judged if one.score is not None)
        median = scores[len(scores) // 2]
        print(f"{species}: {live} of {ATTACKS} passed as live, median P(live) {median:.3f}")


if __name__ == "__main__":
    main()
