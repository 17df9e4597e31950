"""The main job: judge a portrait, then the same portrait replayed on a screen.

    python examples/quickstart.py

The portrait is NASA's of Eileen Collins, in the public domain; the attack is simulated from it.
"""

from __future__ import annotations

from pathlib import Path

from facelive import LivenessDetector

HERE = Path(__file__).parent

detector = LivenessDetector()
for name in ("portrait.jpg", "portrait_on_screen.jpg"):
    result = detector.predict(HERE / name)
    print(f"{name:<24}{result.verdict.value:<10}P(live) {result.score:.3f}")
