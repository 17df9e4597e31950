"""Score an archive of pictures on Ray, on one machine or many: ``python -m examples.batch.score PICTURES --out DIR``.

Ray carries ``workers.py`` to the other machines, which need nothing but Ray and facelive.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import ray
import ray.data
from examples.batch import workers as travelling
from examples.batch.workers import RUN, SCHEMA, Judge, digests_of, paths_of, run_of

from facelive import FaceliveError, LivenessDetector, LivenessModel

__all__ = ["ArchiveError", "load_model", "main", "score"]

_WRITER_CPUS = 0.1


class ArchiveError(ValueError):
    """The archive or the folder of results is not what it should be."""


def score(
    source: str,
    out: str,
    detector: LivenessDetector,
    *,
    workers: Optional[int] = None,
    resume: bool = False,
    task_rows: int = 256,
    file_rows: int = 10_000,
) -> None:
    """Judge every picture of an archive once and write the rows; Ray must be connected.

    Args:
        source: A folder, or a Parquet file (or a folder named so) with a column ``path`` and perhaps ``bytes``; local
            or ``s3://``, ``gs://``. Relative paths start from that folder, or from the one the Parquet file lies in.
        out: Folder or URL for the results, which all machines must see.
        detector: What judges; each worker gets a copy.
        workers: How many; as many as the cluster has cores unless given.
        resume: Go on in a folder that holds results of the same model and threshold.
        task_rows: Pictures per task: what is judged again when a worker dies.
        file_rows: Rows gathered before a file is written: what is judged again when everything dies.

    Raises:
        ArchiveError: The source has no such column, or ``out`` holds other results, or results without ``resume``.
    """
    ray.cloudpickle.register_pickle_by_value(travelling)
    out = _url(out)
    written = _written(out, run_of(detector), resume)
    pictures, root = _pictures(source, task_rows)
    judged = pictures.map_batches(
        Judge,
        fn_constructor_args=(detector, root, ray.put(written)),
        batch_format="pyarrow",
        batch_size=min(task_rows, 32),
        compute=ray.data.ActorPoolStrategy(size=workers or int(ray.cluster_resources()["CPU"])),
        num_cpus=_worker_cpus(),
    )
    judged.write_parquet(out, min_rows_per_file=file_rows, ray_remote_args={"num_cpus": _WRITER_CPUS})


def _worker_cpus() -> float:
    """So little that a worker per core leaves one core's worth of every machine to Ray's own tasks.

    They list, read and cut the archive in small steps, but ask for a whole core, and would wait forever for one.
    """
    cores = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    return 1 - 1 / float(min(count for count in cores if count))


def _pictures(source: str, task_rows: int) -> tuple[ray.data.Dataset, str]:
    """Blocks of rows with ``path`` and perhaps ``bytes``, and where relative paths start."""
    source = _url(source)
    if not source.endswith(".parquet"):
        base, files = _located(source)
        try:
            found = files.get_file_info(pa.fs.FileSelector(base, recursive=True))
        except UnicodeDecodeError as error:
            raise ArchiveError(f"{source} holds a file whose name is not UTF-8: rename {error.object!r}") from error
        names = (entry.path[len(base) :].lstrip("/") for entry in found if entry.is_file)
        paths = sorted(name for name in names if not any(part.startswith(".") for part in name.split("/")))
        table = pa.table({"path": pa.array(paths, pa.string())})
        starts = range(0, max(len(paths), 1), task_rows)
        return ray.data.from_arrow([table.slice(start, task_rows) for start in starts]), source
    path, files = _located(source)
    names = pyarrow.dataset.dataset(path, filesystem=files, format="parquet").schema.names
    columns = [name for name in ("path", "bytes") if name in names]
    if "path" not in columns:
        raise ArchiveError(f"{source} has no column path, but {', '.join(names)}: give every picture its name there")
    rows = ray.data.read_parquet(source).select_columns(columns).repartition(target_num_rows_per_block=task_rows)
    return rows, source.rpartition("/")[0]


def _url(place: str) -> str:
    return place.rstrip("/") if "://" in place else str(Path(place).absolute())


def _located(url: str) -> tuple[str, pa.fs.FileSystem]:
    files, path = pa.fs.FileSystem.from_uri(url)
    return path, files


def _written(out: str, run: dict[str, Any], resume: bool) -> npt.NDArray[np.bytes_]:
    """Sorted digests of the paths in ``out``; files that a killed run left unfinished are removed."""
    base, files = _located(out)
    names = [entry.path for entry in files.get_file_info(pa.fs.FileSelector(base, allow_not_found=True))]
    names = [name for name in names if name.endswith(".parquet")]
    if names and not resume:
        raise ArchiveError(f"{out} holds results already: go on with --resume, or choose another folder")
    digests = [digests_of([])]
    for name in names:
        try:
            rows = pyarrow.dataset.dataset(name, filesystem=files, format="parquet")
        except pa.ArrowInvalid:  # no footer: its rows were never counted as written
            print(f"removing {name}, which was not finished", file=sys.stderr)
            files.delete_file(name)
            continue
        if not set(SCHEMA.names) <= set(rows.schema.names):
            raise ArchiveError(f"{name} is no file of results: choose another folder")
        table = rows.to_table(["path", *RUN])
        for column, value in run.items():
            if (found := table[column].unique().to_pylist()) not in ([], [value]):
                raise ArchiveError(f"{out} holds results with {column} {found}, not {value}: choose another folder")
        digests.append(digests_of(paths_of(table)))
    return np.sort(np.concatenate(digests))


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.batch.score", description="Score an archive on Ray.")
    parser.add_argument("source", help="a folder or a Parquet file with a column path and perhaps bytes; or its URL")
    parser.add_argument("--out", required=True, help="folder or URL of the results, which all machines must see")
    parser.add_argument("--resume", action="store_true", help="skip what is written there already")
    parser.add_argument("--model", default="default", help="a bundled model's name or the path of a .tflite file")
    parser.add_argument("--threshold", type=float, metavar="P", help="scores from here up are live, in [0, 1]")
    parser.add_argument("--workers", type=int, metavar="N", help="worker processes (one per core of the cluster)")
    parser.add_argument("--task-rows", type=int, default=256, metavar="N", help="pictures per task (256)")
    parser.add_argument("--file-rows", type=int, default=10_000, metavar="N", help="rows per file at least (10000)")
    options = parser.parse_args(arguments)
    try:
        detector = LivenessDetector(load_model(options.model), threshold=options.threshold)
        ray.init(log_to_driver=False)  # a cluster when RAY_ADDRESS names one, otherwise this machine
        score(
            options.source,
            options.out,
            detector,
            workers=options.workers,
            resume=options.resume,
            task_rows=options.task_rows,
            file_rows=options.file_rows,
        )
    except (FaceliveError, OSError, ValueError) as error:
        print(f"not scored: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: the same command with --resume goes on from here", file=sys.stderr)
        return 130
    return 0


def load_model(name: str) -> LivenessModel:
    """A bundled model or a file of one's own, fit to travel to other machines."""
    model = LivenessModel.load(name)
    # A file of one's own lies on this machine only, so its bytes travel; a bundled one lies on every machine.
    if not name.lower().endswith(".tflite"):
        return model
    return LivenessModel.load(Path(name).read_bytes(), **model.card.to_dict())


if __name__ == "__main__":
    sys.exit(main())
