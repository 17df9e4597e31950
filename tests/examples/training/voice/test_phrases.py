"""Phrases put together from single digits: what is in them lies where it is said to lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.examples.flask_app.digits import speech

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.training.voice.phrases import RATE_HZ, Speaker, garbled, hum, noise, other_speech, phrase, read, spoken


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Somebody whose digits are whistles, each at a height of its own."""
    at = np.arange(int(0.3 * RATE_HZ)) / RATE_HZ
    tones = [np.sin(2 * np.pi * (300 + 250 * digit) * at).astype(np.float32) for digit in range(10)]
    return Speaker("whistler", [[tone, tone * 0.9] for tone in tones])


def test_recordings_are_sorted_by_speaker_and_digit(tmp_path: Path) -> None:
    for name in ("3_ann_0", "3_ann_1", "4_bob_0"):
        (tmp_path / f"{name}.wav").write_bytes(speech.wav(speech.tone(0.2)[::2], rate_hz=RATE_HZ))
    ann, bob = read(tmp_path)
    assert [(one.name, [len(of) for of in one.digits]) for one in (ann, bob)] == [
        ("ann", [0, 0, 0, 2, 0, 0, 0, 0, 0, 0]),
        ("bob", [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]),
    ]
    assert np.abs(ann.digits[3][0]).max() == pytest.approx(1)


def test_digits_lie_where_they_are_said_to_lie(speaker: Speaker) -> None:
    random, seen = np.random.default_rng(0), set()
    for _ in range(60):
        one = phrase(speaker, random)
        assert one.samples.dtype == np.float32 and np.isfinite(one.samples).all()
        assert len(one.spans) == len(one.digits) <= 6
        assert all(0 <= start < end <= len(one.samples) for start, end in one.spans)
        assert one.spans == sorted(one.spans)
        seen.add(len(one.digits))
    assert seen == set(range(7)), "none, and one to six"


def test_a_phrase_spoken_is_loud_where_its_digits_are_and_quiet_between(speaker: Speaker) -> None:
    samples = spoken(speaker, [1, 2, 3], np.random.default_rng(0), pauses_s=(0.3, 0.3))
    loud = np.flatnonzero(np.convolve(np.abs(samples), np.ones(160) / 160, "same") > 0.1)
    assert (np.diff(loud) > 1000).sum() == 2, "two pauses between three digits"


@pytest.mark.parametrize("ratio_db", [0.0, 10.0, 20.0])
def test_noise_is_as_loud_as_it_is_asked_for(speaker: Speaker, ratio_db: float) -> None:
    random = np.random.default_rng(0)
    samples = np.sin(np.arange(4 * RATE_HZ) / 5).astype(np.float32)
    added = noise(samples, ratio_db, speaker, random, colours_alone=True) - samples
    loud = np.sqrt(np.mean(samples[np.abs(samples) >= np.median(np.abs(samples))] ** 2))
    assert 20 * np.log10(loud / np.sqrt(np.mean(added**2))) == pytest.approx(ratio_db, abs=0.1)


def test_what_is_none_is_sound(speaker: Speaker) -> None:
    random = np.random.default_rng(0)
    for make in (garbled, hum, other_speech):
        for _ in range(10):
            samples = make(speaker, random)
            assert samples.dtype == np.float32 and len(samples) > RATE_HZ / 10
            assert np.isfinite(samples).all() and 0.3 < np.abs(samples).max() <= 1
