"""Whether given digits were said: one small TFLite network, on the runtime that facelive has installed already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from examples.flask_app.digits.alignment import lead, spelled
from examples.flask_app.digits.sound import BANDS, FRAMES_A_SECOND, LONGEST_S, Samples, log_mel

from facelive.tflite import load_network

__all__ = ["NETWORK", "Recogniser", "padded"]

NETWORK = Path(__file__).with_name("digits.tflite")
FRAMES = int(LONGEST_S * FRAMES_A_SECOND)
_STEP = 4  # frames to one answer
_SILENT = -1.5


class Recogniser:
    """Listens for digits; threads may share one.

    Args:
        network: The file, with its card beside it: its hash, and the least lead that counts as said.

    Raises:
        ModelError: The file cannot be run.
        OSError: The file or its card is not there.
    """

    def __init__(self, network: Path = NETWORK) -> None:
        content = network.read_bytes()
        card = json.loads(network.with_suffix(".json").read_text(encoding="utf-8"))
        known = hashlib.sha256(content).hexdigest() == card["sha256"]
        self._network = load_network(content, name=network.name, known=known)
        self._least_lead = float(card["least_lead"])

    def answers(self, samples: Samples) -> npt.NDArray[np.float32]:
        """For every 40 ms how likely each digit and none are: float32, (T, 11), logarithms.

        Args:
            samples: float32, (N,), in [-1, 1), 16 kHz, at most 8 s.
        """
        frames = log_mel(samples)
        (logits,) = self._network.run(padded(frames)[np.newaxis])
        heard = logits[0, : -(-len(frames) // _STEP)]
        heard = heard - heard.max(axis=1, keepdims=True)
        return np.asarray(heard - np.log(np.exp(heard).sum(axis=1, keepdims=True)), np.float32)

    def heard(self, samples: Samples) -> list[int]:
        """The digits that were said, as far as they can be told."""
        return spelled(self.answers(samples))

    def said(self, samples: Samples, digits: Sequence[int]) -> bool:
        """Whether these digits were said, in this order, and no other one."""
        return lead(self.answers(samples), digits) >= self._least_lead


def padded(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Frames with silence at their end: float32, (800, 40)."""
    whole = np.full((FRAMES, BANDS), _SILENT, np.float32)
    whole[: len(frames)] = frames[:FRAMES]
    return whole
