"""What a verdict costs here, step by step, each beside the floor it cannot go under, in the same run."""

from __future__ import annotations

import functools
import io
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Callable, Iterator, Optional, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelive.crops import normalize
from facelive.detector import LivenessDetector
from facelive.faces import BundledFaceDetector
from facelive.images import read_image
from facelive.models import LivenessModel
from facelive.results import FaceBox
from facelive.voting import LogAverageVoter

__all__ = ["Timing", "measure", "print_table"]

_Call = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """One line of the table.

    Args:
        step: What was timed.
        ms: Median milliseconds, per picture where the step handles several.
        floor: What it is held against: work that cannot be avoided, timed in turn with it.
        floor_ms: The floor's median milliseconds, per picture.
    """

    step: str
    ms: float
    floor: Optional[str] = None
    floor_ms: Optional[float] = None

    @property
    def ratio(self) -> Optional[float]:
        """How many times the floor the step takes."""
        return None if not self.floor_ms else self.ms / self.floor_ms

    def to_dict(self) -> dict[str, Any]:
        """Every field and the ratio, ready for JSON."""
        return {**asdict(self), "ratio": self.ratio}


def measure(model: LivenessModel, *, repeats: int = 50) -> Iterator[Timing]:
    """Time every step on pictures made here; quiet machines give better numbers, ratios bear noise better.

    Args:
        model: The model to time.
        repeats: Rounds per line; step and floor take turns within a round.

    Yields:
        One ``Timing`` per line of the table, as it is measured.
    """
    vga, full_hd = _picture(640, 480), _picture(1920, 1080)
    jpeg, phone_jpeg = _jpeg(vga), _jpeg(_picture(4000, 3000))
    face = FaceBox(250, 130, 390, 310)
    crop = model.crop(vga, face.edges)
    finder, voter = BundledFaceDetector(), LogAverageVoter()
    detector = LivenessDetector(model, faces=_Found(finder, face))
    line = functools.partial(_line, repeats=repeats)
    invoke = ("bare invoke", _bare_invoke(model, crop[np.newaxis]))
    decode_phone = ("Pillow decode", lambda: _decode(phone_jpeg))

    yield line("decode 640x480 JPEG", lambda: read_image(jpeg), ("Pillow decode", lambda: _decode(jpeg)))
    yield line("decode 12 MP JPEG", lambda: read_image(phone_jpeg, min_side_px=720), decode_phone)
    yield line("find the face in 640x480", lambda: finder.detect(vga))
    yield line("find the face in 1920x1080", lambda: finder.detect(full_hd))
    yield line("crop", lambda: model.crop(vga, face.edges))
    yield line("score a crop", lambda: model.score(crop[np.newaxis]), invoke)
    yield line("vote", lambda: voter.update(0.7))
    yield line("predict 640x480, face given", lambda: detector.predict(vga, face=face), invoke)
    yield line("predict 640x480", lambda: detector.predict(vga), invoke)
    yield line("predict 1920x1080", lambda: detector.predict(full_hd), invoke)
    yield line("predict 640x480 JPEG", lambda: detector.predict(jpeg), invoke)
    yield line("predict 12 MP JPEG", lambda: detector.predict(phone_jpeg), decode_phone)
    for count in (1, 8, 32):
        pictures = [vga] * count
        batch = functools.partial(detector.predict_batch, pictures)
        one_by_one = functools.partial(_each, detector, pictures)
        yield line(f"predict_batch({count}), a picture", batch, ("predict", one_by_one), pictures=count)
    for threads in (1, 2, 4):
        yield _threads(detector, vga, threads, repeats)


def _line(
    step: str, call: _Call, floor: Optional[tuple[str, _Call]] = None, *, repeats: int, pictures: int = 1
) -> Timing:
    name, floor_call = floor or (None, None)
    ms, floor_ms = _in_turn(call, floor_call, max(3, repeats // pictures))
    return Timing(step, ms / pictures, name, floor_ms and floor_ms / pictures)


def _each(detector: LivenessDetector, pictures: Sequence[npt.NDArray[np.uint8]]) -> None:
    for picture in pictures:
        detector.predict(picture)


class _Found:
    """Searches as the bundled detector does, then answers with a face, which a made-up picture lacks."""

    def __init__(self, finder: BundledFaceDetector, face: FaceBox) -> None:
        self._finder, self._face = finder, face

    def detect(self, image: npt.NDArray[np.uint8]) -> Sequence[FaceBox]:
        self._finder.detect(image)
        return [self._face]


def _threads(detector: LivenessDetector, picture: npt.NDArray[np.uint8], threads: int, repeats: int) -> Timing:
    """Time per picture with several threads at it, beside one thread's, a round of each in turn."""

    work = functools.partial(_each, detector)
    share = [picture] * 8
    with ThreadPoolExecutor(threads) as pool:
        ms, alone_ms = _in_turn(
            lambda: list(pool.map(work, [share] * threads)), lambda: work(share), max(3, repeats // len(share))
        )
    return Timing(f"predict, {threads} threads, a picture", ms / (8 * threads), "one thread", (alone_ms or 0) / 8)


def _in_turn(call: _Call, floor: Optional[_Call], repeats: int) -> tuple[float, Optional[float]]:
    """Median milliseconds of a call and of its floor, timed alternately so that both see the same machine."""
    calls = [call] if floor is None else [call, floor]
    times: list[list[float]] = [[] for _ in calls]
    for round_number in range(-2, repeats):  # two rounds to warm up
        for own, one in zip(times, calls):
            start = time.perf_counter()
            one()
            if round_number >= 0:
                own.append((time.perf_counter() - start) * 1000)
    medians = [statistics.median(own) for own in times]
    return medians[0], medians[1] if floor is not None else None


def _bare_invoke(model: LivenessModel, crops: npt.NDArray[np.uint8]) -> _Call:
    """The network alone, input already in place: nothing in Python but the call."""
    run = model.network.interpreter()
    run.set_tensor(run.get_input_details()[0]["index"], normalize(crops, model.card.value_range))
    call: _Call = run.invoke
    return call


def _decode(data: bytes) -> None:
    Image.open(io.BytesIO(data)).convert("RGB").load()


def _jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _picture(width: int, height: int) -> npt.NDArray[np.uint8]:
    """A picture with as much detail as a photograph: soft shapes and some noise."""
    rng = np.random.default_rng(0)
    shapes = Image.fromarray(rng.integers(40, 216, (9, 12, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    noise = rng.integers(-8, 9, (height, width, 1), dtype=np.int16)
    picture: npt.NDArray[np.uint8] = np.clip(np.asarray(shapes, np.int16) + noise, 0, 255).astype(np.uint8)
    return picture


def print_table(timings: Iterator[Timing]) -> None:
    """Print timings as they come."""
    print(f"{'step':<36}{'ms':>9}   {'floor':<16}{'ms':>9}{'ratio':>8}")
    for timing in timings:
        floor = f"   {timing.floor:<16}{timing.floor_ms:9.3f}{timing.ratio:8.2f}" if timing.floor else ""
        print(f"{timing.step:<36}{timing.ms:9.3f}{floor}")
        sys.stdout.flush()
