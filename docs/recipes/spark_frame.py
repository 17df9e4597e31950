"""Spark: a Parquet table with a column ``path`` in, the same table with its answers out, as a pandas UDF."""

from __future__ import annotations

import sys

from examples.batch.frames import SPARK_SCHEMA, make_judge
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import pandas_udf

from facelive import LivenessDetector


def judged(pictures: DataFrame) -> DataFrame:
    """The table with a verdict, score, reason or error beside each path."""
    liveness = pandas_udf(make_judge(LivenessDetector()), SPARK_SCHEMA)
    return pictures.select("*", liveness("path").alias("answer")).select("*", "answer.*").drop("answer")


if __name__ == "__main__":
    source, out = sys.argv[1:]
    spark = SparkSession.builder.appName("facelive").getOrCreate()
    judged(spark.read.parquet(source)).write.parquet(out)
