"""What is taken for a sound, and how it is heard."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from tests.examples.flask_app.digits import speech

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app.digits.sound import BANDS, SilenceError, SoundError, log_mel, read_sound
from PIL import Image


def test_a_sound_is_read_as_it_was_written() -> None:
    samples = read_sound(speech.wav(speech.tone()))
    assert samples.dtype == np.float32
    assert samples == pytest.approx(speech.tone(), abs=1e-4)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    return file.getvalue()


TONE = speech.tone()
FLOATS = speech.wav(TONE)[:20] + struct.pack("<H", 3) + speech.wav(TONE)[22:]  # says it holds floats
REFUSED = {
    "stereo": (speech.wav(TONE, channels=2), "The sound has 2 channels: send one."),
    "8 kHz": (speech.wav(TONE[::2], rate_hz=8000), "The sound has 8000 samples a second: send 16000."),
    "48 kHz": (speech.wav(TONE, rate_hz=48_000), "The sound has 48000 samples a second: send 16000."),
    "32 bits": (speech.wav(TONE, width=4), "The sound has 32 bits: send 16."),
    "too short": (speech.wav(TONE[:8000]), "The sound lasts 0.5 seconds: send 1 to 8 seconds."),
    "too long": (speech.wav(speech.tone(8.1)), "The sound lasts 8.1 seconds: send 1 to 8 seconds."),
    "a megabyte of zeros": (bytes(2**20), "The sound is too long: send 1 to 8 seconds."),
    "zeros": (bytes(64_000), "The sound is no WAV file that is read here: send 16 bits, one channel, 16 kHz."),
    "floats": (FLOATS, "The sound is no WAV file that is read here: send 16 bits, one channel, 16 kHz."),
    "Ogg": (
        b"OggS\0\2" + bytes(5000),
        "The sound is no WAV file that is read here: send 16 bits, one channel, 16 kHz.",
    ),
    "a picture": (picture(), "The sound is no WAV file that is read here: send 16 bits, one channel, 16 kHz."),
    "nothing": (b"", "The sound is no WAV file that is read here: send 16 bits, one channel, 16 kHz."),
    "a header alone": (speech.wav([]), "The sound lasts 0.0 seconds: send 1 to 8 seconds."),
}
"""What is no sound to listen to, and the one sentence for it."""
SILENT = {
    "silence": np.zeros(48_000),
    "a constant": np.full(48_000, 0.4),
    "a microphone that is off": np.random.default_rng(0).normal(0, 1e-4, 48_000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_is_refused_in_a_sentence(name: str) -> None:
    content, sentence = REFUSED[name]
    with pytest.raises(SoundError) as refused:
        read_sound(content)
    assert str(refused.value) == sentence
    assert not isinstance(refused.value, SilenceError)


@pytest.mark.parametrize("name", SILENT)
def test_silence_is_told_from_faults(name: str) -> None:
    with pytest.raises(SilenceError, match=r"Nothing was heard: see that the microphone is on"):
        read_sound(speech.wav(SILENT[name]))


def test_a_sound_cut_short_or_with_lies_in_its_header_is_no_crash() -> None:
    whole = speech.wav(TONE)
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole[: random.integers(1, len(whole))] if random.random() < 0.5 else whole)
        for at in random.integers(0, min(len(damaged), 60), 3):
            damaged[at] = random.integers(256)
        try:
            assert read_sound(bytes(damaged)).ndim == 1
        except SoundError as error:
            assert "\n" not in str(error)


def test_frames_tell_what_was_said_and_not_how_loudly_or_at_which_rate() -> None:
    sound = speech.vowels()
    noisy = (sound + 0.1 * speech.hiss(len(sound) / speech.RATE_HZ)).astype(np.float32)
    frames = log_mel(noisy)
    assert frames.shape == (1 + (len(noisy) - 400) // 160, BANDS)
    assert frames.dtype == np.float32
    assert np.abs(frames).max() <= 1.5
    assert np.abs(log_mel(np.float32(0.3) * noisy) - frames).max() < 0.02
    whole = log_mel(sound)
    at_half = log_mel(np.ascontiguousarray(sound[::2]), 8000)  # the made-up voice has nothing above 4 kHz
    both = min(len(whole), len(at_half))
    assert np.median(np.abs(at_half[:both] - whole[:both])[whole[:both] > 0]) < 0.03
