"""Train the network of the spoken digits, leave each speaker out in turn, and write the file, its card and the figures.

    python -m examples.training.voice.train

Seven networks, of which six are there to be measured alone: a quarter of an hour on one core.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from examples.flask_app.digits.alignment import NONE
from examples.flask_app.digits.recogniser import NETWORK
from examples.flask_app.digits.sound import BANDS, FRAMES_A_SECOND, log_mel
from examples.training.voice.export import card, tflite
from examples.training.voice.measure import CONDITIONS, heard, rates
from examples.training.voice.network import STEP, Network
from examples.training.voice.phrases import RATE_HZ, Phrase, Speaker, phrase, read
from torch import nn

BATCH = 12
_QUIET = -1.5


class Learnt(NamedTuple):
    """What is kept of a phrase.

    Args:
        frames: Log-mel, (T, 40).
        digits: In their order.
        labels: For each frame the digit whose middle it lies in, or none.
    """

    frames: npt.NDArray[np.float16]
    digits: list[int]
    labels: npt.NDArray[np.int64]


def pool(speaker: Speaker, size: int, seed: int) -> list[Learnt]:
    """So many phrases of one speaker for training."""
    random = np.random.default_rng(seed)
    return [learnt(phrase(speaker, random)) for _ in range(size)]


def learnt(one: Phrase) -> Learnt:
    """A phrase as frames, with its digits in their places."""
    frames = log_mel(one.samples, RATE_HZ).astype(np.float16)
    labels = np.full(len(frames), NONE, np.int64)
    for digit, (start, end) in zip(one.digits, one.spans):
        first, length = start * FRAMES_A_SECOND / RATE_HZ, (end - start) * FRAMES_A_SECOND / RATE_HZ
        labels[int(first + 0.2 * length) : int(first + 0.85 * length)] = digit
    return Learnt(frames, one.digits, labels)


def varied(one: Learnt, random: np.random.Generator) -> Learnt:
    """A longer or shorter throat, another pace, and bands and moments that are masked."""
    bent = np.arange(BANDS) * random.uniform(0.86, 1.16) + random.uniform(-1, 1)
    low = np.clip(np.floor(bent), 0, BANDS - 2).astype(int)
    part = np.clip(bent - low, 0, 1).astype(np.float32)
    times = np.arange(0, len(one.frames) - 0.5, random.uniform(0.85, 1.18)).astype(int)
    seen = one.frames[times].astype(np.float32)
    seen = seen[:, low] * (1 - part) + seen[:, low + 1] * part
    seen += np.float32(random.normal(0, 0.1))
    for _ in range(2):
        at, size = random.integers(BANDS), random.integers(0, 6)
        seen[:, at : at + size] = seen.mean()
        at, size = random.integers(len(seen)), random.integers(0, 6)
        seen[at : at + size] = _QUIET
    return Learnt(seen, one.digits, one.labels[times])


def batch(some: list[Learnt]) -> tuple[torch.Tensor, torch.Tensor]:
    """Phrases side by side, the shorter ones with silence at their end: frames (N, T, 40), and labels (N, T / 4)."""
    longest = -(-max(len(one.frames) for one in some) // STEP) * STEP
    frames = np.full((len(some), longest, BANDS), _QUIET, np.float32)
    labels = np.full((len(some), longest), NONE, np.int64)
    for row, one in enumerate(some):
        frames[row, : len(one.frames)] = one.frames
        labels[row, : len(one.frames)] = one.labels
    return torch.from_numpy(frames), torch.from_numpy(labels[:, ::STEP].copy())


def trained(phrases: list[Learnt], *, steps: int, seed: int, rate: float = 4e-3) -> Network:
    """A network that has learnt from these phrases."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    model = Network()
    weight = torch.tensor([1.0] * NONE + [0.4])
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.15)
    began, losses = time.process_time(), []
    batches: list[npt.NDArray[np.intp]] = []
    for number in range(steps):
        if not batches:  # of like length together: a batch is as long as its longest
            order = np.argsort([len(one.frames) * random.uniform(0.85, 1.15) for one in phrases])
            rows = order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
            batches = list(rows[random.permutation(len(rows))])
        some = [varied(phrases[row], random) for row in batches.pop()]
        frames, labels = batch(some)
        with torch.autocast("cpu", torch.bfloat16):
            answers = model(frames)
        loss = nn.functional.cross_entropy(answers.float().flatten(0, 1), labels.flatten(), weight)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (number + 1) % 100 == 0:
            spent = time.process_time() - began
            print(f"  {number + 1} of {steps} steps: loss {np.mean(losses[-100:]):.3f}, {spent:.0f} s", flush=True)
    model.eval()
    return model


def main() -> None:
    """Train on all speakers but one, for each of them, and measure on that one; then train on all, and export."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/digits"), help="DIGIT_SPEAKER_NUMBER.wav")
    parser.add_argument("--out", type=Path, default=NETWORK, help="the file; its card goes beside it")
    parser.add_argument("--figures", type=Path, default=Path("docs/measured/digits.json"))
    parser.add_argument("--phrases", type=int, default=400, help="of each speaker, to learn from")
    parser.add_argument("--steps", type=int, default=3000, help="of the network that is exported")
    parser.add_argument("--steps-left-out", type=int, default=2000, help="of each that is only measured")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    speakers = read(options.data)
    pools = [pool(speaker, options.phrases, number) for number, speaker in enumerate(speakers)]
    print("learns from all", flush=True)
    content = tflite(trained([one for each in pools for one in each], steps=options.steps, seed=options.seed))
    options.out.write_bytes(content)
    found = {}
    for number, speaker in enumerate(speakers):
        print(f"{speaker.name} is left out", flush=True)
        others = [one for each in pools if each is not pools[number] for one in each]
        network = trained(others, steps=options.steps_left_out, seed=options.seed)
        found[speaker.name] = heard(network, speaker, options.seed)
        print(json.dumps(rates([found[speaker.name]], 0.0)), flush=True)
    least_lead = lowest_lead([lead for each in found.values() for of in CONDITIONS for lead in each.wrong[of]])
    figures = {
        "least_lead": least_lead,
        "all": rates([*found.values()], least_lead),
        "by left-out speaker": {name: rates([each], least_lead) for name, each in found.items()},
    }
    for path, said in ((options.figures, figures), (options.out.with_suffix(".json"), card(content, figures))):
        path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def lowest_lead(wrong: list[float], share: float = 0.03) -> float:
    """The lead above which no more than this share of the phrases with one wrong digit lie; 0 at most."""
    return round(min(0.0, float(np.quantile(wrong, 1 - share))), 2)


if __name__ == "__main__":
    main()
