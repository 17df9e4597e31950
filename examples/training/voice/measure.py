"""How well digits and phrases of a speaker are understood who was not learnt from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from examples.flask_app.digits.alignment import lead, spelled
from examples.flask_app.digits.sound import log_mel
from examples.training.voice.network import STEP, Network
from examples.training.voice.phrases import RATE_HZ, Samples, Speaker, garbled, hum, noise, other_speech, spoken

from facelive.metrics import clopper_pearson

__all__ = ["CONDITIONS", "Heard", "heard", "rate", "rates"]

PHRASES = 100
NOISE_DB = 10.0
CONDITIONS = ("clean", "10 dB")
OTHERS = ("silence", "noise", "hum", "garbled speech", "made-up vowels")
_PAUSES_S = (0.1, 0.5)


class Heard(NamedTuple):
    """What a network heard of one speaker, by condition.

    Args:
        singles: For each recording whether exactly its digit was heard.
        right: The lead of each phrase, asked for as it was said.
        wrong: The lead when one digit of it, drawn at random, was asked for as another.
        others: By what was heard instead of digits, the lead of four random digits.
    """

    singles: dict[str, list[bool]]
    right: dict[str, list[float]]
    wrong: dict[str, list[float]]
    others: dict[str, list[float]]


def heard(network: Network, speaker: Speaker, seed: int, *, phrases: int = PHRASES) -> Heard:
    """Let a network listen to a speaker."""
    random = np.random.default_rng(seed)
    found = Heard({}, {}, {}, {})
    for condition in CONDITIONS:

        def dirty(samples: Samples, condition: str = condition) -> Samples:
            return samples if condition == "clean" else noise(samples, NOISE_DB, speaker, random, colours_alone=True)

        found.singles[condition] = [
            spelled(answers(network, dirty(_surrounded(one)))) == [digit]
            for digit, recordings in enumerate(speaker.digits)
            for one in recordings
        ]
        found.right[condition], found.wrong[condition] = [], []
        for _ in range(phrases):
            said = random.integers(0, 10, 4).tolist()
            asked = list(said)
            asked[random.integers(4)] += int(random.integers(1, 10))
            listened = answers(network, dirty(spoken(speaker, said, random, pauses_s=_PAUSES_S)))
            found.right[condition].append(lead(listened, said))
            found.wrong[condition].append(lead(listened, [digit % 10 for digit in asked]))
    for kind in OTHERS:
        found.others[kind] = [
            lead(answers(network, _other(kind, speaker, random)), random.integers(0, 10, 4).tolist())
            for _ in range(phrases // 5)
        ]
    return found


def answers(network: Network, samples: Samples) -> npt.NDArray[np.float32]:
    """As the app's recogniser gives them: float32, (T, 11), logarithms of probabilities."""
    frames = log_mel(samples, RATE_HZ)
    frames = np.pad(frames, ((0, -len(frames) % STEP), (0, 0)), constant_values=-1.5)
    with torch.no_grad():
        listened: npt.NDArray[np.float32] = network(torch.from_numpy(frames[np.newaxis]))[0].log_softmax(-1).numpy()
    return listened


def rates(of: Sequence[Heard], least_lead: float) -> dict[str, Any]:
    """Counts and rates over some speakers' sounds, with 95 % intervals."""
    found: dict[str, Any] = {}
    for condition in CONDITIONS:
        found[condition] = {
            "single digits understood": rate([one for each in of for one in each.singles[condition]]),
            "right phrases refused": rate([one < least_lead for each in of for one in each.right[condition]]),
            "one digit wrong, accepted": rate([one >= least_lead for each in of for one in each.wrong[condition]]),
        }
    found["accepted instead of digits"] = {
        kind: rate([one >= least_lead for each in of for one in each.others[kind]]) for kind in OTHERS
    }
    return found


def rate(happened: Sequence[bool]) -> dict[str, Any]:
    """How often something happened, with the interval of Clopper and Pearson, which takes trials for independent."""
    count, trials = sum(map(bool, happened)), len(happened)
    low, high = clopper_pearson(count, trials)
    return {"count": count, "of": trials, "rate": round(count / trials, 4), "95": [round(low, 4), round(high, 4)]}


def _surrounded(samples: Samples) -> Samples:
    return np.pad(samples, int(0.4 * RATE_HZ))


def _other(kind: str, speaker: Speaker, random: np.random.Generator) -> Samples:
    """Four seconds without a digit."""
    if kind == "silence":
        return (random.standard_normal(4 * RATE_HZ) * 1e-4).astype(np.float32)
    if kind == "noise":
        return noise(np.full(4 * RATE_HZ, 1e-3, np.float32), -20, speaker, random, colours_alone=True)
    make: Callable[[Speaker, np.random.Generator], Samples] = {
        "hum": hum,
        "garbled speech": garbled,
        "made-up vowels": other_speech,
    }[kind]
    parts = [np.pad(make(speaker, random), int(0.2 * RATE_HZ)) for _ in range(4)]
    return np.concatenate(parts)[: 4 * RATE_HZ]
