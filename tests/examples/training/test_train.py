"""A network is really trained, stopped, gone on with, exported and run: in seconds, on the tiny pictures."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.augment import AugmentPolicy
from examples.training.derived import linear_map
from examples.training.recipe import Recipe
from examples.training.slim import fewest_missed
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
tensorflow = pytest.importorskip(
    "tensorflow", reason="training needs TensorFlow: pip install -r examples/training/requirements.txt"
)
pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, not ours

TINY = Recipe(network="custom", width=0.25, samples=48, batch=12, augment=AugmentPolicy(tone=0.2), synthetic=0.1)


def test_a_recipe_survives_its_file() -> None:
    assert Recipe.from_json(TINY.to_json()) == TINY


def test_train_stop_resume_export(tiny_data: Path, tmp_path: Path) -> None:
    from examples.training.export import export
    from examples.training.train import train
    from examples.training.valset import ValidationSet

    from facelive.models import LivenessModel

    places: dict[str, Any] = {"data": tiny_data, "teachers": tiny_data, "cache": tmp_path / "cache"}
    whole = train(TINY, tmp_path / "whole", workers=0, **places)
    stopped = tmp_path / "stopped"
    train(TINY, stopped, workers=0, stop_after=2, **places)
    again = train(TINY, stopped, workers=0, **places)
    with np.load(tmp_path / "whole" / "checkpoint.npz") as one, np.load(stopped / "checkpoint.npz") as other:
        assert int(one["step"]) == int(other["step"]) == 4
        for name in one.files:
            np.testing.assert_allclose(one[name], other[name], atol=2e-3, err_msg=name)
    assert whole.name == again.name

    (stopped / "command.txt").write_text("python -m examples.training.train custom --run RUN", encoding="utf-8")
    validation = ValidationSet.load(tiny_data, tiny_data, tmp_path / "cache")
    export(stopped, tmp_path / "out", validation)
    model = LivenessModel.load(tmp_path / "out" / "custom.tflite")
    scores = model.score(validation.crops(1.5))
    assert scores.shape == (6,)
    card = json.loads((tmp_path / "out" / "custom.json").read_text(encoding="utf-8"))
    assert card["training"]["data"]["one/lab"] == {"attack": 3, "live": 3}
    assert "check the terms of the sources before commercial use" in card["training"]["caveat"]
    assert card["measured"]["float16_bytes"] < 0.75 * card["measured"]["float32_bytes"]


def test_another_recipe_does_not_take_over_a_run(tiny_data: Path, tmp_path: Path) -> None:
    from examples.training.train import train

    (tmp_path / "recipe.json").write_text(TINY.to_json(), encoding="utf-8")
    with pytest.raises(ValueError, match="another recipe"):
        train(TINY.changed({"seed": 2}), tmp_path, data=tiny_data, teachers=tiny_data, cache=tmp_path, workers=0)


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet", "custom"])
def test_networks_have_three_heads(name: str) -> None:
    from examples.training.networks import build_network

    network = build_network(name, width=1.0 if name == "custom" else 0.35 if name == "mobilenet_v2" else 0.25)
    logit, cells, taught = network(np.zeros((2, 128, 128, 3), np.float32))
    assert (logit.shape, taught.shape) == ((2, 1), (2, 2))
    assert tuple(cells.shape[1:3]) == (8, 8)


def test_folding_takes_the_mean_of_the_heads() -> None:
    from examples.training.networks import build_network, fold_taught

    network = build_network("custom", width=0.25)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 128, 128, 3)).astype(np.float32)
    logit, _, taught = (np.asarray(head) for head in network(pictures))
    fold_taught(network, 0.5)
    assert np.asarray(network(pictures)[0])[:, 0] == pytest.approx(
        (logit[:, 0] + 0.5 * taught.sum(axis=1)) / 2, abs=1e-4
    )


def test_a_soup_is_the_mean_of_its_runs(tmp_path: Path) -> None:
    import keras
    from examples.training.networks import build_network
    from examples.training.runs import HEADS, WEIGHTS, load_run
    from examples.training.soup import soup

    for seed in (1, 2):
        run = tmp_path / str(seed)
        run.mkdir()
        keras.utils.set_random_seed(seed)
        build_network("custom", width=0.25).save_weights(run / HEADS)
        (run / "recipe.json").write_text(TINY.to_json(), encoding="utf-8")
        (run / "sources.json").write_text("{}", encoding="utf-8")
        (run / "command.txt").write_text(f"train --run {seed}", encoding="utf-8")
        (run / "log.jsonl").write_text('{"finished": 4, "seconds": 2}\n', encoding="utf-8")
    soup([tmp_path / "1", tmp_path / "2"], tmp_path / "both")
    runs = {"1": HEADS, "2": HEADS, "both": WEIGHTS}
    kernels = [
        load_run(tmp_path / run, file).get_layer("block_13_expand").get_weights()[0] for run, file in runs.items()
    ]
    assert kernels[2] == pytest.approx((kernels[0] + kernels[1]) / 2, abs=1e-6)
    assert (tmp_path / "both" / "command.txt").read_text(encoding="utf-8").count("\n") == 2


def test_a_network_made_of_another_says_what_that_one_says(tiny_data: Path, tmp_path: Path) -> None:
    import keras
    from examples.training.runs import HEADS, build, load_run
    from examples.training.shorten import shorten
    from examples.training.slim import slim
    from examples.training.train import batches_of

    places: dict[str, Any] = {"data": tiny_data, "teachers": tiny_data, "cache": tmp_path / "cache"}
    recipe = TINY.changed({"network": "mobilenet_v2", "width": 1.0, "last": "block_13_expand_relu"})
    whole = tmp_path / "whole"
    whole.mkdir()
    keras.utils.set_random_seed(1)
    build(recipe).save_weights(whole / HEADS)
    (whole / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    for name, text in (("sources.json", "{}"), ("command.txt", "train --run whole"), ("log.jsonl", "")):
        (whole / name).write_text(text, encoding="utf-8")
    shorten(whole, tmp_path / "short", "block_12_add", samples=120, **places)
    slim(whole, tmp_path / "slim", 0.5, pictures=24, samples=120, **places)
    pictures = np.concatenate([batches_of(TINY, **places)[0](step).images for step in range(4)])
    runs = {run: load_run(tmp_path / run, HEADS) for run in ("whole", "short", "slim")}
    said = {run: network(pictures.astype(np.float32) / 127.5 - 1)[0][:, 0] for run, network in runs.items()}
    for run in ("short", "slim"):
        assert np.corrcoef(said["whole"], said[run])[0, 1] > 0.8  # heads that know nothing are as likely below 0
    assert runs["short"].count_params() < runs["whole"].count_params()
    assert runs["slim"].count_params() < 0.7 * runs["whole"].count_params()
    assert (tmp_path / "slim" / "command.txt").read_text(encoding="utf-8").startswith("train --run whole\npython")


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_inputs_that_say_nothing_new_are_the_ones_dropped(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(0, 1, (200, count)).astype(np.float32)
    places = rng.permutation(2 * count)
    doubled = np.concatenate([inputs, inputs], axis=1)[:, places]
    wanted = inputs @ rng.normal(0, 1, (count, 2)).astype(np.float32) + 3
    kept, kernel, bias = fewest_missed(doubled, wanted, count, ridge=1e-9)
    assert sorted(places[kept] % count) == list(range(count))
    np.testing.assert_allclose(doubled[:, kept] @ kernel + bias, wanted, atol=1e-2)


@given(arrays(np.float32, (40, 3), elements=st.floats(-4, 4, width=32)))
def test_least_squares_find_the_map_behind_the_values(features: npt.NDArray[np.float32]) -> None:
    rng = np.random.default_rng(0)
    features = features + rng.normal(0, 1, features.shape).astype(np.float32)  # no two features alike
    kernel, bias = rng.normal(0, 1, (3, 2)), rng.normal(0, 1, 2)
    found, offset = linear_map(features, (features @ kernel + bias).astype(np.float32), ridge=0)
    np.testing.assert_allclose(found, kernel, atol=1e-3)
    np.testing.assert_allclose(offset, bias, atol=1e-2)


def test_a_run_goes_on_with_heads_that_see_more() -> None:
    from examples.training.networks import build_network, copy_weights

    narrow, wide = build_network("custom", width=0.25), build_network("custom", width=0.25, middle=True, features=4)
    copy_weights(narrow, wide)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 128, 128, 3)).astype(np.float32)
    for before, after in zip(narrow(pictures), wide(pictures)):
        assert np.asarray(before) == pytest.approx(np.asarray(after), abs=1e-5)


def test_unexplained_variance_is_0_for_the_truth_and_1_for_its_mean() -> None:
    from examples.training.loop import unexplained

    wanted = np.array([[1.0], [3.0], [np.nan], [5.0]], np.float32)
    assert float(unexplained(wanted, np.nan_to_num(wanted, nan=70))) == 0
    assert float(unexplained(wanted, np.full((4, 1), 3, np.float32))) == pytest.approx(1)


def test_a_student_learns_its_teachers_logit(tiny_data: Path, tmp_path: Path) -> None:
    from examples.training.networks import build_network
    from examples.training.runs import WEIGHTS
    from examples.training.train import train

    teacher = build_network("custom", width=0.25)
    kernel, bias = teacher.get_layer("logit").get_weights()
    pictures = np.random.default_rng(0).uniform(-1, 1, (8, 1, 1, 3)) * np.ones((8, 128, 128, 3))
    spread = float(np.std(teacher(pictures.astype(np.float32))[0]))
    teacher.get_layer("logit").set_weights([2 / spread * kernel, bias])  # opinions that differ by picture
    (tmp_path / "teacher").mkdir()
    teacher.save_weights(tmp_path / "teacher" / WEIGHTS)
    (tmp_path / "teacher" / "recipe.json").write_text(TINY.to_json(), encoding="utf-8")
    changes = {"teachers": ["teacher"], "distil_weight": 3.0, "echo": 2, "samples": 480, "learning_rate": 0.004}
    train(TINY.changed(changes), tmp_path / "run", data=tiny_data, teachers=tiny_data, cache=tmp_path, workers=0)
    lines = (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [json.loads(line)["loss"] for line in lines[:-1]]
    assert losses[-1] < losses[0]


@given(st.sets(st.text(max_size=4), min_size=4), st.integers(0, 99))
def test_a_smaller_part_of_the_sources_lies_within_every_larger_one(sources: set[str], seed: int) -> None:
    from examples.training.sources import nested

    parts = [set(part) for part in nested(sorted(sources), (1, 3, len(sources)), seed)]
    assert [len(part) for part in parts] == [1, 3, len(sources)]
    assert parts[0] < parts[1] <= parts[2] == sources


def test_widening_keeps_what_a_network_computes() -> None:
    import keras
    from examples.training.networks import widen

    narrow, wide = (
        keras.applications.MobileNet((128, 128, 3), alpha=alpha, include_top=False, weights=None)
        for alpha in (0.25, 0.5)
    )
    widen(narrow, wide, noise=0)
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 128, 128, 3)).astype(np.float32)
    before, after = np.asarray(narrow(picture)), np.asarray(wide(picture))
    assert after == pytest.approx(np.concatenate([before, before], axis=3), abs=1e-4)
