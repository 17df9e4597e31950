"""Sounds for the tests: made-up ones, and phrases put together from recordings where those are there."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tests.examples.flask_app.scene import ROOT

RECORDINGS = ROOT.parent / "shared" / "data" / "digits"
RATE_HZ = 16_000
SPEAKERS = ("s1", "s2", "s3", "s4", "s5", "s6")

Samples = npt.NDArray[np.float32]


def wav(samples: npt.ArrayLike, *, rate_hz: int = RATE_HZ, channels: int = 1, width: int = 2) -> bytes:
    """A WAV file of samples in [-1, 1]; the same sound in all channels."""
    scaled = np.clip(np.asarray(samples, np.float64), -1, 1) * (2 ** (8 * width - 1) - 1)
    data = np.repeat(scaled.astype(f"<i{width}"), channels).tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate_hz)
        writer.writeframes(data)
    return file.getvalue()


def said(digits: Sequence[int], *, speaker: str = "s1", number: int = 0, pause_s: float = 0.25) -> Samples:
    """A phrase of one speaker, 16 kHz; skips where there are no recordings."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings of spoken digits at {RECORDINGS}")
    parts = [np.zeros(int(0.5 * RATE_HZ))]
    for at, digit in enumerate(digits):
        parts += [_recording(RECORDINGS / f"{digit}_{speaker}_{number + at}.wav"), np.zeros(int(pause_s * RATE_HZ))]
    return np.append(np.concatenate(parts), np.zeros(int(0.5 * RATE_HZ))).astype(np.float32)


def understood(digits: Sequence[int]) -> Samples:
    """A phrase that the app's network understands, of whichever speaker: what is tested with it is all around it."""
    from examples.flask_app.digits.recogniser import Recogniser

    recogniser = Recogniser()
    for number in (0, 4, 8, 12, 16):
        for speaker in SPEAKERS:
            samples = said(digits, speaker=speaker, number=number)
            if recogniser.said(samples, digits):
                return samples
    raise AssertionError(f"nobody's {digits} is understood")


def _recording(path: Path) -> npt.NDArray[np.float64]:
    """One of 8 kHz at 16 kHz, loudest sample 0.7."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    spectrum = np.fft.rfft(samples)
    doubled = np.fft.irfft(np.append(spectrum, np.zeros(len(samples))), 2 * len(samples))
    return np.asarray(0.7 * doubled / np.abs(doubled).max(), np.float64)


def tone(seconds: float = 3.0, hertz: float = 440.0) -> Samples:
    """A whistle."""
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def hiss(seconds: float = 3.0, seed: int = 0) -> Samples:
    """White noise."""
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)


def vowels(count: int = 4, seed: int = 0) -> Samples:
    """A made-up voice: a buzzing throat through three resonances that wander, once for each of ``count`` syllables."""
    random = np.random.default_rng(seed)
    parts = [np.zeros(RATE_HZ // 2)]
    for _ in range(count):
        time_s = np.arange(int(0.4 * RATE_HZ)) / RATE_HZ
        part, pitch_hz = np.zeros(len(time_s)), random.uniform(90, 220)
        starts, ends = random.uniform([300, 900, 2200], [800, 2000, 3000], (2, 3))
        for harmonic in range(1, int(3500 / pitch_hz)):
            places = starts[:, np.newaxis] + (ends - starts)[:, np.newaxis] * time_s / time_s[-1]
            gain = (1 / (1 + ((harmonic * pitch_hz - places) / 80) ** 2)).sum(axis=0)
            part += gain / harmonic * np.sin(2 * np.pi * harmonic * pitch_hz * time_s)
        parts += [0.5 * part / np.abs(part).max() * np.hanning(len(part)), np.zeros(RATE_HZ // 5)]
    return np.concatenate(parts).astype(np.float32)
