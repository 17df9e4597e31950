"""A pool of prepared examples: the chunks on disk, and batches drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

__all__ = ["Pool", "chunks"]


def chunks(pool: Path) -> list[Path]:
    """The finished files of a pool, oldest first."""
    return sorted(pool.glob("[0-9]*.npy"), key=lambda path: path.stat().st_mtime)


class Pool:
    """Draws batches from the chunks that are there, new ones as soon as they are finished.

    Args:
        folders: Of chunks; they may still grow.
        seed: Of the draws.
        rows: Numbers of the pictures that may be drawn; all unless given.
    """

    def __init__(self, folders: Sequence[Path], seed: int, rows: Optional[Sequence[int]] = None) -> None:
        self._folders = folders
        self._rng = np.random.default_rng(seed)
        self._rows = rows
        self._files: dict[Path, npt.NDArray[Any]] = {}
        self._places: dict[Path, npt.NDArray[np.int64]] = {}

    def look(self) -> int:
        """Take up what is new; returns how many examples there are."""
        for path in (path for folder in self._folders for path in chunks(folder)):
            if path not in self._files:
                file = np.load(path, mmap_mode="r")
                allowed = np.isin(file["row"], self._rows) if self._rows is not None else np.ones(len(file), bool)
                self._files[path], self._places[path] = file, np.flatnonzero(allowed)
        return sum(map(len, self._places.values()))

    def draw(self, batch: int) -> npt.NDArray[Any]:
        """Examples of four chunks, half of them mirrored: `EXAMPLE`, (batch,)."""
        paths = list(self._files)
        parts = []
        for number in self._rng.integers(len(paths), size=4):
            places = self._rng.choice(self._places[paths[number]], batch // 4, replace=False)
            parts.append(self._files[paths[number]][np.sort(places)])
        chosen = np.concatenate(parts)
        mirrored = self._rng.random(len(chosen)) < 0.5
        for view in ("near", "wide"):
            chosen[view][mirrored] = chosen[view][mirrored][:, :, ::-1]
        return chosen
