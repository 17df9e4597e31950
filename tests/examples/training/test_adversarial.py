"""Small changes fool a tiny network by as much as they may and no more, through the library's own crop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.adversarial import ATTACKS, EPS, JITTER, simulated_scenes, study, table
from examples.training.perturb import MIDDLE, SCENE, SIZE, Attacker, Jitter, centred_box, make_scene

from facelive.crops import face_crop

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, not ours

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


@pytest.mark.parametrize("crop_scale", [1.0, 1.5, 1.7])
def test_the_crop_of_a_scene_is_its_middle(portrait: Picture, face_box: Box, crop_scale: float) -> None:
    scene = make_scene(portrait, face_box, crop_scale=crop_scale)
    assert scene.shape == (SCENE, SCENE, 3)
    np.testing.assert_array_equal(face_crop(scene, centred_box(crop_scale), scale=crop_scale), scene[MIDDLE, MIDDLE])


def test_a_jittered_box_stays_near_and_square() -> None:
    jitter, box = Jitter(shift=0.1, scale=1.2), (60.0, 60.0, 140.0, 140.0)
    boxes = jitter.draw(box, 500, np.random.default_rng(0))
    sides = boxes[:, 2:] - boxes[:, :2]
    np.testing.assert_allclose(sides[:, 0], sides[:, 1])
    assert 80 / 1.2 <= sides.min() < 70 and 92 < sides.max() <= 80 * 1.2
    moves = (boxes[:, :2] + boxes[:, 2:]) / 2 - 100
    assert 7 < np.abs(moves).max() <= 8


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that never learnt anything, and its exported file with a card in ``out``."""
    pytest.importorskip(
        "tensorflow", reason="gradients need TensorFlow: pip install -r examples/training/requirements.txt"
    )
    import keras
    from examples.training.calibration import Calibration
    from examples.training.export import convert, with_probability
    from examples.training.networks import build_network
    from examples.training.recipe import Recipe
    from examples.training.runs import WEIGHTS, load_run

    folder = tmp_path_factory.mktemp("run")
    keras.utils.set_random_seed(0)
    recipe = Recipe(network="custom", width=0.25)
    (folder / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    build_network("custom", width=0.25, dropout=recipe.dropout, middle=recipe.middle).save_weights(folder / WEIGHTS)
    (folder / "out").mkdir()
    file = convert(with_probability(load_run(folder), Calibration(0.02, 0.0)), float16=True)
    (folder / "out" / "custom.tflite").write_bytes(file)
    card = {
        "name": "custom",
        "live_class": 1,
        "value_range": [-1, 1],
        "crop_scale": 1.5,
        "training": {"calibration": {"temperature": 0.02, "offset": 0.0}},
        "measured": {"kept": 1},
    }
    (folder / "out" / "custom.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def network(run: Path) -> Any:
    from examples.training.runs import load_run

    return load_run(run)


def logits(network: Any, scenes: Picture) -> npt.NDArray[np.float32]:
    from examples.training.export import keras_logits

    return keras_logits(network, scenes[:, MIDDLE, MIDDLE])


@pytest.mark.parametrize(("steps", "knows"), ATTACKS.values(), ids=ATTACKS)
def test_a_change_is_small_and_raises_the_score(network: Any, portrait: Picture, steps: int, knows: bool) -> None:
    scenes = simulated_scenes(portrait, 2, 1.5)["attack"]
    attacker = Attacker(network, crop_scale=1.5, jitter=JITTER if knows else None)
    before = logits(network, scenes)
    gains = []
    for eps in (1, 8):
        changed = attacker.perturb(scenes, eps=eps, steps=steps, rng=np.random.default_rng(0))
        apart = changed.astype(int) - scenes
        assert np.abs(apart).max() == eps
        apart[:, MIDDLE, MIDDLE] = 0
        assert not apart.any()
        gains.append(float((logits(network, changed) - before).mean()))
    assert 0 < gains[0] < gains[1]


def test_more_steps_go_further(network: Any, portrait: Picture) -> None:
    scenes = simulated_scenes(portrait, 2, 1.5)["attack"]
    attacker = Attacker(network, crop_scale=1.5)
    one, ten = (
        logits(network, attacker.perturb(scenes, eps=8, steps=steps, rng=np.random.default_rng(0))) for steps in (1, 10)
    )
    assert ten.mean() > one.mean()


def test_what_gradients_see_through_a_box_is_what_the_library_crops(portrait: Picture, face_box: Box) -> None:
    tf = pytest.importorskip(
        "tensorflow", reason="gradients need TensorFlow: pip install -r examples/training/requirements.txt"
    )
    from examples.training.perturb import _corners

    scene = make_scene(portrait, face_box, crop_scale=1.5)
    for box in Jitter().draw(centred_box(1.5), 4, np.random.default_rng(0)):
        seen = tf.image.crop_and_resize(scene[None].astype(np.float32), _corners(box[None], 1.5), [0], (SIZE, SIZE))
        cropped = face_crop(scene, tuple(box), scale=1.5)
        assert np.abs(seen[0].numpy() - cropped).mean() < 2.0


def test_the_command_adds_its_figures_to_the_card(run: Path, tmp_path: Path) -> None:
    from examples.training.adversarial import main

    model = run / "out" / "custom.tflite"
    assert main([str(run), "--model", str(model), "--draws", "1", "--data", str(tmp_path)]) == 0
    card = json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))
    found = card["measured"]["adversarial"]
    assert card["measured"]["kept"] == 1
    assert set(found["parts"]) == {"portrait"}
    passed = found["parts"]["portrait"]["passed"]
    for name in ATTACKS:
        assert list(passed[name]) == [str(eps) for eps in EPS]
        assert passed[name]["8"][0] >= passed["0"][0]
    text = table(found)
    assert "portrait: 2 attacks" in text
    assert len([line for line in text.splitlines() if line.startswith("| ±")]) == len(EPS)


def test_a_file_of_another_run_is_refused(run: Path, tmp_path: Path) -> None:
    from examples.training.adversarial import main

    card = json.loads((run / "out" / "custom.json").read_text(encoding="utf-8"))
    card["training"]["calibration"]["offset"] = 4.0
    (tmp_path / "custom.json").write_text(json.dumps(card), encoding="utf-8")
    (tmp_path / "custom.tflite").write_bytes((run / "out" / "custom.tflite").read_bytes())
    with pytest.raises(ValueError, match="not exported from this run"):
        main([str(run), "--model", str(tmp_path / "custom.tflite"), "--draws", "1"])


def test_val_pictures_are_studied_where_the_data_is(run: Path, network: Any, tiny_data: Path, tmp_path: Path) -> None:
    from examples.training.adversarial import sample_scenes

    from facelive.models import LivenessModel

    scenes = sample_scenes(tiny_data, tmp_path, 2, 1.5)
    assert {name: len(pictures) for name, pictures in scenes.items()} == {"attack": 2, "live": 2}
    found = study(network, LivenessModel.load(run / "out" / "custom.tflite"), scenes)
    assert (found["attacks"], found["live"]) == (2, 2)
    assert all(0 <= rate <= 1 for rate in found["bpcer"])
