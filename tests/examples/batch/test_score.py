"""Archives scored by a real Ray with two workers: every picture once, whatever dies on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.examples.batch.conftest import BROKEN, PICTURES, WITHOUT_A_FACE

from facelive import FaceBox, ImageError, LivenessDetector, LivenessModel, __version__
from facelive.face_network import BundledFaceDetector

ray = pytest.importorskip("ray", reason="Ray is not installed: no archive was scored (pip install 'ray[data]')")

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from examples.batch import score as batch  # noqa: E402
from examples.batch.workers import SCHEMA  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")  # what Ray's own parts warn each other of is not ours to mend
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    return LivenessDetector()


def rows_of(out: Path) -> dict[str, dict[str, Any]]:
    """The rows of all files by path, each path once."""
    tables = [pq.read_table(file) for file in sorted(out.glob("*.parquet"))]
    assert all(table.schema.equals(SCHEMA) for table in tables)
    rows = [row for table in tables for row in table.to_pylist()]
    counts = Counter(row["path"] for row in rows)
    assert [path for path, count in counts.items() if count > 1] == []
    return {row["path"]: row for row in rows}


def names_in(archive: Path) -> set[str]:
    return {
        path.relative_to(archive).as_posix()
        for path in archive.rglob("*")
        if path.is_file() and ".hidden" not in path.parts
    }


def test_a_folder_gets_a_row_for_every_picture_and_the_answers_of_predict(
    cluster: str, archive: Path, detector: LivenessDetector, tmp_path: Path
) -> None:
    batch.score(str(archive), str(tmp_path / "out"), detector, workers=2, task_rows=8, file_rows=20)
    rows = rows_of(tmp_path / "out")
    assert set(rows) == names_in(archive)
    assert len(rows) == PICTURES
    for path, row in rows.items():
        if path in BROKEN:
            with pytest.raises(ImageError) as caught:
                detector.predict((archive / path).read_bytes())
            assert (row["verdict"], row["score"], row["face"], row["error"]) == (None, None, None, str(caught.value))
            continue
        result = detector.predict(archive / path)
        assert (row["verdict"], row["score"], row["error"]) == (result.verdict.value, result.score, None)
        assert row["reason"] == (result.reason and result.reason.value)
        assert row["face"] == (None if result.face is None else list(result.face.edges))
    assert {path for path, row in rows.items() if row["reason"] == "no_face"} >= WITHOUT_A_FACE
    card = detector.model.card
    constant = (detector.threshold, card.name, card.version, card.sha256, __version__)
    columns = ("threshold", "model", "model_version", "model_sha256", "facelive")
    assert {tuple(row[name] for name in columns) for row in rows.values()} == {constant}


def test_a_table_may_hold_paths_urls_and_bytes(
    cluster: str, archive: Path, detector: LivenessDetector, tmp_path: Path, portrait_path: Path
) -> None:
    content = portrait_path.read_bytes()
    shutil.copy(portrait_path, tmp_path / "beside.jpg")
    paths = ["beside.jpg", str(portrait_path), portrait_path.as_uri(), "a name alone", "gone.jpg", "no://where"]
    table = {
        "path": paths,
        "bytes": [None, None, None, content, None, None],
        "note": ["other columns do no harm"] * 6,
    }
    pq.write_table(pa.table(table), tmp_path / "archive.parquet")
    batch.score(str(tmp_path / "archive.parquet"), str(tmp_path / "out"), detector, workers=2)
    rows = rows_of(tmp_path / "out")
    expected = detector.predict(content)
    assert set(rows) == set(paths)
    for path in paths[:4]:
        assert (rows[path]["verdict"], rows[path]["score"]) == (expected.verdict.value, expected.score)
    for path in paths[4:]:
        assert rows[path]["verdict"] is None
        assert path in rows[path]["error"]


def test_resume_skips_what_is_written_and_mends_what_is_not(
    cluster: str, archive: Path, detector: LivenessDetector, tmp_path: Path
) -> None:
    growing, out = tmp_path / "growing", tmp_path / "out"
    shutil.copytree(archive / "faces/a", growing)
    first = names_in(growing)
    batch.score(str(growing), str(out), detector, workers=2, task_rows=4, file_rows=4)
    before = {file: file.read_bytes() for file in out.glob("*.parquet")}
    lost, *kept = before
    lost.write_bytes(before[lost][:-9])  # as a machine that dies while it writes leaves it
    shutil.copytree(archive / "faces/b", growing, dirs_exist_ok=True)
    batch.score(str(growing), str(out), detector, workers=2, resume=True, task_rows=4, file_rows=4)
    rows = rows_of(out)
    assert set(rows) == names_in(growing) > first
    assert all(file.read_bytes() == before[file] for file in kept)
    files = len(list(out.iterdir()))
    batch.score(str(growing), str(out), detector, workers=2, resume=True)
    assert len(list(out.iterdir())) == files


def test_results_of_another_run_are_never_mixed(
    cluster: str, archive: Path, detector: LivenessDetector, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    batch.score(str(archive / "blank"), str(out), detector, workers=1)
    with pytest.raises(batch.ArchiveError, match="--resume"):
        batch.score(str(archive / "blank"), str(out), detector, workers=1)
    with pytest.raises(batch.ArchiveError, match=r"threshold .* not 0\.123"):
        batch.score(str(archive / "blank"), str(out), LivenessDetector(threshold=0.123), resume=True)
    pq.write_table(pa.table({"file": ["a.jpg"]}), tmp_path / "nameless.parquet")
    with pytest.raises(batch.ArchiveError, match=r"nameless\.parquet is no file of results"):
        batch.score(str(archive / "blank"), str(tmp_path), detector, resume=True)
    assert (tmp_path / "nameless.parquet").exists()
    with pytest.raises(batch.ArchiveError, match="no column path, but file"):
        batch.score(str(tmp_path / "nameless.parquet"), str(tmp_path / "other"), detector)


class Held(BundledFaceDetector):
    """Finds faces as ever, but each worker notes what it does, and waits at its fifth picture to be let go."""

    def __init__(self, diary: Path) -> None:
        super().__init__()
        self.diary = diary

    def detect(self, image: np.ndarray[Any, np.dtype[np.uint8]]) -> list[FaceBox]:
        own = self.diary / f"{os.getpid()}.pid"
        with own.open("a") as notes:
            notes.write(".")
        while own.stat().st_size >= 5 and not (self.diary / "go").exists():
            time.sleep(0.05)
        return super().detect(image)

    def __getstate__(self) -> dict[str, Any]:
        return {"diary": self.diary}


def at_their_fifth(diary: Path) -> list[int]:
    return [int(own.stem) for own in diary.glob("*.pid") if own.stat().st_size >= 5]


def test_a_worker_that_is_killed_loses_no_picture(cluster: str, archive: Path, tmp_path: Path) -> None:
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # a worker cannot import the tests
    held = LivenessDetector(faces=Held(tmp_path))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            batch.score(str(archive), str(tmp_path / "out"), held, workers=2, task_rows=8, file_rows=20)
        except BaseException as error:
            failures.append(error)

    run = threading.Thread(target=work)
    run.start()
    while len(at_their_fifth(tmp_path)) < 2 and run.is_alive():
        time.sleep(0.05)
    victim = at_their_fifth(tmp_path)[0]
    os.kill(victim, signal.SIGKILL)
    (tmp_path / "go").touch()
    run.join()
    assert not failures
    rows = rows_of(tmp_path / "out")
    assert set(rows) == names_in(archive)
    assert {path for path, row in rows.items() if row["error"]} == BROKEN
    judged = {int(own.stem): own.stat().st_size for own in tmp_path.glob("*.pid")}
    assert judged[victim] == 5
    assert sum(judged.values()) > PICTURES - len(BROKEN)  # the five were judged again


def start(cluster: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "examples.batch.score", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "RAY_ADDRESS": cluster},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a run is held in its middle by a pipe, which this system lacks")
def test_a_run_that_is_killed_goes_on_from_its_files(cluster: str, archive: Path, tmp_path: Path) -> None:
    pictures, out = tmp_path / "pictures", tmp_path / "out"
    shutil.copytree(archive / "faces", pictures)
    names = sorted(names_in(pictures))
    shutil.move(pictures / names[-1], tmp_path / "spare.jpg")
    os.mkfifo(pictures / names[-1])  # opening it waits for somebody who writes
    pq.write_table(pa.table({"path": names}), pictures / "names.parquet")
    arguments = (pictures / "names.parquet", "--out", out, "--workers", 2, "--task-rows", 4, "--file-rows", 4)

    run = start(cluster, *arguments)
    while not list(out.glob("*.parquet")) and run.poll() is None:
        time.sleep(0.05)
    assert run.poll() is None, run.communicate()[0]
    run.kill()
    run.communicate()

    (pictures / names[-1]).unlink()
    shutil.move(tmp_path / "spare.jpg", pictures / names[-1])
    refused = start(cluster, *arguments)
    assert "go on with --resume" in refused.communicate()[0]
    assert refused.returncode == 2
    resumed = start(cluster, *arguments, "--resume")
    printed = resumed.communicate()[0]
    assert resumed.returncode == 0, printed
    assert set(rows_of(out)) == set(names)


def test_a_model_of_ones_own_travels_with_its_bytes(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests/networks/sigmoid.tflite", tmp_path / "own.tflite")
    (tmp_path / "own.json").write_text('{"name": "own", "live_class": 1, "input_size": 32, "value_range": [0, 1]}')
    model = batch.load_model(str(tmp_path / "own.tflite"))
    pickled = ray.cloudpickle.dumps(LivenessDetector(model))
    (tmp_path / "own.tflite").unlink()
    assert ray.cloudpickle.loads(pickled).model.card == model.card
    assert len(ray.cloudpickle.dumps(LivenessDetector(LivenessModel.load()))) < 64_000
