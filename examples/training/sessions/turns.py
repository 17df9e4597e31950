"""How far the nose moves when a head, a flat sheet and a bent one turn: the tables of docs/sessions.md.

python -m examples.training.sessions.turns --data ../shared/data
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Callable, Sequence

import numpy as np
import numpy.typing as npt
from examples.training.sessions.visits import Recording, Row, rate, read
from PIL import Image

from facelive import FaceBox
from facelive.challenges import HeadTurn, nose_offset
from facelive.face_network import BundledFaceDetector

_NAMED = {"imironica": "NUAA", "nebulaHZH": "MSU"}
_ALBUMS = ("yildirimege", "EziGo96", "ReynaraEzra")  # their recordings hold several pictures in turn


def turn_in(noses: Sequence[float], least: float) -> bool:
    """Whether three frames in a row, after four still ones, move the nose to one side."""
    shifts = np.array(noses[4:]) - np.median(noses[:4])
    return any(min(side * shifts[at : at + 3]) >= least for side in (1, -1) for at in range(len(shifts) - 2))


def turns(recordings: list[Recording], least: float) -> None:
    """Print which recordings of hand-held photographs and of screens would pass as a turn to one side or the other."""
    kinds: dict[str, list[bool]] = defaultdict(list)
    for recording in recordings:
        noses = [row["nose"] for row in recording if row["nose"] is not None]
        if len(noses) >= 8 and not recording[0]["source"].startswith(_ALBUMS):
            name = next((name for start, name in _NAMED.items() if recording[0]["source"].startswith(start)), "others")
            kinds[f"{name}, {recording[0]['kind']}"].append(turn_in(noses, least))
    for kind, passed in sorted(kinds.items()):
        print(f"| {kind} | {rate(passed)} |")


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


def head(x: Any, y: Any) -> Any:
    """A cylinder with a nose: 22 mm on a face of 140 mm."""
    return bent(0.6)(x, y) + 0.16 * np.exp(-((x / 0.09) ** 2) - ((y - 0.1) / 0.13) ** 2)


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


def stills(data: Path, least: float, count: int) -> None:
    """Print how far the nose moves on turned stills: flat, bent, and with a head's relief; large, small and dim."""
    faces, draw = BundledFaceDetector(), np.random.default_rng(0)
    rows = [json.loads(line) for line in (data / "faces.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if len(row["faces"]) == 1 and row["view"] == "portrait"]
    rows = [row for row in rows if abs(nose_offset(row["faces"][0]["landmarks"]) or 0) < 0.06]
    rows = [rows[at] for at in draw.permutation(len(rows))[:count]]
    surfaces = {"flat": bent(np.inf), "bent, radius 1": bent(1), "bent, radius 0.6": bent(0.6), "head": head}

    def nose(row: Row, relief: Relief, degrees: float, face_px: float, light: float) -> float:
        picture = Image.open(data / "faces" / row["file"]).convert("RGB")
        pixels = np.asarray(picture.resize((3 * picture.width, 3 * picture.height), Image.Resampling.BICUBIC))
        box = [3 * edge for edge in row["faces"][0]["box"]]
        view = seen(pixels, box, relief, degrees, distance=draw.uniform(2.5, 6), face_px=face_px)
        noisy = view * light + draw.normal(0, 2 if light == 1 else 6, view.shape)
        view = np.clip(noisy, 0, 255).astype(np.uint8)
        found = max(faces.detect(view), key=lambda face: face.side_px, default=None)
        offset = None if found is None else HeadTurn().measure(view, found)
        return np.nan if offset is None else offset[0]

    print("| surface | face px | light | degrees | shift, 5 to 95 % | moves enough % |")
    for face_px, light in ((170, 1.0), (80, 1.0), (170, 0.2)):
        for name, relief in surfaces.items():
            still = [nose(row, relief, 0, face_px, light) for row in rows]
            for degrees in (25, 35) if light == 1 and face_px == 170 else (25,):
                shifts = np.array([nose(row, relief, degrees, face_px, light) for row in rows]) - still
                shifts = shifts[np.isfinite(shifts)]
                low, high = np.quantile(shifts, (0.05, 0.95))
                far = rate(list(shifts >= least))
                print(f"| {name} | {face_px} | {light} | {degrees} | {low:.2f} to {high:.2f} | {far} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="turns", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("../runs/visits.jsonl"), help="what was measured once")
    parser.add_argument("--least", type=float, default=HeadTurn().least_shift, help="how far the nose must move")
    parser.add_argument("--stills", type=int, default=60, help="how many stills are turned")
    options = parser.parse_args()
    turns(read(options.data, options.cache), options.least)
    turned(options.data, options.least)
    stills(options.data, options.least, options.stills)


if __name__ == "__main__":
    main()
