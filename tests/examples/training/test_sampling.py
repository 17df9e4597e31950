from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from examples.training.data import Row, load_rows
from examples.training.sampling import Sampler, worth


@pytest.fixture
def rows(tiny_data: Path) -> list[Row]:
    return load_rows(tiny_data, tiny_data)


def test_a_batch_is_a_function_of_seed_and_number(rows: list[Row]) -> None:
    assert np.array_equal(Sampler(rows, batch=12, seed=4).draw(3), Sampler(rows, batch=12, seed=4).draw(3))
    assert not np.array_equal(Sampler(rows, batch=12, seed=4).draw(3), Sampler(rows, batch=12, seed=4).draw(4))
    assert not np.array_equal(Sampler(rows, batch=12, seed=4).draw(3), Sampler(rows, batch=12, seed=5).draw(3))


def test_the_share_that_was_asked_for_is_unlabelled_and_the_classes_are_even(rows: list[Row]) -> None:
    sampler = Sampler(rows, batch=32, unlabelled=0.25, seed=1)
    drawn = np.concatenate([sampler.draw(step) for step in range(60)])
    labels = np.array([np.nan if rows[index].label is None else rows[index].label for index in drawn], float)
    assert np.isnan(labels).mean() == pytest.approx(1 / 4)
    assert np.nanmean(labels) == pytest.approx(0.5, abs=0.05)


def test_without_photographs_every_place_is_labelled(rows: list[Row]) -> None:
    labelled = [row for row in rows if row.label is not None]
    drawn = Sampler(labelled, batch=32, seed=1).draw(0)
    assert len(drawn) == 32
    assert drawn.max() < len(labelled)


def test_species_are_even_however_many_pictures_each_has(rows: list[Row]) -> None:
    sampler = Sampler(rows, batch=30, seed=1)
    kinds = [rows[index].kind for step in range(60) for index in sampler.draw(step)]
    assert kinds.count("print") == pytest.approx(kinds.count("replay_phone"), rel=0.25)


def of(rows: list[Row], **changes: object) -> list[Row]:
    return [dataclasses.replace(row, **changes) for row in rows]  # type: ignore[arg-type]


def test_people_species_and_surroundings_count(rows: list[Row]) -> None:
    source = [row for row in rows if row.source == "one/lab"] * 30
    crowd = [dataclasses.replace(row, subject=str(number)) for number, row in enumerate(source)]
    assert worth(crowd) > worth(source)
    assert worth(of([row for row in source if row.label], kind="bona_fide")) < worth(source)
    one_kind = [dataclasses.replace(row, kind="print") if row.label == 0 else row for row in source]
    assert worth(one_kind) < worth(source)
    assert worth(of(source, size=(64, 64))) < worth(source)  # little more than the face


def test_a_source_of_one_class_is_drawn_seldom_but_drawn(rows: list[Row]) -> None:
    live = [row for row in rows if row.source == "one/lab" and row.label == 1] * 60
    both = [row for row in rows if row.source == "two/room"] * 30
    mixed = live + both
    drawn = np.concatenate([Sampler(mixed, batch=32, seed=2).draw(step) for step in range(40)])
    share = np.mean(drawn < len(live))
    assert 0 < share < 0.4
