"""Dask: a Parquet table with a column ``path`` in, the same table with its answers out, in processes of its own."""

from __future__ import annotations

import sys

import dask
import dask.dataframe as dd
import pandas as pd
from examples.batch.frames import COLUMNS, make_judge

from facelive import LivenessDetector


def judged(pictures: dd.DataFrame) -> dd.DataFrame:
    """The table with a verdict, score, reason or error beside each path; each partition loads the detector once."""
    judge = make_judge(LivenessDetector())

    def answered(part: pd.DataFrame) -> pd.DataFrame:
        return part.assign(**judge(part["path"]))

    return pictures.map_partitions(answered, meta={**pictures.dtypes.to_dict(), **COLUMNS})


if __name__ == "__main__":
    source, out = sys.argv[1:]
    with dask.config.set(scheduler="processes"):  # threads would take turns; a distributed.Client goes here as well
        judged(dd.read_parquet(source)).to_parquet(out)
