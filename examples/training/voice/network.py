"""The network: log-mel frames in, for every 40 ms ten digits or none out."""

from __future__ import annotations

import torch
from examples.flask_app.digits.alignment import NONE
from examples.flask_app.digits.sound import BANDS
from torch import nn

__all__ = ["STEP", "WIDTH", "Layer", "Network"]

STEP = 4
"""Frames of 10 ms that make one answer."""
WIDTH = 80


class Layer(nn.Module):
    """A convolution over time, normalised, and rectified; with ``skip`` beside what came in.

    Written as one matrix product, which a CPU does several times as fast as PyTorch's convolution of this size.
    """

    def __init__(self, channels: int, size: int, *, stride: int = 1, dilation: int = 1, skip: bool = False) -> None:
        super().__init__()
        self.size, self.stride, self.dilation, self.skip = size, stride, dilation, skip
        self.linear = nn.Linear(size * channels, WIDTH, bias=False)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.drop = nn.Dropout(0.15)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, T, C) to (N, T / stride, WIDTH)."""
        count, length = len(x), x.shape[1]
        edge = self.dilation * (self.size // 2)
        padded = nn.functional.pad(x, (0, 0, edge, edge))
        taps = [padded[:, at * self.dilation :][:, : length : self.stride] for at in range(self.size)]
        y = self.norm(self.linear(torch.cat(taps, dim=-1)).flatten(0, 1))
        y = self.drop(torch.relu(y)).unflatten(0, (count, -1))
        return x + y if self.skip else y


class Network(nn.Module):
    """Log-mel frames, float32 (N, T, 40), in; logits, float32 (N, T / 4, 11), out. It sees 0.8 s around each step."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Layer(BANDS, 9, stride=STEP),
            Layer(WIDTH, 5, skip=True),
            Layer(WIDTH, 5, skip=True),
            Layer(WIDTH, 3, dilation=2, skip=True),
            Layer(WIDTH, 3, dilation=3, skip=True),
        )
        self.answers = nn.Linear(WIDTH, NONE + 1)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """See the class."""
        answers: torch.Tensor = self.answers(self.layers(frames))
        return answers
