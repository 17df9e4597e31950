"""How often the light of a screen is judged right, on simulated frames: ``python -m tests.benchmarks.challenge``.

The frames are those of ``tests/examples/flask_app/lit.py``: one portrait, lit by a room and a screen. They tell how the
check's limits were chosen; they are no measurement on people.
"""

from __future__ import annotations

import argparse

import numpy as np
from tests.examples.flask_app import lit

from facelive import LivenessDetector
from facelive.challenges import COLOURS, face_light, follows
from facelive.images import read_image

NAMES = [name for name in COLOURS if name != "white"]
ROOMS = {"neutral": (1.0, 1.0, 1.0), "lamp": (1.25, 1.0, 0.7), "sky": (0.85, 1.0, 1.2)}
CAMERAS = {
    "as usual": lit.Camera(),
    "white balance takes out 90 %": lit.Camera(balance=0.9),
    "noise 8, JPEG 60, head moves 15 px": lit.Camera(noise=8, quality=60, wander_px=15),
}


def seen(detector: LivenessDetector, name: str, room: lit.Room, camera: lit.Camera, seed: int) -> list[float] | None:
    """The light on the face of one frame, or ``None`` where no face was found."""
    code = COLOURS[name]
    colour = int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)
    picture = read_image(lit.frame(colour, room, camera, seed=seed))
    face = detector.predict(picture).face
    return None if face is None else face_light(picture.pixels, face)


def measure(detector: LivenessDetector, room: lit.Room, camera: lit.Camera, rounds: int) -> tuple[float, float, float]:
    """How often a frame that follows is taken, one of another colour, and one that stays white."""
    right: list[bool] = []
    other: list[bool] = []
    still: list[bool] = []
    for number in range(rounds):
        seed = 100 * number
        white = seen(detector, "white", room, camera, seed)
        again = seen(detector, "white", room, camera, seed + 1)
        shown = [seen(detector, name, room, camera, seed + 2 + at) for at, name in enumerate(NAMES)]
        if white is None:
            continue
        for asked in NAMES:
            still.append(again is not None and follows(white, again, asked))
            for name, light in zip(NAMES, shown):
                (right if name == asked else other).append(light is not None and follows(white, light, asked))
    return float(np.mean(right)), float(np.mean(other)), float(np.mean(still))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How often the colour challenge is right, on simulated frames.")
    parser.add_argument("--rounds", type=int, default=8, help="of eight frames, for each line of the table")
    options = parser.parse_args()
    detector = LivenessDetector()
    cases = [(screen, "neutral", "as usual") for screen in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)]
    cases += [(0.1, room, "as usual") for room in ("lamp", "sky")] + [(0.1, "neutral", name) for name in CAMERAS][1:]
    print("screen/room  room     camera                              follows  another colour  still white")
    for screen, room, camera in cases:
        rates = measure(detector, lit.Room(screen, ROOMS[room]), CAMERAS[camera], options.rounds)
        print(f"{screen:11.2f}  {room:7}  {camera:34}  {rates[0]:7.3f}  {rates[1]:14.3f}  {rates[2]:11.3f}", flush=True)


if __name__ == "__main__":
    main()
