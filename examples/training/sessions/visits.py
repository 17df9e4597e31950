"""How sessions fare on recordings: the tables of docs/sessions.md.

python -m examples.training.sessions.visits --data ../shared/data
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any, Iterable, Sequence

import numpy as np
from PIL import Image

from facelive import FaceBox, LivenessDetector, LivenessResult, LivenessSession, QualityPolicy, SessionFrame, Verdict
from facelive.metrics import clopper_pearson
from facelive.sessions import same_face

Row = dict[str, Any]
Recording = list[Row]
HERE = FaceBox(0, 0, 100, 100)
ALL_QUALITIES = QualityPolicy(min_face_px=16, max_cut_off=0.5, min_sharpness=0.02, min_luminance=8, max_luminance=250)


def read(data: Path, cache: Path, model: str = "default") -> list[Recording]:
    """All recordings, in order; a frame of val has its score. They are measured once."""
    if not cache.exists():
        detector = LivenessDetector(model, quality=ALL_QUALITIES)
        rows = [json.loads(line) for line in (data / "liveness.jsonl").read_text(encoding="utf-8").splitlines()]
        for row in rows:
            pixels = np.asarray(Image.open(data / "images" / row["file"]).convert("RGB"))
            box = FaceBox(*row["box"])
            row["score"] = detector.predict(pixels, face=box).score if row["split"] == "val" else None
        cache.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return of_recordings([json.loads(line) for line in cache.read_text(encoding="utf-8").splitlines()])


def of_recordings(rows: list[Row]) -> list[Recording]:
    """The frames of each recording, in order."""
    recordings: dict[Any, Recording] = defaultdict(list)
    for row in rows:
        recordings[row["source"], row["sequence"]].append(row)
    return [sorted(rows, key=lambda row: int(row["frame"])) for rows in recordings.values()]


def accepted(frames: Iterable[Row], *, floor: float, window: int, threshold: float) -> bool:
    """What a session says of frames whose face stays in its place."""
    session = LivenessSession(lambda *_: None, window=window, floor=floor)  # type: ignore[arg-type]
    for frame in frames:
        result = LivenessResult(Verdict.SPOOF, score=frame["score"], threshold=threshold, face=HERE)
        step = session.take(SessionFrame(result, None), timestamp_ms=0)
        if step.decision is not None:
            return step.decision.accepted
    return False


def rate(hits: Sequence[bool]) -> str:
    """A share in per cent with its 95 % interval, which takes the visits for independent."""
    if not hits:
        return "-"
    low, high = clopper_pearson(sum(hits), len(hits))
    return f"{100 * sum(hits) / len(hits):.1f} ({100 * low:.1f}-{100 * high:.1f}, n={len(hits)})"


def sessions(recordings: list[Recording], threshold: float) -> None:
    """Print attacks accepted, live refused, mixed visits accepted and best of k tries."""
    print("| recordings | window | floor | attacks accepted % | live refused % | 3 live + 2 attack accepted % |")
    val = [recording for recording in recordings if recording[0]["split"] == "val"]
    msu = [recording for recording in val if recording[0]["source"].startswith("nebulaHZH")]
    for name, chosen in {"MSU": msu, "the rest of val": [one for one in val if one not in msu]}.items():
        for window in (1, 3, 5, 7):
            for floor in (0.0, 0.2, 0.3, 0.4, 0.5):
                if window == 5 or floor == 0.3:
                    print(f"| {name} | {window} | {floor} |", *_shares(chosen, window, floor, threshold), "|")
        starts = {label: _by_start(chosen, label, 5, 0.3, threshold) for label in ("spoof", "live")}
        for k in (1, 3, 5, 10):
            same = np.mean([1 - (1 - np.mean(one)) ** k for one in starts["spoof"]])
            new = 1 - (1 - np.mean([np.mean(one) for one in starts["spoof"]])) ** k
            live = np.mean([(1 - np.mean(one)) ** k for one in starts["live"]])
            print(f"{name}, best of {k}: one instrument {same:.1%}, new ones {new:.1%}, live {live:.1%} refused")


def _windows(recording: Recording, window: int, step: int) -> list[Recording]:
    frames = [row for row in recording if row["score"] is not None]
    return [frames[at : at + window] for at in range(0, len(frames) - window + 1, step)]


def _by_start(chosen: list[Recording], label: str, window: int, floor: float, threshold: float) -> list[list[bool]]:
    options = {"floor": floor, "window": window, "threshold": threshold}
    visits = [_windows(r, window, 1) for r in chosen if r[0]["label"] == label]
    return [[accepted(frames, **options) for frames in one] for one in visits if one]  # type: ignore[arg-type]


def _shares(chosen: list[Recording], window: int, floor: float, threshold: float) -> Iterable[str]:
    def ask(frames: Recording) -> bool:
        return accepted(frames, floor=floor, window=window, threshold=threshold)

    visits = {
        label: [w for r in chosen if r[0]["label"] == label for w in _windows(r, window, window)]
        for label in ("spoof", "live")
    }
    yield rate([ask(frames) for frames in visits["spoof"]])
    yield "| " + rate([not ask(frames) for frames in visits["live"]])
    pairs, draw = [], random.Random(0)
    for attack in visits["spoof"] if window == 5 else ():
        of_one = [v for v in visits["live"] if v[0]["source"] == attack[0]["source"]]
        of_one = [v for v in of_one if v[0]["subject"] == attack[0]["subject"]] or of_one
        if of_one:
            pairs.append(draw.choice(of_one)[:3] + attack[:2])
    yield "| " + rate([ask(frames) for frames in pairs])


def continuity(recordings: list[Recording]) -> None:
    """Print how often a genuine step and a swap break the rule on place and size, where frames are whole."""
    steps, swaps, draw = [], [], random.Random(0)
    whole = [r for r in recordings if r[0]["source"].startswith("sejong")]
    attacks = [row for r in whole if r[0]["label"] == "spoof" for row in r]
    for recording in whole:
        if recording[0]["label"] == "live":
            steps += [not same_face(FaceBox(*a["box"]), FaceBox(*b["box"])) for a, b in zip(recording, recording[1:])]
            others = [
                row for row in attacks if all(row[key] == recording[0][key] for key in ("subject", "width", "height"))
            ]
            if others:
                swaps.append(not same_face(FaceBox(*recording[-1]["box"]), FaceBox(*draw.choice(others)["box"])))
    print("genuine steps refused %", rate(steps), "swaps refused %", rate(swaps))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="visits", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("../runs/visits.jsonl"), help="what was measured once")
    parser.add_argument("--model", default="default", help="before its refit: the shipped one has learnt from val")
    options = parser.parse_args()
    recordings = read(options.data, options.cache, options.model)
    sessions(recordings, LivenessDetector().threshold)
    continuity(recordings)


if __name__ == "__main__":
    main()
