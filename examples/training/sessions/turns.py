"""Which turns of heads, flat sheets and bent ones answer a head turn: the tables of docs/laboratory-sessions.md.

python -m examples.training.sessions.turns --data ../shared/data
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
from examples.training.sessions.visits import Recording, Row, of_recordings, rate
from PIL import Image

from facelive import FaceBox
from facelive.challenges import LOOK_SHAPE, ChallengeStatus, HeadTurn, nose_offset, sheet_likeness
from facelive.face_network import BundledFaceDetector

_NAMED = {"imironica": "NUAA", "nebulaHZH": "MSU"}
_ALBUMS = ("yildirimege", "EziGo96", "ReynaraEzra")  # their recordings hold several pictures in turn


def answered(recording: Recording, data: Path, least: float) -> bool | None:
    """Whether a recording answers a head turn to one side or the other; ``None`` when it is too short to say."""
    if len(recording) < 8:
        return None
    sides = [HeadTurn(side=side, least_shift=least) for side in ("left", "right")]
    for row in recording:
        seen = measured(row, data)
        if ChallengeStatus.ANSWERED in [side.update(seen) for side in sides]:
            return True
    return False


def measured(row: Row, data: Path) -> list[float] | None:
    """What a head turn measures of a frame: the landmarks are those that the library finds in the face alone."""
    if "seen" not in row:
        pixels = np.asarray(Image.open(data / "images" / row["file"]).convert("RGB"))
        row["seen"] = HeadTurn().measure(pixels, FaceBox(*row["box"]))
    seen: list[float] | None = row["seen"]
    return seen


def turns(recordings: list[Recording], data: Path, least: float) -> None:
    """Print which recordings would pass as a turn to one side or the other, and which turned frames count as turned."""
    kinds: dict[str, list[bool]] = defaultdict(list)
    frames: dict[float, list[bool]] = defaultdict(list)
    for recording in recordings:
        passed = None if recording[0]["source"].startswith(_ALBUMS) else answered(recording, data, least)
        if passed is not None:
            name = next((name for start, name in _NAMED.items() if recording[0]["source"].startswith(start)), "others")
            kinds[f"{name}, {recording[0]['kind']}"].append(passed)
            if recording[0]["label"] == "live":
                for shift, counts in _turned_frames([measured(row, data) for row in recording]):
                    frames[next(low for low in (0.3, 0.2, 0.15, 0.1) if shift >= low)].append(counts)
        for row in recording:
            row.pop("seen", None)
    for kind, hits in sorted(kinds.items()):
        print(f"| {kind} | {rate(hits)} |")
    for low, hits in sorted(frames.items()):
        print(f"| live, the nose moved by {low} or more | {rate(hits)} |", flush=True)


def _turned_frames(seen: list[list[float] | None]) -> Iterable[tuple[float, bool]]:
    """Up to ten turned frames: how far, and whether they differ from a sheet with the nearest straight frame on it."""
    found = [one for one in seen if one is not None]
    straight = [at for at, one in enumerate(found) if abs(one[0]) < 0.06]
    turned_ones = [at for at, one in enumerate(found) if straight and abs(one[0]) >= 0.1]
    for at in turned_ones[:: max(1, len(turned_ones) // 10)]:
        one, front = found[at], found[min(straight, key=lambda other: abs(other - at))]
        shift = one[0] - front[0]
        if abs(shift) >= 0.1:
            looks = [np.reshape(numbers[1:], LOOK_SHAPE) for numbers in (front, one)]
            yield abs(shift), sheet_likeness(*looks, near_left=shift > 0) < HeadTurn().most_like_a_sheet


def turned(data: Path, least: float) -> None:
    """Print how often faces of television frames, turned as far as other landmarks say, move the nose enough."""
    found = []
    for line in (data / "faces.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["source"].startswith("udacity") and len(row["faces"]) == 1:
            face = row["faces"][0]
            pixels = np.asarray(Image.open(data / "faces" / row["file"]).convert("RGB"))
            nose, said = HeadTurn().measure(pixels, FaceBox(*face["box"])), nose_offset(face["landmarks"])
            if nose is not None and said is not None:
                found.append((abs(said), nose[0] * np.sign(said)))
    for low, high in ((0, 0.05), (0.10, 0.14), (0.14, 0.18), (0.18, 0.25), (0.25, 0.4)):
        # The nose stands out by 0.39 of the distance of the eyes, so it moves by that times the tangent of the turn.
        turn = f"{np.degrees(np.arctan(low / 0.39)):.0f} to {np.degrees(np.arctan(high / 0.39)):.0f} degrees"
        print(f"| {turn} | {rate([bool(nose >= least) for said, nose in found if low <= said < high])} |")


Relief = Callable[[Any, Any], Any]
"""Height over the picture's plane at x, y, all in widths of the face, the nose at (0, 0.1)."""


def bent(radius: float) -> Relief:
    """A sheet around a cylinder; an infinite radius is a flat one."""
    return lambda x, y: (
        0 * x if np.isinf(radius) else np.sqrt(np.maximum(radius**2 - np.minimum(abs(x), radius) ** 2, 0)) - radius
    )


def slanted(radius: float, degrees: float) -> Relief:
    """A sheet around a cylinder whose axis leans."""
    upright, lean = bent(radius), np.radians(degrees)
    return lambda x, y: upright(x * np.cos(lean) + y * np.sin(lean), y)


def seen(
    pixels: npt.NDArray[Any], box: Sequence[float], relief: Relief, degrees: float, *, distance: float, face_px: float
) -> Any:
    """A still laid on a surface, turned about the vertical axis, seen from some face widths away; 640x480."""
    side = box[2] - box[0]
    step = 0.6 / face_px  # in face widths: dense enough to leave no holes where the surface is stretched
    x, y = np.meshgrid(np.arange(-1.2, 1.2, step), np.arange(-1.3, 1.3, step))
    columns = (x * side + (box[0] + box[2]) / 2).astype(int)
    rows = (y * side + (box[1] + box[3]) / 2).astype(int)
    z, angle = relief(x, y), np.radians(degrees)
    across, depth = x * np.cos(angle) + z * np.sin(angle), z * np.cos(angle) - x * np.sin(angle)
    scale = face_px * distance / (distance - depth)
    u, v = (across * scale + 320).astype(int), (y * scale + 240).astype(int)
    height, width = pixels.shape[:2]
    shown = (
        (u >= 0) & (u < 640) & (v >= 0) & (v < 480) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    )
    order = np.argsort(depth[shown])  # what is nearer is painted later
    out = np.full((480, 640, 3), 110, np.uint8)
    out[v[shown][order], u[shown][order]] = pixels[rows[shown][order], columns[shown][order]]
    return out


FLAT = bent(np.inf)
SURFACES = {
    "flat": (FLAT, FLAT),
    "bent, radius 1": (bent(1), bent(1)),
    "bent, radius 0.6": (bent(0.6), bent(0.6)),
    "radius 0.6, axis leans by 30 degrees": (slanted(0.6, 30), slanted(0.6, 30)),
    "flat, then bent, radius 0.6": (FLAT, bent(0.6)),
}
"""What the still lies on before its turn and after it."""


def stills(data: Path, least: float, count: int) -> None:
    """Print how often turned stills move the nose enough, and how often they count as a turn."""
    draw = np.random.default_rng(0)
    rows = [json.loads(line) for line in (data / "faces.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if len(row["faces"]) == 1 and row["view"] == "portrait"]
    rows = [row for row in rows if abs(nose_offset(row["faces"][0]["landmarks"]) or 0) < 0.06]
    rows = [rows[at] for at in draw.permutation(len(rows))[:count]]
    cases = [(name, light, 170, degrees) for name in SURFACES for light in ("even",) for degrees in (25, 35, 45)]
    cases += [("bent, radius 0.6", light, 170, 35) for light in ("dim", "glare")] + [
        ("bent, radius 0.6", "even", 80, 35)
    ]
    moves: dict[Any, list[bool]] = defaultdict(list)
    counts: dict[Any, list[bool]] = defaultdict(list)
    for row in rows:
        distance = draw.uniform(2.5, 6)
        for case in cases:
            name, light, face_px, degrees = case
            before = _measured_still(data, row, SURFACES[name][0], 0, light.replace("glare", "even"), face_px, distance)
            after = _measured_still(data, row, SURFACES[name][1], degrees, light, face_px, distance)
            if before is not None and after is not None:
                moves[case].append(after[0] - before[0] >= least)
                looks = [np.reshape(numbers[1:], LOOK_SHAPE) for numbers in (before, after)]
                likeness = sheet_likeness(*looks, near_left=True)
                counts[case].append(moves[case][-1] and likeness < HeadTurn().most_like_a_sheet)
    print("| surface | light | face px | degrees | moves enough % | counts % |")
    for case in cases:
        print("|", " | ".join(map(str, case)), "|", rate(moves[case]), "|", rate(counts[case]), "|", flush=True)


def _measured_still(
    data: Path, row: Row, relief: Relief, degrees: float, light: str, face_px: float, distance: float
) -> list[float] | None:
    picture = Image.open(data / "faces" / row["file"]).convert("RGB")
    pixels = np.asarray(picture.resize((3 * picture.width, 3 * picture.height), Image.Resampling.BICUBIC))
    box = [3 * edge for edge in row["faces"][0]["box"]]
    view = seen(pixels, box, relief, degrees, distance=distance, face_px=face_px).astype(np.float64)
    draw = np.random.default_rng(int(degrees))
    if light == "glare":
        down, across = np.mgrid[:480, :640]
        x, y = draw.uniform((270, 180), (370, 300))
        view += 150 * np.exp(-(((across - x) / 35) ** 2) - ((down - y) / 35) ** 2)[..., np.newaxis]
    view = view * 0.2 + draw.normal(0, 6, view.shape) if light == "dim" else view + draw.normal(0, 2, view.shape)
    taken = np.clip(view, 0, 255).astype(np.uint8)
    found = max(BundledFaceDetector().detect(taken), key=lambda face: face.side_px, default=None)
    return None if found is None else HeadTurn().measure(taken, found)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="turns", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--least", type=float, default=HeadTurn().least_shift, help="how far the nose must move")
    parser.add_argument("--stills", type=int, default=20, help="how many stills are turned")
    options = parser.parse_args()
    rows = (options.data / "liveness.jsonl").read_text(encoding="utf-8").splitlines()
    turns(of_recordings([json.loads(row) for row in rows]), options.data, options.least)
    turned(options.data, options.least)
    stills(options.data, options.least, options.stills)


if __name__ == "__main__":
    main()
