"""Keras networks: their views and heads, ImageNet's weights in fewer channels, their twins in PyTorch, the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.networks import SIZE, Look, build, file_of, fill_from_imagenet
from tests.examples.training.conftest import settle

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
keras = pytest.importorskip("keras", reason="training needs Keras: pip install -r examples/training/requirements.txt")
torch = pytest.importorskip("torch", reason="training needs PyTorch: pip install -r examples/training/requirements.txt")
pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's and PyTorch's own, not ours

Floats = npt.NDArray[np.float32]
LOOKS = (Look("near", share=0.25, stem=8), Look("wide", share=0.25, stem=8))


def pictures(count: int, seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(-1, 1, (count, SIZE, SIZE, 3)).astype(np.float32)


def answers(network: Any, inputs: list[Floats]) -> list[Floats]:
    heads = network(inputs, training=False)
    return [np.asarray(keras.ops.convert_to_numpy(head)) for head in (heads if isinstance(heads, list) else [heads])]


@pytest.fixture(scope="module")
def network() -> Any:
    """Two small looks whose statistics are not those of a fresh network."""
    keras.utils.set_random_seed(3)
    network = build(LOOKS, answers=3, features=5)
    settle(network, [pictures(4, 0), pictures(4, 1)])
    return network


def test_every_view_is_an_input_by_its_name_and_every_head_an_output(network: Any) -> None:
    assert [one.name for one in network.inputs] == ["near", "wide"]
    heads = answers(network, [pictures(2, 0), pictures(2, 1)])
    assert [head.shape for head in heads] == [(2, 1), (2, 3), (2, 5)]


def test_both_views_count(network: Any) -> None:
    near, wide = pictures(2, 0), pictures(2, 1)
    before = answers(network, [near, wide])[0]
    assert not np.allclose(before, answers(network, [-near, wide])[0], atol=1e-5)
    assert not np.allclose(before, answers(network, [near, -wide])[0], atol=1e-5)


def test_one_view_is_a_network_too() -> None:
    alone = build(LOOKS[:1], answers=3, features=5)
    assert answers(alone, [pictures(2, 0)])[0].shape == (2, 1)


def test_a_twin_says_what_its_network_says_and_gives_its_weights_back(network: Any) -> None:
    from examples.training.twin import Twin

    inputs = [pictures(2, 5), pictures(2, 6)]
    twin = Twin(network).eval()
    with torch.no_grad():
        said = [head.numpy() for head in twin(*(torch.from_numpy(one).permute(0, 3, 1, 2) for one in inputs))]
    for mine, own in zip(said, answers(network, inputs)):
        np.testing.assert_allclose(mine, own, atol=1e-4)
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


def test_with_all_channels_imagenets_maps_come_over_whole(imagenet: Path) -> None:
    whole = keras.applications.MobileNetV2((SIZE, SIZE, 3), include_top=False, weights=str(imagenet))
    full = build((Look("near"),), answers=1, features=1)
    fill_from_imagenet(full, Look("near"), imagenet)
    mine, theirs = (
        answers(keras.Model(model.inputs, model.get_layer(name).output), [pictures(1, 0)])[0]
        for model, name in ((full, "near_block_13_expand_relu"), (whole, "block_13_expand_relu"))
    )
    np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_the_file_is_the_mixture_of_its_logits(network: Any) -> None:
    inputs, mixed = [pictures(3, 7), pictures(3, 8)], np.array([0.4, 0.1, 0.2, 0.3], np.float32)
    label, taught, _ = answers(network, inputs)
    logits = np.concatenate([label, taught], 1) @ mixed
    expected = 1 / (1 + np.exp(-(logits / 1.5 - 0.2)))
    found = answers(file_of(network, mixed, 1.5, -0.2), inputs)[0]
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)


def test_an_open_gate_adds_its_offset_to_the_mixture(network: Any) -> None:
    inputs, mixed = [pictures(3, 7), pictures(3, 8)], np.array([0.4, 0.1, 0.2, 0.3], np.float32)
    kernel = np.zeros(network.get_layer("label").input.shape[-1], np.float32)
    plain, shut, opened = (
        answers(file_of(network, mixed, 1.5, -0.2, gate=gate, surroundings=1.3), inputs)[0][:, 0]
        for gate in (None, (kernel, -30.0), (kernel, 30.0))
    )
    np.testing.assert_allclose(shut, plain, atol=1e-6)
    np.testing.assert_allclose(np.log(opened / (1 - opened)), np.log(plain / (1 - plain)) + 1.3, atol=1e-4)
