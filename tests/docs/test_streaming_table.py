"""The table of docs/streaming.md, row by row, on a real stream over a real network."""

from __future__ import annotations

import re
from typing import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from tests.docs.pages import ROOT

from facelive import FaceBox, LivenessDetector, LivenessModel, QualityPolicy

PAGE = (ROOT / "docs" / "streaming.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| `(.+?)` \| `(.+?)` \| (\d) \|$", PAGE, re.M)
HERE = FaceBox(40, 60, 140, 180)
PLACES = {"": HERE, "′": FaceBox(180, 60, 280, 180), "″": FaceBox(0, 0, 240, 240)}
SCORES = {"L": 0.95, "P": 0.05}
SHOWN = {"live": "L", "spoof": "S", "rejected": "r"}


class NoFaces:
    """Finds no face, so that only the boxes handed in count."""

    def detect(self, image: npt.NDArray[np.uint8]) -> Sequence[FaceBox]:
        return []


def frame(score: float) -> npt.NDArray[np.uint8]:
    """A frame whose brightness is its score, with grain, because a face without detail is blurred."""
    grain = np.random.default_rng(0).normal(0, 24 * min(score, 1 - score) + 4, (240, 320, 1))
    return np.clip(score * 255 + grain, 0, 255).astype(np.uint8).repeat(3, axis=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LivenessModel:
    """Its score is the brightness of the face, so that each frame scores what the page says, or nearly."""
    return LivenessModel.load(ROOT / "tests" / "networks" / "sigmoid.tflite", live_class=1, value_range=(0, 1))


def verdicts(model: LivenessModel, frames: str, min_frames: int) -> str:
    detector = LivenessDetector(
        model,
        faces=NoFaces(),
        window=5,
        min_frames=min_frames,
        quality=QualityPolicy(min_luminance=8, max_luminance=250),
    )
    stream, now_ms, shown = detector.stream(max_age_ms=10_000), 0.0, []
    for sign in frames.split():
        if sign.endswith("s"):
            now_ms += float(sign[:-1].replace("−", "-")) * 1000
            continue
        face = None if sign == "–" else PLACES[sign[1:]]
        now_ms += 1000
        try:
            result = stream.update(frame(SCORES.get(sign[0], 0.5)), face=face, timestamp_ms=now_ms)
        except ValueError:
            shown.append("!")
        else:
            shown.append(SHOWN[result.verdict.value])
    return " ".join(shown)


@pytest.mark.parametrize(("what", "frames", "expected", "min_frames"), ROWS, ids=[row[0] for row in ROWS])
def test_the_row_is_true(model: LivenessModel, what: str, frames: str, expected: str, min_frames: str) -> None:
    assert verdicts(model, frames, int(min_frames)) == expected


def test_the_frames_score_what_the_page_says(model: LivenessModel) -> None:
    for score in SCORES.values():
        assert model.score(model.crops(frame(score), HERE.edges)[np.newaxis])[0] == pytest.approx(score, abs=0.01)


def test_the_table_is_read_whole() -> None:
    table = PAGE.partition("| what happens |")[2].partition("\n\n")[0]
    assert len(ROWS) == len(table.splitlines()) - 2 >= 21
