"""The function for pandas, and Dask and Spark running it in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.examples.batch.conftest import BROKEN

from facelive import LivenessDetector

pd = pytest.importorskip("pandas", reason="pandas is not installed: the function for Dask and Spark did not run")

from examples.batch.frames import COLUMNS, SPARK_SCHEMA, make_judge  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")  # what the engines warn of is not ours to mend
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


def test_dask_calls_it_in_its_processes(paths: Any) -> None:
    dask = pytest.importorskip("dask.dataframe", reason="Dask is not installed: it did not call the function")
    pictures = dask.from_pandas(paths.to_frame(), npartitions=2)
    answers = pictures["path"].map_partitions(make_judge(LivenessDetector()), meta=COLUMNS)
    computed = answers.compute(scheduler="processes", num_workers=2)
    check(plain(paths.to_frame().join(computed)), paths)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql", reason="Spark is not installed: it did not call the function")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: Spark did not call the function")
    session = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    yield session
    session.stop()


def test_spark_calls_it_as_a_pandas_udf(spark: Any, paths: Any) -> None:
    liveness = pytest.importorskip("pyspark.sql.functions").pandas_udf(make_judge(LivenessDetector()), SPARK_SCHEMA)
    pictures = spark.createDataFrame([(path,) for path in paths], ["path"])
    rows = pictures.select("path", liveness("path").alias("answer")).select("path", "answer.*").collect()
    check([tuple(row) for row in rows], paths)
