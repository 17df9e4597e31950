"""The loop over a film made from the portrait, through the command line, as a user runs it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.examples.flask_app import scene

from facelive import LivenessDetector

pytest.importorskip("cv2", reason="OpenCV is not installed: pip install -r examples/webcam/requirements.txt")
if sys.version_info < (3, 10):
    pytest.skip("the examples need CPython 3.10 or later", allow_module_level=True)

import cv2
from examples.webcam.loop import Options, SourceError, run

LIVE, NOBODY = np.asarray(scene.live()), np.asarray(scene.nobody())


def film(path: Path, pictures: list[Any]) -> Path:
    """Write a film that loses nothing: the frames are what they were."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 10, scene.SIZE)
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[:, :, ::-1]))
    writer.release()
    return path


@pytest.fixture(scope="module")
def live_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "live.avi", [LIVE] * 7)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "examples.webcam", *arguments], cwd=scene.ROOT, capture_output=True, text=True
    )


def test_a_film_becomes_one_json_line_a_frame_and_a_film(live_film: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.mp4"
    ended = command(str(live_film), "--headless", "--json", "--out", str(out))
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["frame"] for line in lines] == list(range(7))
    assert [line["frames"] for line in lines] == [1, 2, 3, 4, 5, 5, 5]
    assert [line["verdict"] for line in lines] == ["rejected"] * 4 + ["live"] * 3
    written = cv2.VideoCapture(str(out))
    assert int(written.get(cv2.CAP_PROP_FRAME_COUNT)) == 7
    assert (written.get(cv2.CAP_PROP_FRAME_WIDTH), written.get(cv2.CAP_PROP_FRAME_HEIGHT)) == scene.SIZE
    *_, frame = (written.read()[1] for _ in range(7))
    written.release()
    blue, green, red = np.moveaxis(frame.astype(int), 2, 0)
    assert (green - np.maximum(blue, red) > 60).sum() > 500, "a green box and label are drawn on the frame"


def test_frames_are_judged_in_their_true_colours(live_film: Path) -> None:
    output = io.StringIO()
    detector = LivenessDetector()
    last = run(detector, Options(source=str(live_film), headless=True, as_json=True), output)
    expected = detector.predict(LIVE)
    assert last is not None and last.score is not None and expected.score is not None
    assert last.score == pytest.approx(expected.score, abs=0.02)


def test_without_json_a_line_tells_each_change(tmp_path: Path) -> None:
    path = film(tmp_path / "comes.avi", [NOBODY] * 2 + [LIVE] * 6)
    ended = command(str(path), "--headless")
    starts = ended.stdout.splitlines()
    assert starts[0] == "frame 0: rejected (no_face)"
    assert starts[1].startswith("frame 2: rejected (too_few_frames)")
    assert starts[2].startswith("frame 6: live, P(live) 0.")
    assert len(starts) == 3


def test_it_ends_after_as_many_frames_as_asked(live_film: Path) -> None:
    ended = command(str(live_film), "--headless", "--json", "--max-frames", "2")
    assert len(ended.stdout.splitlines()) == 2


@pytest.mark.parametrize("source", ["no_such_film.mp4", "9731"])
def test_a_source_that_cannot_be_opened_is_named(source: str) -> None:
    ended = command(source, "--headless")
    assert ended.returncode == 2
    assert source in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_film_that_cannot_be_written_is_named(live_film: Path) -> None:
    ended = command(str(live_film), "--headless", "--out", "no/such/folder/result.mp4")
    assert ended.returncode == 2
    assert "no/such/folder/result.mp4" in ended.stderr


class Stumbles:
    """A face detector that fails at its third frame."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, image: object) -> list[Any]:
        self.calls += 1
        if self.calls == 3:
            raise RuntimeError("stumbled")
        return []


def test_the_camera_is_released_whatever_happens(live_film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[cv2.VideoCapture] = []
    capture = cv2.VideoCapture

    def remembered(source: str) -> cv2.VideoCapture:
        opened.append(capture(source))
        return opened[-1]

    monkeypatch.setattr(cv2, "VideoCapture", remembered)
    with pytest.raises(RuntimeError, match="stumbled"):
        run(LivenessDetector(faces=Stumbles()), Options(source=str(live_film), headless=True), io.StringIO())
    assert [one.isOpened() for one in opened] == [False]


def test_a_missing_source_raises_an_error_of_its_own() -> None:
    with pytest.raises(SourceError, match="give a camera's index"):
        run(LivenessDetector(), Options(source="nowhere.mp4", headless=True), io.StringIO())


def test_a_film_is_not_written_over(live_film: Path) -> None:
    before = live_film.read_bytes()
    ended = command(str(live_film), "--headless", "--out", str(live_film))
    assert (ended.returncode, live_film.read_bytes()) == (2, before)
    assert "is the film that is judged: write to another one" in ended.stderr


def test_a_source_without_a_frame_is_said_so(tmp_path: Path) -> None:
    ended = command(str(film(tmp_path / "empty.avi", [])), "--headless")
    assert ended.returncode == 2
    assert "gave no frame" in ended.stderr


def test_frames_are_counted_from_nought(live_film: Path) -> None:
    ended = command(str(live_film), "--headless", "--max-frames", "-1")
    assert ended.returncode == 2
    assert "'-1' is no number of frames" in ended.stderr


def test_whoever_has_read_enough_may_go(live_film: Path) -> None:
    words = [sys.executable, "-m", "examples.webcam", str(live_film), "--headless", "--json"]
    with subprocess.Popen(words, cwd=scene.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
