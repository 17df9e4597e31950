"""The network learns, and its file answers as it does."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install -r examples/training/requirements.txt")
pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

import torch
from examples.flask_app.digits.alignment import NONE, spelled
from examples.training.voice.measure import answers, rate
from examples.training.voice.network import Network
from examples.training.voice.phrases import RATE_HZ, Speaker, spoken
from examples.training.voice.train import batch, lowest_lead, pool, trained

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's and PyTorch's own, not ours


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Somebody whose digits are noise in bands of their own, as easy as it can be."""
    random, digits = np.random.default_rng(0), []
    for digit in range(10):
        spectrum = np.fft.rfft(random.standard_normal((3, int(0.35 * RATE_HZ))))
        hertz = np.fft.rfftfreq(int(0.35 * RATE_HZ), 1 / RATE_HZ)
        spectrum *= np.abs(hertz - 250 - 330 * digit) < 120
        made = np.fft.irfft(spectrum, int(0.35 * RATE_HZ))
        digits.append([(one / np.abs(one).max()).astype(np.float32) for one in made])
    return Speaker("hisser", digits)


def test_frames_and_labels_fit_together(speaker: Speaker) -> None:
    some = pool(speaker, 8, 0)
    frames, labels = batch(some)
    assert frames.shape[:2] == (8, labels.shape[1] * 4) and frames.shape[2] == 40
    assert set(labels[0].tolist()) == {*some[0].digits, NONE}
    assert Network()(frames).shape == (*labels.shape, NONE + 1)


def test_what_is_easy_is_learnt_in_a_moment(speaker: Speaker) -> None:
    network = trained(pool(speaker, 120, 0), steps=150, seed=0)
    samples = spoken(speaker, [3, 1, 9, 5], np.random.default_rng(1), pauses_s=(0.2, 0.3))
    heard = spelled(answers(network, samples))
    assert sum(digit in heard for digit in (3, 1, 9, 5)) >= 3


def test_the_file_answers_as_the_network_does(speaker: Speaker) -> None:
    pytest.importorskip(
        "tensorflow", reason="TensorFlow is not installed: pip install -r examples/training/requirements.txt"
    )
    from examples.training.voice.export import tflite

    from facelive.tflite import load_network

    torch.manual_seed(0)
    network = Network()
    network(torch.randn(4, 400, 40))  # moves the normalisations away from where they begin
    content = tflite(network.eval())
    assert len(content) < 300_000
    frames = np.random.default_rng(0).normal(0, 0.5, (2, 800, 40)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(frames)).numpy()
    (given,) = load_network(content).run(frames)
    assert given == pytest.approx(expected, abs=0.01)


def test_rates_and_the_least_lead() -> None:
    assert rate([True, False, False, False]) == {"count": 1, "of": 4, "rate": 0.25, "95": [0.0063, 0.8059]}
    assert lowest_lead([-9.0] * 96 + [-1.0] * 4) < -0.9
    assert lowest_lead([3.0] * 100) == 0.0
