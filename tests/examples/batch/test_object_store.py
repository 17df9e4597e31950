"""An archive in a bucket of a real S3 server on this machine, scored by a real Ray into the same bucket."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Optional

import pytest

from facelive import LivenessDetector

pytest.importorskip("ray", reason="Ray is not installed: no archive in an object store was scored")

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
from examples.batch import score as batch

pytestmark = pytest.mark.filterwarnings("default")  # what the server's own parts warn each other of is not ours to mend
PICTURES = ["faces/a/000.jpg", "faces/b/001.jpg", "blank/white.png", "blank/böse & grau.png", "broken/note.jpg"]


@pytest.fixture
def files(store: Optional[str], cluster: str, archive: Path) -> pyarrow.fs.FileSystem:
    """The store with a bucket ``archive``, and the pictures under ``pictures`` in it."""
    if store is None:
        pytest.skip("moto is not installed: no archive in an object store was scored (pip install --group storage)")
    if "RAY_ADDRESS" in os.environ:
        pytest.skip("the Ray at RAY_ADDRESS does not know the object store of this test")
    files = pa.fs.S3FileSystem(scheme="http", endpoint_override=store, allow_bucket_creation=True)
    files.create_dir("archive")
    for name in PICTURES:
        put(files, f"archive/pictures/{name}", (archive / name).read_bytes())
    return files


def put(files: pyarrow.fs.FileSystem, path: str, content: bytes) -> None:
    with files.open_output_stream(path) as stream:
        stream.write(content)


def rows_of(files: pyarrow.fs.FileSystem, out: str) -> dict[str, dict[str, Any]]:
    names = [one.path for one in files.get_file_info(pa.fs.FileSelector(out)) if one.path.endswith(".parquet")]
    rows = [row for name in names for row in pq.read_table(name, filesystem=files).to_pylist()]
    assert len(rows) == len({row["path"] for row in rows})
    return {row["path"]: row for row in rows}


def test_a_bucket_is_read_written_and_gone_on_with(
    files: pyarrow.fs.FileSystem, archive: Path, portrait_path: Path
) -> None:
    detector = LivenessDetector()
    batch.score("s3://archive/pictures", "s3://archive/results", detector, workers=2)
    rows = rows_of(files, "archive/results")
    assert set(rows) == set(PICTURES)
    for path, row in rows.items():
        if path.startswith("broken"):
            assert row["verdict"] is None and row["error"]
        else:
            result = detector.predict(archive / path)
            assert (row["verdict"], row["score"], row["error"]) == (result.verdict.value, result.score, None)

    put(files, "archive/elsewhere/new.jpg", portrait_path.read_bytes())
    listed = io.BytesIO()
    paths = ["faces/a/000.jpg", "s3://archive/elsewhere/new.jpg", "s3://archive/elsewhere/gone.jpg"]
    pq.write_table(pa.table({"path": paths}), listed)
    put(files, "archive/pictures/list.parquet", listed.getvalue())
    batch.score("s3://archive/pictures/list.parquet", "s3://archive/results", detector, workers=2, resume=True)
    after = rows_of(files, "archive/results")
    assert {path: after[path] for path in rows} == rows
    assert set(after) - set(rows) == set(paths[1:])
    assert after[paths[1]]["verdict"] == detector.predict(portrait_path).verdict.value
    assert paths[2] in after[paths[2]]["error"]
