"""A sound as a client sends it, and as the network hears it. Nothing here writes or remembers a sound."""

from __future__ import annotations

import io
import wave
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = [
    "BANDS",
    "FRAMES_A_SECOND",
    "LONGEST_S",
    "RATE_HZ",
    "SHORTEST_S",
    "Samples",
    "SilenceError",
    "SoundError",
    "log_mel",
    "read_sound",
]

RATE_HZ = 16_000
SHORTEST_S, LONGEST_S = 1.0, 8.0
BANDS = 40
FRAMES_A_SECOND = 100

_FRAME_S, _BIN_HZ = 0.025, 31.25
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 3800.0  # what a telephone carries, and the recordings that were learnt from
_RANGE = (-1.5, 1.5)
_SPEECH_DB = 25.0  # from the loudest frames down to those that are still speech
_QUIETEST = 1e-3  # of full scale: a microphone's own hiss
_HEADER_BYTES = 4096

Samples = npt.NDArray[np.float32]
Frames = npt.NDArray[np.float32]


class SoundError(ValueError):
    """The sound cannot be listened to; the message is one sentence for the person or the client."""


class SilenceError(SoundError):
    """There is nothing in it."""


def read_sound(content: bytes) -> Samples:
    """The samples of a WAV file.

    Args:
        content: WAV with 16 bits, one channel and 16 kHz, of 1 to 8 s.

    Returns:
        float32, (N,), in [-1, 1).

    Raises:
        SilenceError: Nothing can be heard.
        SoundError: It is something else.
    """
    if len(content) > LONGEST_S * RATE_HZ * 2 + _HEADER_BYTES:
        raise SoundError(f"The sound is too long: send {SHORTEST_S:g} to {LONGEST_S:g} seconds.")
    try:
        with wave.open(io.BytesIO(content)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:
        raise SoundError("The sound is no WAV file that is read here: send 16 bits, one channel, 16 kHz.") from error
    if channels != 1:
        raise SoundError(f"The sound has {channels} channels: send one.")
    if rate != RATE_HZ:
        raise SoundError(f"The sound has {rate} samples a second: send {RATE_HZ}.")
    if width != 2:
        raise SoundError(f"The sound has {8 * width} bits: send 16.")
    samples = np.asarray(np.frombuffer(data, "<i2", count=len(data) // 2) / 2**15, np.float32)
    if not SHORTEST_S * RATE_HZ <= len(samples) <= LONGEST_S * RATE_HZ:
        raise SoundError(
            f"The sound lasts {len(samples) / RATE_HZ:.1f} seconds: send {SHORTEST_S:g} to {LONGEST_S:g} seconds."
        )
    if np.abs(samples - samples.mean()).max() < _QUIETEST:
        raise SilenceError("Nothing was heard: see that the microphone is on, and say the digits again.")
    return samples


def log_mel(samples: Samples, rate_hz: int = RATE_HZ) -> Frames:
    """How loud each band is in each frame, against what it is on average while somebody speaks.

    So neither loudness nor a microphone's or a voice's own colour counts.

    Args:
        samples: float32, (N,), in [-1, 1), of at least 25 ms.
        rate_hz: 16,000, or 8,000, which has all that is listened to.

    Returns:
        float32, (T, 40), one frame for every 10 ms; a twentieth of decibels, in [-1.5, 1.5].
    """
    size, window, filters = _analysis(rate_hz)
    frames = np.lib.stride_tricks.sliding_window_view(samples, len(window))[:: rate_hz // FRAMES_A_SECOND]
    power = np.abs(np.fft.rfft(frames * window, size)) ** 2
    decibels = 10 * np.log10(power.astype(np.float32) @ filters + 1e-9)
    level = decibels.max(axis=1)
    loud = level >= np.percentile(level, 95) - _SPEECH_DB
    return np.asarray(np.clip((decibels - decibels[loud].mean(axis=0)) / 20, *_RANGE), np.float32)


@lru_cache
def _analysis(rate_hz: int) -> tuple[int, Samples, npt.NDArray[np.float32]]:
    """The transform's size, its window, and (size / 2 + 1, 40) overlapping triangles, evenly spaced for the ear."""
    size = int(rate_hz / _BIN_HZ)
    window = np.hanning(int(_FRAME_S * rate_hz)).astype(np.float32)
    window *= 2 / window.sum()
    corners = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), BANDS + 2)
    bins = _mel(np.arange(size // 2 + 1) * _BIN_HZ)[:, np.newaxis]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    return size, window, np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return 1127 * np.log1p(np.asarray(hertz, np.float64) / 700)
