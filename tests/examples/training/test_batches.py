from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from examples.training.augment import AugmentPolicy
from examples.training.batches import SYNTHETIC_TARGET, BatchMaker, echoed, prefetched
from examples.training.data import Row, backdrop_files, load_rows, open_store
from examples.training.sampling import Sampler, source_weight


@pytest.fixture
def rows(tiny_data: Path) -> list[Row]:
    return load_rows(tiny_data, tiny_data)


def maker(rows: list[Row], data: Path, cache: Path, **options: float) -> BatchMaker:
    store = open_store(data, [(row.file, row.size) for row in rows], cache)
    backdrops = open_store(data, backdrop_files(data), cache)
    sampler = Sampler(rows, batch=12, seed=4)
    return BatchMaker(rows, store, sampler, AugmentPolicy(), backdrops=backdrops, **options)  # type: ignore[arg-type]


def test_a_step_always_has_the_same_batch(rows: list[Row], tiny_data: Path, tmp_path: Path) -> None:
    make = maker(rows, tiny_data, tmp_path, synthetic=0.2)
    assert np.array_equal(make(3).images, make(3).images)
    assert not np.array_equal(make(3).images, make(4).images)


def test_workers_give_the_batches_in_order(rows: list[Row], tiny_data: Path, tmp_path: Path) -> None:
    make = maker(rows, tiny_data, tmp_path)
    for step, batch in enumerate(prefetched(make, range(4), workers=1, ahead=2)):
        assert np.array_equal(batch.images, make(step).images)
    assert step == 3


def test_a_batch_serves_several_steps_every_second_one_mirrored(
    rows: list[Row], tiny_data: Path, tmp_path: Path
) -> None:
    make = maker(rows, tiny_data, tmp_path)
    whole = list(echoed(map(make, range(3)), range(6), 2))
    assert len(whole) == 6
    assert np.array_equal(whole[3].images, make(1).images[:, :, ::-1])
    resumed = list(echoed(map(make, range(1, 3)), range(3, 6), 2))
    assert [batch.images.sum() for batch in resumed] == [batch.images.sum() for batch in whole[3:]]
    assert all(np.array_equal(one.images, other.images) for one, other in zip(resumed, whole[3:]))


def test_targets_mix_label_and_soft_score(rows: list[Row], tiny_data: Path, tmp_path: Path) -> None:
    batch = maker(rows, tiny_data, tmp_path)(0)
    live, attack = batch.labels == 1, batch.labels == 0
    assert batch.targets[live] == pytest.approx(0.6 + 0.4 * 0.8)
    assert batch.targets[attack] == pytest.approx(0.4 * 0.45)
    assert batch.targets[np.isnan(batch.labels)] == pytest.approx(0.7)


def test_synthetic_attacks_become_attacks(rows: list[Row], tiny_data: Path, tmp_path: Path) -> None:
    batch = maker(rows, tiny_data, tmp_path, synthetic=1.0)(0)
    assert np.all(batch.labels == 0)
    assert np.any(batch.targets == np.float32(SYNTHETIC_TARGET))


def test_a_third_of_a_batch_is_unlabelled_and_classes_are_even(rows: list[Row]) -> None:
    sampler = Sampler(rows, batch=30, seed=1)
    drawn = np.concatenate([sampler.draw(step) for step in range(60)])
    labels = np.array([np.nan if rows[index].label is None else rows[index].label for index in drawn], float)
    assert np.isnan(labels).mean() == pytest.approx(1 / 3)
    assert np.nanmean(labels) == pytest.approx(0.5, abs=0.05)


def test_species_are_even_however_many_pictures_each_has(rows: list[Row]) -> None:
    sampler = Sampler(rows, batch=30, seed=1)
    kinds = [rows[index].kind for step in range(60) for index in sampler.draw(step)]
    assert kinds.count("print") == pytest.approx(kinds.count("replay_phone"), rel=0.25)


def test_a_source_of_few_attacks_is_drawn_seldom(rows: list[Row]) -> None:
    assert 0 < source_weight(rows[:6]) < 1


def test_the_open_models_scores_ride_along_but_not_on_synthetic_attacks(
    rows: list[Row], tiny_data: Path, tmp_path: Path
) -> None:
    plain, made = maker(rows, tiny_data, tmp_path)(0), maker(rows, tiny_data, tmp_path, synthetic=1.0)(0)
    assert np.isfinite(plain.taught).all()
    assert np.isnan(made.taught[made.targets == np.float32(SYNTHETIC_TARGET)]).all()


def test_whole_pictures_are_the_same_with_what_was_cut_off(rows: list[Row], tiny_data: Path, tmp_path: Path) -> None:
    store = open_store(tiny_data, [(row.file, row.size) for row in rows], tmp_path)
    sampler = Sampler(rows, batch=12, seed=4)
    batches = [
        BatchMaker(rows, store, sampler, AugmentPolicy(tighten=share, noise=0), whole=True)(1) for share in (0.0, 1.0)
    ]
    assert np.array_equal(batches[0].images, batches[0].whole)
    differ = np.abs(batches[1].images.astype(int) - batches[1].whole).mean((1, 2, 3))
    inner = np.abs(batches[1].images.astype(int) - batches[1].whole)[:, 52:76, 52:76].mean((1, 2, 3))
    assert (differ > 1).all()
    assert (inner < differ).all()  # the face itself is where it was


def test_without_teachers_nothing_whole_is_made(rows: list[Row], tiny_data: Path, tmp_path: Path) -> None:
    batch = maker(rows, tiny_data, tmp_path)(0)
    assert batch.whole is batch.images
