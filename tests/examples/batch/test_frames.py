"""The function for pandas, and the recipes by which Dask and Spark run it in processes of their own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.examples.batch.conftest import BROKEN

from facelive import LivenessDetector

pd = pytest.importorskip("pandas", reason="pandas is not installed: the function for Dask and Spark did not run")

from examples.batch.frames import COLUMNS, make_judge  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")  # what the engines warn of is not ours to mend
ROOT = Path(__file__).parents[3]
NAMES = ["faces/a/000.jpg", "blank/white.png", "broken/note.jpg", "gone.jpg", "faces/b/001.jpg"]


@pytest.fixture
def paths(archive: Path) -> Any:
    return pd.Series([str(archive / name) for name in NAMES], index=[10, 20, 30, 40, 50], name="path")


def check(rows: list[Any], paths: Any) -> None:
    """Hold rows of (path, verdict, score, reason, error) against ``predict``; they may come in any order."""
    detector = LivenessDetector()
    assert sorted(row[0] for row in rows) == sorted(paths)
    for path, verdict, score, reason, error in rows:
        if "gone" in path or any(name in path for name in BROKEN):
            assert (verdict, reason) == (None, None) and error
            continue
        result = detector.predict(path)
        assert (verdict, error) == (result.verdict.value, None)
        assert reason == (result.reason and result.reason.value)
        assert score == result.score


def plain(frame: Any) -> list[Any]:
    """Rows with ``None`` where pandas has one of its words for it."""
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()  # type: ignore[no-any-return]


def test_a_series_becomes_a_frame_under_the_same_index(paths: Any) -> None:
    answers = make_judge(LivenessDetector())(paths)
    assert answers.index.equals(paths.index)
    assert {name: str(kind) for name, kind in answers.dtypes.items()} == COLUMNS
    check(plain(pd.concat([paths, answers], axis=1)), paths)


def test_an_empty_series_becomes_an_empty_frame_of_the_same_types(paths: Any) -> None:
    answers = make_judge(LivenessDetector())(paths[:0])
    assert answers.empty
    assert {name: str(kind) for name, kind in answers.dtypes.items()} == COLUMNS


@pytest.fixture
def table(paths: Any, tmp_path: Path) -> Path:
    """A folder of two Parquet files with the paths and a column that has nothing to do with them."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: there was no table for Dask and Spark")
    frame = paths.to_frame().assign(note=range(len(paths)))
    (tmp_path / "pictures").mkdir()
    for number, part in enumerate((frame[:2], frame[2:])):
        part.to_parquet(tmp_path / "pictures" / f"{number}.parquet", index=False)
    return tmp_path / "pictures"


def run_recipe(name: str, table: Path) -> Any:
    """What the recipe writes, from a process of its own."""
    out = table.with_name("answers")
    run = subprocess.run(
        [sys.executable, "-m", f"docs.recipes.{name}", str(table), str(out)],
        cwd=ROOT,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return pd.read_parquet(out)


def test_dask_calls_it_in_its_processes(table: Path, paths: Any) -> None:
    pytest.importorskip("dask.dataframe", reason="Dask is not installed: its recipe did not run")
    answers = run_recipe("dask_frame", table)
    check(plain(answers[["path", *COLUMNS]]), paths)
    assert sorted(answers["note"]) == list(range(len(paths)))


def test_spark_calls_it_as_a_pandas_udf(table: Path, paths: Any) -> None:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("Spark is not installed: its recipe did not run (pip install pyspark)")
    if not (shutil.which("java") or "JAVA_HOME" in os.environ):
        pytest.skip("there is no Java for Spark: its recipe did not run")
    answers = run_recipe("spark_frame", table)
    check(plain(answers[["path", *COLUMNS]]), paths)
    assert sorted(answers["note"]) == list(range(len(paths)))
