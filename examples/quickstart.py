"""The main job: judge a portrait, then attacks simulated from it. From the root of a checkout:

    python -m examples.quickstart

The portrait is NASA's of Eileen Collins, in the public domain. The attacks are a screen and a print of it, filmed
again, made by the code that also made some of the training pictures (`examples/training/attacks/spoofs.py`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from examples.training.attacks.spoofs import SPECIES, present
from PIL import Image

from facelive import LivenessDetector

PORTRAIT = Path(__file__).parent / "portrait.jpg"
ATTACKS = 20


def main() -> None:
    detector = LivenessDetector()
    result = detector.predict(PORTRAIT)
    assert result.face is not None and result.score is not None
    print(
        f"The portrait: {result.verdict}, score {result.score:.2f}; a face counts as live from {result.threshold:g} up."
    )
    print(f"Attacks simulated from it, {ATTACKS} of a kind. Each that passes is a mistake:")
    pixels = np.asarray(Image.open(PORTRAIT))
    for species in SPECIES:
        rng = np.random.default_rng(2026)
        attacks = [present(pixels, result.face.edges, rng, species=species).image for _ in range(ATTACKS)]
        passed = sum(one.is_live for one in detector.predict_batch(attacks))
        print(f"  {species:8}{passed:2} of {ATTACKS} pass, {100 * passed / ATTACKS:.0f} %")
    print("That was one picture each; a session looks at five. docs/models.md has the errors on real recordings.")


if __name__ == "__main__":
    main()
