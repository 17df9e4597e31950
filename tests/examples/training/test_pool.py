from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from examples.training.batches import EXAMPLE
from examples.training.pool import Pool, chunks


def examples(count: int) -> npt.NDArray[Any]:
    """Pictures that are white on their right, numbered."""
    made = np.zeros(count, EXAMPLE)
    made["near"][:, :, 64:] = made["wide"][:, :, 64:] = 255
    made["row"] = np.arange(count)
    return made


def test_a_pool_grows_while_it_is_drawn_from(tmp_path: Path) -> None:
    pool = Pool([tmp_path], seed=0)
    assert pool.look() == 0
    np.save(tmp_path / "00000.npy", examples(24))
    assert pool.look() == 24
    np.save(tmp_path / "00001.npy", examples(16))
    assert pool.look() == 40
    assert len(pool.draw(32)) == 32


def test_half_the_pictures_are_mirrored_both_views_together(tmp_path: Path) -> None:
    np.save(tmp_path / "00000.npy", examples(64))
    pool = Pool([tmp_path], seed=0)
    pool.look()
    drawn = pool.draw(64)
    mirrored = (drawn["near"][:, :, :64] == 255).all((1, 2, 3))
    assert 12 < mirrored.sum() < 52
    assert np.array_equal((drawn["wide"][:, :, :64] == 255).all((1, 2, 3)), mirrored)
    assert np.array_equal((drawn["near"][:, :, 64:] == 0).all((1, 2, 3)), mirrored)


def test_only_chosen_pictures_are_drawn(tmp_path: Path) -> None:
    np.save(tmp_path / "00000.npy", examples(64))
    pool = Pool([tmp_path], seed=0, rows=range(8, 40))
    assert pool.look() == 32
    assert set(pool.draw(32)["row"].tolist()) <= set(range(8, 40))


def test_half_written_files_are_no_chunks_and_the_oldest_come_first(tmp_path: Path) -> None:
    for name, age in (("00000.npy", 9), ("00001.npy", 5), ("00002.partial", 1)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    assert [path.name for path in chunks(tmp_path)] == ["00001.npy", "00000.npy"]
