"""Students that learn in PyTorch, from Keras networks and back into them, on the tiny pictures."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.augment import AugmentPolicy
from examples.training.batches import Batch
from examples.training.recipe import Recipe

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
keras = pytest.importorskip("keras", reason="training needs Keras: pip install -r examples/training/requirements.txt")
torch = pytest.importorskip("torch", reason="this way of training needs PyTorch: pip install torch")
pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's and PyTorch's own, not ours

TINY = Recipe(
    network="custom",
    width=0.25,
    taught_live=True,
    taught_weight=1.0,
    features_weight=1.0,
    learning_rate=2e-3,
    augment=AugmentPolicy(tone=0.2),
)


def pictures(count: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-1, 1, (count, 128, 128, 3)).astype(np.float32)


def answers(network: Any, inputs: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    return [keras.ops.convert_to_numpy(head) for head in network(inputs, training=False)]


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet", "custom"])
def test_a_twin_says_what_its_network_says_and_gives_its_weights_back(name: str) -> None:
    from examples.training.networks import build_network
    from examples.training.twin import Twin

    keras.utils.set_random_seed(3)
    network = build_network(name, width=0.35 if name == "mobilenet_v2" else 0.25, middle=True, features=4)
    network(pictures(4), training=True)  # statistics that are not those of a fresh network
    twin = Twin(network).eval()
    with torch.no_grad():
        said = [head.numpy() for head in twin(torch.from_numpy(pictures(2)).permute(0, 3, 1, 2))]
    for mine, keras_own in zip(said, answers(network, pictures(2))):
        mine = mine.transpose(0, 2, 3, 1) if mine.ndim == 4 else mine
        np.testing.assert_allclose(mine, keras_own, atol=1e-4)
    before = network.get_weights()
    network.set_weights([np.zeros_like(weight) for weight in before])
    twin.give(network)
    for value, wanted in zip(network.get_weights(), before):
        np.testing.assert_array_equal(value, wanted)


def test_a_layer_without_a_twin_is_named() -> None:
    from examples.training.twin import Twin

    picture = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="'late' is a UpSampling2D, which has no twin"):
        Twin(keras.Model(picture, keras.layers.UpSampling2D(name="late")(picture)))


def batch_of(count: int, rng: np.random.Generator) -> Batch:
    images = rng.integers(0, 256, (count, 128, 128, 3), np.uint8)
    images[::2] //= 4
    dark = (np.arange(count) % 2 == 0).astype(np.float32)
    taught = np.stack([4 * dark - 2, np.full(count, np.nan, np.float32)], 1)
    features = np.repeat(dark[:, None], 128, 1)
    return Batch(images, images, dark, dark, taught, features)


def test_a_student_learns_what_the_pool_knows() -> None:
    from examples.training.learner import Learner, Pool
    from examples.training.runs import build

    keras.utils.set_random_seed(5)
    device, rng = torch.device("cpu"), np.random.default_rng(0)
    pool = Pool(32, [build(TINY)], device)
    pool.add([batch_of(12, rng), batch_of(12, rng)])
    learner = Learner(TINY, device, imagenet=Path())
    losses = []
    for step in range(30):
        learner.step(pool, 12, TINY.rate((step + 1) / 30))
        losses.append(learner.loss())
    assert losses[-1] < 0.5 * losses[0]
    same = batch_of(4, rng).images.astype(np.float32) / 127.5 - 1
    said = [answers(learner.so_far(), same)[0] for _ in range(2)]
    np.testing.assert_array_equal(said[0], said[1])  # nobody learns from being asked
    assert (learner.steps, learner.seen) == (30, 360)


def test_the_oldest_pictures_make_room() -> None:
    from examples.training.learner import Pool
    from examples.training.runs import build

    rng = np.random.default_rng(1)
    pool = Pool(8, [build(TINY)], torch.device("cpu"))
    batches = [batch_of(6, rng), batch_of(6, rng)]
    for batch in batches:
        pool.add([batch])
    pool.add([])
    assert (pool.added, pool.filled) == (12, 8)
    kept = np.concatenate([batches[1].images[2:], batches[0].images[4:], batches[1].images[:2]])
    assert np.array_equal(pool.images.numpy(), kept)


@pytest.fixture
def teachers(tiny_data: Path, tmp_path: Path) -> Path:
    """The tiny scores, and an open model of MiniFAS 128's inputs and outputs."""
    onnx = pytest.importorskip(
        "onnx", reason="an open model is an ONNX file: pip install -r examples/training/requirements.txt"
    )
    folder = tmp_path / "teachers"
    folder.mkdir()
    for name in ("train_scores.jsonl", "val_scores.jsonl"):
        shutil.copy(tiny_data / name, folder)
    rng, make = np.random.default_rng(0), onnx.helper
    weights = {"first": rng.normal(0, 1, (3, 128)), "second": rng.normal(0, 1, (128, 3))}
    graph = make.make_graph(
        [
            make.make_node("GlobalAveragePool", ["input"], ["pooled"]),
            make.make_node("Flatten", ["pooled"], ["flat"]),
            make.make_node("MatMul", ["flat", "first"], ["features"]),
            make.make_node("MatMul", ["features", "second"], ["output"]),
        ],
        "open",
        [make.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["batch", 3, 128, 128])],
        [make.make_tensor_value_info("output", onnx.TensorProto.FLOAT, ["batch", 3])],
        [onnx.numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "minifas128.onnx")
    return folder


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """The folder of a finished run."""
    from examples.training.runs import build

    teacher = tmp_path / "teacher"
    teacher.mkdir()
    for file in ("heads.weights.h5", "average.weights.h5"):
        build(TINY).save_weights(teacher / file)
    (teacher / "recipe.json").write_text(TINY.to_json(), encoding="utf-8")
    (teacher / "sources.json").write_text('{"one/lab": {"live": 3}}', encoding="utf-8")
    (teacher / "command.txt").write_text("train --run teacher", encoding="utf-8")
    (teacher / "log.jsonl").write_text('{"finished": 4, "seconds": 2}\n', encoding="utf-8")
    return teacher


def distil(teacher: Path, data: Path, teachers: Path) -> None:
    from examples.training.distil import main

    runs = teacher.parent
    places = ["--data", data, "--teachers", teachers, "--cache", runs / "cache", "--run", runs / "long"]
    words = ["teacher", "--taught-by", "teacher", "--minutes", "0.6", "--batch", "8", "--workers", "1"]
    main([*map(str, [*words, "--capacity", 200, *places]), "--set", "batch=12"])


def test_students_are_left_as_runs_that_can_be_gone_on_from(tiny_data: Path, teachers: Path, teacher: Path) -> None:
    from examples.training.runs import HEADS, load_run

    distil(teacher, tiny_data, teachers)
    student = teacher.with_name("long-teacher")
    recipe = Recipe.of_run(student)
    assert (recipe.network, recipe.width, recipe.teachers) == ("custom", 0.25, ("teacher",))
    assert recipe.samples > 0
    assert (student / "command.txt").read_text(encoding="utf-8").splitlines()[0] == "train --run teacher"
    log = [json.loads(line) for line in (student / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert log[-1]["run"] == "long-teacher"
    said = answers(load_run(student, HEADS), pictures(2))[0]
    assert np.isfinite(said).all()
    assert not np.allclose(said, answers(load_run(teacher, HEADS), pictures(2))[0])


def test_what_keeps_pictures_from_being_made_is_told(tiny_data: Path, teachers: Path, teacher: Path) -> None:
    (teachers / "minifas128.onnx").write_bytes(b"no model")
    with pytest.raises(Exception, match="minifas128|protobuf|parsing"):
        distil(teacher, tiny_data, teachers)
