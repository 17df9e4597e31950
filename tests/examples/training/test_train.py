"""A tiny network on prepared examples made here: it learns, with teachers and without, and goes on where it stopped."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.batches import EXAMPLE
from examples.training.config import Config
from examples.training.networks import SIZE, Look

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("keras", reason="training needs Keras: pip install -r examples/training/requirements.txt")
torch = pytest.importorskip("torch", reason="training needs PyTorch: pip install -r examples/training/requirements.txt")
pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's and PyTorch's own, not ours

TINY = Config(looks=(Look("near", share=0.25, stem=8),), samples=384, batch=16, dropout=0.0, average=0.7)


def examples(count: int, *, asked: bool, seed: int = 0) -> npt.NDArray[Any]:
    """Bright pictures are live, dark ones attacks, and the teachers know it where they were asked."""
    rng = np.random.default_rng(seed)
    made = np.zeros(count, EXAMPLE)
    live = np.arange(count) % 2
    made["near"] = rng.integers(0, 100, (count, SIZE, SIZE, 3)) + 150 * live[:, None, None, None]
    made["label"] = live
    made["answers"] = (4.0 * live - 2)[:, None] if asked else np.nan
    made["features"] = live[:, None] if asked else np.nan
    return made


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    (tmp_path / "pool").mkdir()
    np.save(tmp_path / "pool" / "00000.npy", examples(160, asked=True))
    return tmp_path / "pool"


def fitted(config: Config, pool: Path, run: Path, imagenet: Path) -> Any:
    """A network with the weights that the run leaves."""
    from examples.training.networks import build
    from examples.training.teachers import FEATURES, NAMES
    from examples.training.train import fit

    weights = fit(config, [pool], run, imagenet=imagenet, minutes=5, threads=1)
    network = build(config.looks, answers=len(NAMES), features=FEATURES)
    network.load_weights(weights)
    return network


def test_a_run_learns_and_goes_on_from_its_checkpoint(pool: Path, tmp_path: Path, imagenet: Path) -> None:
    from examples.training.train import pooled, said

    run, seen = tmp_path / "run", examples(32, asked=True, seed=9)
    network = fitted(TINY, pool, run, imagenet)
    logits = said(network, pooled(network, TINY, {"near": seen["near"]}))
    assert logits.shape == (32, 8)
    live, attack = logits[seen["label"] == 1], logits[seen["label"] == 0]
    assert (live.mean(0) > attack.mean(0)).all()  # each of the eight heads
    assert live.mean(1).min() > attack.mean(1).max()  # each of the pictures
    last = torch.load(run / "last.pt", weights_only=True)
    assert last["seen"] == TINY.samples
    fitted(replace(TINY, samples=400), pool, run, imagenet)
    further = torch.load(run / "last.pt", weights_only=True)
    assert further["seen"] == 400
    assert further["minutes"] > last["minutes"]


def test_settled_statistics_are_those_of_the_weights_that_ship() -> None:
    from examples.training.networks import build
    from examples.training.train import prepared, settle
    from examples.training.twin import Twin

    network = build(TINY.looks, answers=7, features=128, dropout=0.0)
    batch = examples(64, asked=True, seed=3)
    settle(Twin(network), network, [batch, batch], TINY)
    picture = prepared(batch["near"], torch.device("cpu"))
    with torch.no_grad():
        by_batch, by_statistics = Twin(network).train()(picture)[1], Twin(network).eval()(picture)[1]
    assert torch.allclose(by_batch, by_statistics, atol=0.02)
    assert by_batch.std() > 0.1


@pytest.mark.parametrize("asked", [True, False])
def test_the_loss_falls_where_an_answer_is_right(asked: bool) -> None:
    from examples.training.train import loss_of

    batch = examples(8, asked=asked)
    right = torch.from_numpy(6.0 * batch["label"][:, None] - 3)
    heads = [right, 2 / 3 * right.repeat(1, 7), (right > 0).float().repeat(1, 128)]
    device = torch.device("cpu")
    good = float(loss_of(TINY, heads, batch, device))
    bad = float(loss_of(TINY, [-head for head in heads], batch, device))
    assert np.isfinite([good, bad]).all()
    assert good < 0.2 * bad


def test_what_nobody_knows_teaches_nothing() -> None:
    from examples.training.train import loss_of

    batch = examples(8, asked=False)
    batch["label"] = np.nan
    heads = [torch.ones(8, count) for count in (1, 7, 128)]
    assert float(loss_of(TINY, heads, batch, torch.device("cpu"))) == 0
