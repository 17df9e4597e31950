"""Phrases put together from single digits, by one speaker each, as microphones and rooms make them; and what is none.

Everything in one phrase comes from one speaker, so that leaving a speaker out leaves nothing of them.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "RATE_HZ",
    "Phrase",
    "Speaker",
    "garbled",
    "hum",
    "noise",
    "other_speech",
    "phrase",
    "read",
    "room",
    "spoken",
]

RATE_HZ = 8000
"""Of the recordings; what is above 4 kHz is not listened to."""

Samples = npt.NDArray[np.float32]
Random = np.random.Generator
_SPEED = (0.8, 1.25)


class Speaker(NamedTuple):
    """One speaker's recordings: of each digit, (N,) float32 at 8 kHz, loudest sample 1."""

    name: str
    digits: list[list[Samples]]


class Phrase(NamedTuple):
    """A sound, the digits in it, and where they are.

    Args:
        samples: (N,) float32 at 8 kHz.
        digits: In their order.
        spans: First and last sample of each.
    """

    samples: Samples
    digits: list[int]
    spans: list[tuple[int, int]]


def read(folder: Path) -> list[Speaker]:
    """The recordings ``DIGIT_SPEAKER_NUMBER.wav`` of a folder, by speaker."""
    speakers: dict[str, Speaker] = {}
    for path in sorted(folder.glob("*.wav")):
        digit, name, _ = path.stem.split("_")
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
        samples = samples - samples.mean()
        speaker = speakers.setdefault(name, Speaker(name, [[] for _ in range(10)]))
        speaker.digits[int(digit)].append(samples / max(1e-9, np.abs(samples).max()))
    return list(speakers.values())


def spoken(speaker: Speaker, digits: list[int], random: Random, *, pauses_s: tuple[float, float]) -> Samples:
    """The digits one after the other, with pauses drawn anew; a pause below 0 lets two digits touch."""
    parts = [speaker.digits[digit][random.integers(len(speaker.digits[digit]))] for digit in digits]
    gaps = (random.uniform(*pauses_s, len(parts)) * RATE_HZ).astype(int)
    return _joined([part * random.uniform(0.5, 1) for part in parts], gaps, random)[0]


def phrase(speaker: Speaker, random: Random) -> Phrase:
    """One for training: none to six digits, other sounds in between, at some speed, in a room, with noise."""
    count = 0 if random.random() < 0.12 else int(random.choice([1, 2, 3, 4, 5, 6], p=[0.15, 0.15, 0.2, 0.3, 0.1, 0.1]))
    digits = random.integers(0, 10, count).tolist()
    parts = [speaker.digits[digit][random.integers(len(speaker.digits[digit]))] for digit in digits]
    speed = random.uniform(*_SPEED)  # one voice and one pace for the whole phrase
    parts = [_at_speed(part, speed * random.uniform(0.93, 1.07)) * random.uniform(0.4, 1) for part in parts]
    kinds: list[int | None] = [*digits]
    if not parts or random.random() < 0.3:
        for _ in range(random.integers(1, 4)):
            other = (garbled, other_speech, hum)[random.choice(3, p=[0.55, 0.35, 0.1])]
            at = int(random.integers(len(parts) + 1))
            parts.insert(at, other(speaker, random) * random.uniform(0.2, 1))
            kinds.insert(at, None)
    close = random.random() < 0.5
    gaps = (random.uniform(-0.04 if close else 0.1, 0.12 if close else 0.7, len(parts)) * RATE_HZ).astype(int)
    clean, spans = _joined(parts, gaps, random)
    samples = room(clean, random)
    ratio_db = random.uniform(0, 40)
    if ratio_db < 32:
        samples = noise(samples, ratio_db, speaker, random)
    return Phrase(samples, digits, [span for span, kind in zip(spans, kinds) if kind is not None])


def room(samples: Samples, random: Random) -> Samples:
    """Through some microphone, and in half of the cases with the echo of a room of up to half a second."""
    length = int(random.uniform(0.05, 0.5) * RATE_HZ) if random.random() < 0.5 else 1
    size = _power_of_two(len(samples) + length)
    hertz = np.linspace(0, RATE_HZ / 2, size // 2 + 1)
    corners = random.normal(0, 4, 7).clip(-9, 9)  # bands up to 9 dB louder or quieter
    response = 10 ** (np.interp(hertz, [0, 200, 500, 1000, 2000, 3000, 4000], corners) / 20)
    spectrum = np.fft.rfft(samples, size) * response.astype(np.float32)
    if length > 1:
        echo = random.standard_normal(length, np.float32) * np.float32(10) ** np.linspace(
            0, -3, length, dtype=np.float32
        )
        echo *= np.float32(random.uniform(0.05, 0.8)) / np.linalg.norm(echo)
        echo[0] += 1
        spectrum *= np.fft.rfft(echo, size)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)


def noise(
    samples: Samples, ratio_db: float, speaker: Speaker, random: Random, *, colours_alone: bool = False
) -> Samples:
    """With noise of some colour, hum, or speech turned round: ``ratio_db`` below the sound's louder half."""
    kind = 0 if colours_alone else random.choice(4, p=[0.6, 0.1, 0.2, 0.1])
    if kind == 0:
        size = _power_of_two(len(samples))
        spectrum = random.standard_normal((size // 2 + 1, 2), np.float32).view(np.complex64)[:, 0]
        spectrum *= np.maximum(np.linspace(0, 4000, len(spectrum), dtype=np.float32), 40) ** np.float32(
            -random.uniform(0, 1)
        )
        added = np.fft.irfft(spectrum, size)[: len(samples)]
    elif kind == 1:
        added = np.resize(hum(speaker, random), len(samples))
    else:  # several others talk, or one
        added = np.zeros(len(samples), np.float32)
        for _ in range(int(random.integers(3, 7)) if kind == 2 else 1):
            other = np.concatenate([garbled(speaker, random) for _ in range(3)])
            added += np.roll(np.resize(other, len(samples)), random.integers(len(samples)))
    loud = np.sqrt(np.mean(samples[np.abs(samples) >= np.median(np.abs(samples))] ** 2)) + 1e-9
    added *= loud / (np.sqrt(np.mean(added**2)) + 1e-9) * 10 ** (-ratio_db / 20)
    return (samples + added).astype(np.float32)


def garbled(speaker: Speaker, random: Random) -> Samples:
    """Speech that is no digit: a recording turned round, or cut into pieces of a tenth of a second and shuffled."""
    of = speaker.digits[random.integers(10)]
    samples = _at_speed(of[random.integers(len(of))], random.uniform(*_SPEED))
    if random.random() < 0.5:
        return np.ascontiguousarray(samples[::-1], np.float32)
    pieces = np.array_split(samples, max(4, 10 * len(samples) // RATE_HZ))
    return np.concatenate([_softened(pieces[at]) for at in random.permutation(len(pieces))])


def other_speech(speaker: Speaker | None, random: Random) -> Samples:
    """A made-up voice that says vowels: harmonics of a throat, shaped by formants that wander."""
    length = int(random.uniform(0.15, 0.8) * RATE_HZ)
    at = np.linspace(0, 1, length)
    pitch_hz = random.uniform(85, 260) * (1 + random.uniform(-0.2, 0.2) * at)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    starts, ends = (np.sort(random.uniform([250, 700, 1900, 3000], [850, 2200, 3000, 3900])) for _ in range(2))
    harmonics = np.arange(1, int(3800 / pitch_hz.max()), dtype=np.float32)[:, np.newaxis]
    coarse = slice(None, None, 40)  # formants wander slowly
    formants = starts[:, np.newaxis] + (ends - starts)[:, np.newaxis] * at[coarse]
    gains = sum(1 / (1 + ((harmonics * pitch_hz[coarse] - formant) / 90) ** 2) for formant in formants) / harmonics
    samples = (np.repeat(gains, 40, axis=1)[:, :length] * np.sin(harmonics * phase.astype(np.float32))).sum(axis=0)
    samples *= np.minimum(1, np.minimum(at, 1 - at) * 8)
    return np.asarray(samples / np.abs(samples).max(), np.float32)


def hum(speaker: Speaker | None, random: Random) -> Samples:
    """Tones: mains, a fan, a whistle, a phone's beep."""
    at = np.arange(int(random.uniform(0.2, 1.5) * RATE_HZ)) / RATE_HZ
    first_hz = random.choice([50, 60, 100, 120, random.uniform(150, 3000)])
    tones = [np.sin(2 * np.pi * first_hz * number * at) / number for number in range(1, random.integers(2, 9))]
    samples = np.sum(tones, axis=0)
    return np.asarray(samples / np.abs(samples).max(), np.float32)


def _joined(parts: list[Samples], gaps: npt.NDArray[np.int_], random: Random) -> tuple[Samples, list[tuple[int, int]]]:
    """The sounds one after the other, some silence around them, and where each is."""
    before, after = (random.uniform(0.1, 0.6, 2) * RATE_HZ).astype(int)
    starts, at = [], int(before)
    for part, gap in zip(parts, gaps):
        starts.append(max(0, at))
        at += len(part) + int(gap)
    ends = [start + len(part) for start, part in zip(starts, parts)]
    samples = np.zeros(max([*ends, RATE_HZ]) + int(after), np.float32)
    for start, part in zip(starts, parts):
        samples[start : start + len(part)] += part
    return samples, list(zip(starts, ends))


def _softened(piece: Samples) -> Samples:
    """Without the clicks that a cut makes."""
    ramp = np.minimum(1, np.arange(1, len(piece) + 1, dtype=np.float32) / 40)
    return piece * np.minimum(ramp, ramp[::-1])


def _at_speed(samples: Samples, speed: float) -> Samples:
    """Faster and higher, or slower and lower: another throat."""
    places = np.arange(0, len(samples) - 1, speed)
    return np.asarray(np.interp(places, np.arange(len(samples)), samples), np.float32)


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()
