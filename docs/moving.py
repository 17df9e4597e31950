"""The moving picture of README.md: four visits, judged by the library's own sessions.

The one person shown is the public-domain portrait in examples/. The attacks are simulated from it. What the default
model answers is drawn as it is, an attack that passes too: the picture says what an answer looks like, not how often
it is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt
from examples.training.attacks.spoofs import Recapture, present
from examples.training.attacks.surfaces import SIDE as PAPER
from examples.training.attacks.surfaces import paper_light
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from facelive import LivenessDetector, LivenessResult

Pixels = npt.NDArray[np.uint8]
Box = Tuple[float, float, float, float]

SIDE, PANEL = 360, 280
SEEN = 240  # pixels of a scene that the camera shows; it drifts over the rest
LABELS = ("live face", "print", "phone", "paper mask")
GREEN, RED, AMBER, GREY, INK, GROUND = "#22c55e", "#f87171", "#fbbf24", "#64748b", "#e2e8f0", "#0f172a"
FRAME_MS, PAUSE_MS, END_MS = 280, 1300, 2600


@dataclass(frozen=True)
class Visit:
    """One visit as it went.

    Args:
        frames: What the camera saw until the decision, with the library's answer to each.
        accepted: How it ended.
    """

    frames: List[Tuple[Image.Image, LivenessResult]]
    accepted: bool


def draw(target: Path, portrait: Path) -> None:
    """Write the animation as WebP.

    Args:
        target: The file.
        portrait: The picture that everything is made from.
    """
    detector = LivenessDetector()
    pixels = np.asarray(Image.open(portrait).convert("RGB"))
    face = detector.predict(pixels).face
    assert face is not None
    around = round(1.1 * face.side_px)
    person = pixels[: round(face.y1) + around, round(face.x0) - around : round(face.x1) + around]
    visits = [_visit(detector, person, min(person.shape[:2]) - 20)]
    visits += [_visit(detector, attack.image, SEEN) for attack in _attacks(pixels, face.edges)]
    drawn, shown_ms = [], []
    for number, visit in enumerate(visits):
        done = [one.accepted for one in visits[:number]]
        for count, (scene, result) in enumerate(visit.frames, start=1):
            last = count == len(visit.frames)
            drawn.append(_frame(scene, result, done, count, visit.accepted if last else None))
            shown_ms.append(PAUSE_MS if last else FRAME_MS)
    shown_ms[-1] = END_MS
    drawn[0].save(target, save_all=True, append_images=drawn[1:], duration=shown_ms, loop=0, quality=60, method=6)


def paper_mask(image: Pixels, box: Box, rng: np.random.Generator) -> Recapture:
    """A face printed on a sheet, cut out along its outline and worn by somebody: the mirrored portrait.

    Args:
        image: uint8, (H, W, 3), RGB: the portrait.
        box: Its face in pixels.
        rng: Consumed.
    """
    side, middle = box[3] - box[1], ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    reach = side * float(rng.uniform(1.1, 1.3))
    around = (middle[0] - reach, middle[1] - 0.8 * reach, middle[0] + reach, middle[1] + 1.2 * reach)
    sheet = Image.fromarray(image).resize((PAPER, PAPER), Image.Resampling.BILINEAR, box=around)
    wearer = sheet.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    rows, columns = np.mgrid[0:PAPER, 0:PAPER].astype(np.float32)
    printed = paper_light(np.asarray(sheet, np.float32), columns, rows, rng)
    scale = PAPER / (2 * reach)
    place = (PAPER / 2, PAPER * 0.4)
    half = (0.62 * (box[2] - box[0]) * scale, 0.66 * side * scale)
    outline = (place[0] - half[0], place[1] - half[1], place[0] + half[0], place[1] + half[1])
    shadow, paper, cut = (Image.new("L", wearer.size, 0) for _ in range(3))
    ImageDraw.Draw(shadow).ellipse([edge + 3 for edge in outline], fill=170)
    wearer.paste((20, 15, 15), (0, 0), shadow.filter(ImageFilter.GaussianBlur(4)))
    ImageDraw.Draw(paper).ellipse(outline, fill=255)
    wearer.paste((222, 219, 212), (0, 0), paper.filter(ImageFilter.GaussianBlur(0.7)))
    ImageDraw.Draw(cut).ellipse((outline[0] + 4, outline[1] + 4, outline[2] - 4, outline[3] - 4), fill=255)
    ink = Image.fromarray(np.clip(printed, 0, 255).astype(np.uint8))
    wearer.paste(ink, (0, 0), cut.filter(ImageFilter.GaussianBlur(0.7)))
    half_face = (box[2] - box[0]) / 2 * scale
    seen = (place[0] - half_face, place[1] - side / 2 * scale, place[0] + half_face, place[1] + side / 2 * scale)
    return Recapture(np.asarray(wearer), seen, "paper_mask")


def _attacks(portrait: Pixels, face: Box) -> List[Recapture]:
    """One of each kind, in the order of `LABELS`, drawn so that one sees what it is."""
    print_, screen, mask = (np.random.default_rng(seed) for seed in (26, 34, 8))
    return [
        present(portrait, face, print_, species="print"),
        present(portrait, face, screen, species="screen"),
        paper_mask(portrait, face, mask),
    ]


def _visit(detector: LivenessDetector, scene: Pixels, seen: int) -> Visit:
    """Let a session judge a scene that a hand-held camera looks at."""
    session, frames, rng = detector.session(), [], np.random.default_rng(7)
    spare = min(scene.shape[:2]) - seen
    for number in range(12):
        left, top = (round(spare * (0.5 + 0.4 * float(wave(0.9 * number)))) for wave in (np.sin, np.cos))
        view = scene[top : top + seen, left : left + seen].astype(np.float32) + rng.normal(0, 1.5, (seen, seen, 3))
        frame = Image.fromarray(np.clip(view, 0, 255).astype(np.uint8))
        step = session.update(np.asarray(frame))
        frames.append((frame, step.result))
        if step.decision is not None:
            return Visit(frames, step.decision.accepted)
    return Visit(frames, False)


def _frame(
    scene: Image.Image, result: LivenessResult, done: Sequence[bool], count: int, accepted: Optional[bool]
) -> Image.Image:
    picture = Image.new("RGB", (SIDE + PANEL, SIDE), GROUND)
    picture.paste(scene.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (0, 0))
    pen = ImageDraw.Draw(picture)
    colour = GREY if accepted is None else _outcome(len(done), accepted)[1]
    if result.face is not None:
        scale = SIDE / scene.width
        pen.rectangle([edge * scale for edge in result.face.edges], outline=colour, width=4)
    outcomes = [*done, accepted]
    for row, label in enumerate(LABELS):
        y = 38 + row * 72
        known = outcomes[row] if row < len(outcomes) else None
        here = row == len(done)
        if here:
            pen.rectangle((SIDE, y - 14, SIDE + PANEL, y + 58), fill="#1e293b")
        pen.text((SIDE + 62, y - 4), label, fill=INK if row <= len(done) else GREY, font=_font(25))
        if known is None:
            dots = count if here else 0
            for dot in range(5):
                x = SIDE + 64 + dot * 20
                pen.ellipse((x, y + 33, x + 9, y + 42), fill=INK if dot < dots else "#475569")
        else:
            word, tone = _outcome(row, known)
            pen.text((SIDE + 62, y + 24), word, fill=tone, font=_font(22))
            if tone == AMBER:
                pen.text((SIDE + 27, y + 1), "!", fill=tone, font=_font(38))
            else:
                _mark(pen, SIDE + 34, y + 22, known, tone)
    pen.text((SIDE + 20, SIDE - 28), "attacks simulated from the portrait", fill="#94a3b8", font=_font(14))
    return picture


def _outcome(row: int, accepted: bool) -> Tuple[str, str]:
    """What is written, and its colour; only the first row is a live face."""
    if row and accepted:
        return "passed: a mistake", AMBER
    return ("accepted", GREEN) if accepted else ("refused", RED)


def _mark(pen: ImageDraw.ImageDraw, x: int, y: int, good: bool, colour: str) -> None:
    if good:
        pen.line((x - 12, y, x - 3, y + 10, x + 13, y - 11), fill=colour, width=5, joint="curve")
    else:
        pen.line((x - 10, y - 10, x + 10, y + 10), fill=colour, width=5)
        pen.line((x - 10, y + 10, x + 10, y - 10), fill=colour, width=5)


def _font(size: int) -> Any:
    return ImageFont.load_default(size)
