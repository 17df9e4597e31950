"""Judge a column of paths with pandas; Dask and Spark run the same function on their workers."""

from __future__ import annotations

from typing import Callable

import pandas as pd

from facelive import ImageError, LivenessDetector

__all__ = ["COLUMNS", "SPARK_SCHEMA", "make_judge"]

COLUMNS = {"verdict": "string", "score": "float64", "reason": "string", "error": "string"}
"""What a judge returns, in pandas' types; Dask calls it ``meta``."""

SPARK_SCHEMA = "verdict string, score double, reason string, error string"
"""The same for Spark's ``pandas_udf``."""


def make_judge(detector: LivenessDetector) -> Callable[[pd.Series], pd.DataFrame]:
    """A function from paths to a row each, in order and under the same index.

    A picture that cannot be read is a row with its error; ``score`` is P(bona fide) in [0, 1].

    Args:
        detector: Travels with the function, small, and loads its networks again where it arrives.
    """

    def judge(paths: pd.Series) -> pd.DataFrame:
        rows = []
        for path in paths:
            try:
                answer = detector.predict(path).to_dict()
            except ImageError as error:
                answer = {"error": str(error)}
            rows.append([answer.get(name) for name in COLUMNS])
        return pd.DataFrame(rows, columns=list(COLUMNS), index=paths.index).astype(COLUMNS)

    return judge
