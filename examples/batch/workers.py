"""What travels to Ray's workers: pictures in, rows of results out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.fs
import ray

from facelive import ImageError, LivenessDetector, __version__
from facelive.images import MAX_BYTES

__all__ = ["RUN", "SCHEMA", "Files", "Judge", "digests_of", "paths_of", "run_of"]

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("verdict", pa.string()),  # live, spoof or rejected; null when the picture could not be read
        ("score", pa.float64()),  # P(bona fide) in [0, 1], higher is more live
        ("threshold", pa.float64()),
        ("reason", pa.string()),  # why it was rejected
        ("face", pa.list_(pa.float64())),  # x0, y0, x1, y1 in pixels of the upright picture
        ("error", pa.string()),  # why it could not be read
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("model_sha256", pa.string()),
        ("facelive", pa.string()),
    ]
)
"""The columns of the results."""

RUN = ("threshold", "model", "model_version", "model_sha256", "facelive")
"""The columns that are the same in all rows of a run."""

_DIGEST = "S16"
_READERS = 8  # pictures opened ahead of the one that is judged, which hides the latency of an object store


class Files:
    """Opens pictures by path or URL; one connection to each bucket."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._stores: dict[str, tuple[pa.fs.FileSystem, str]] = {}

    def read(self, path: str) -> bytes:
        """The first ``MAX_BYTES`` of a picture and one more, by which a larger one is known."""
        if "://" not in path and not Path(path).is_absolute():
            path = f"{self._root.rstrip('/')}/{path}"
        scheme, mark, key = path.partition("://")
        bucket, _, key = key.partition("/") if mark else ("", "", path)
        store = f"{scheme}://{bucket}" if mark else ""
        if store not in self._stores:
            self._stores[store] = pa.fs.FileSystem.from_uri(f"{store}/") if mark else (pa.fs.LocalFileSystem(), "")
        files, base = self._stores[store]
        with files.open_input_stream(f"{base.rstrip('/')}/{key}" if mark else key) as stream:
            content: bytes = stream.read(MAX_BYTES + 1)
        return content


class Judge:
    """A worker: one detector in one process, pictures in, rows of ``SCHEMA`` out.

    Args:
        detector: Pickled on the way here; the copy loads its networks once.
        root: Where relative paths start.
        written: Sorted digests of the paths whose rows are written already, in Ray's store: the workers of a machine
            share them.
    """

    def __init__(self, detector: LivenessDetector, root: str, written: ray.ObjectRef) -> None:
        self._detector = detector
        self._run = run_of(detector)
        self._written: npt.NDArray[np.bytes_] = ray.get(written)
        self._files = Files(root)
        self._readers = ThreadPoolExecutor(_READERS)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Judge the pictures of a batch that are not judged yet."""
        batch = batch.filter(pa.array(~_among(self._written, paths_of(batch))))
        paths = paths_of(batch)
        contents = batch["bytes"].to_pylist() if "bytes" in batch.column_names else [None] * len(paths)
        pictures = self._readers.map(self._open, paths, contents)
        rows = [{"path": path, **self._row(picture), **self._run} for path, picture in zip(paths, pictures)]
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    def _open(self, path: str, content: Optional[bytes]) -> Union[bytes, ImageError]:
        try:
            return self._files.read(path) if content is None else content
        except (OSError, ValueError) as error:  # Arrow's own errors are one or the other
            return ImageError(f"cannot open {path!r}: {error}")

    def _row(self, picture: Union[bytes, ImageError]) -> dict[str, Any]:
        try:
            if isinstance(picture, ImageError):
                raise picture
            result = self._detector.predict(picture)
        except ImageError as error:
            return {"error": str(error)}
        return {
            "verdict": result.verdict.value,
            "score": result.score,
            "reason": result.reason and result.reason.value,
            "face": result.face and result.face.edges,
        }


def run_of(detector: LivenessDetector) -> dict[str, Any]:
    """What every row of a run has in common."""
    card = detector.model.card
    return dict(zip(RUN, (detector.threshold, card.name, card.version, card.sha256, __version__)))


def paths_of(table: pa.Table) -> list[str]:
    """The column ``path``; a row without one is empty, and will have an error."""
    return [path or "" for path in table["path"].to_pylist()]


def digests_of(paths: Iterable[str]) -> npt.NDArray[np.bytes_]:
    """16 bytes of each path, as dtype S16, in their order: no two paths of an archive share theirs."""
    return np.array([hashlib.blake2b(path.encode(), digest_size=16).digest() for path in paths], _DIGEST)


def _among(written: npt.NDArray[np.bytes_], paths: Sequence[str]) -> npt.NDArray[np.bool_]:
    if not written.size or not paths:
        return np.zeros(len(paths), bool)
    digests = digests_of(paths)
    places = np.minimum(np.searchsorted(written, digests), len(written) - 1)
    return np.asarray(written[places] == digests)
