"""What a verdict costs here, step by step, each beside the floor it cannot go under, in the same run."""

from __future__ import annotations

import copy
import functools
import io
import math
import pickle
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Literal, NamedTuple, Optional, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelive.detector import LivenessDetector
from facelive.face_network import BundledFaceDetector
from facelive.images import read_image
from facelive.models import LivenessModel
from facelive.results import FaceBox
from facelive.voting import LogAverageVoter

__all__ = ["Case", "Cost", "cases", "measure", "print_table", "time_case"]

_SECONDS = 16.0  # leaves four to load the library, and to measure the memory of two processes
_STATUS = Path("/proc/self/status")
_FACE = FaceBox(250, 130, 390, 310)  # where a made-up picture of 640×480 has none

_Call = Callable[[], object]
_Pixels = npt.NDArray[np.uint8]


class Case(NamedTuple):
    """A step to time: ``call`` does it once, for ``pictures`` of them; ``floor_call`` what cannot be avoided of it."""

    step: str
    call: _Call
    floor: Optional[str] = None
    floor_call: Optional[_Call] = None
    pictures: int = 1


@dataclass(frozen=True)
class Cost:
    """One line of the table.

    Args:
        step: What was measured.
        amount: Median milliseconds, per picture where the step handles several; or megabytes.
        floor: What it is held against: work that cannot be avoided, timed in turn with it.
        floor_amount: The floor's amount, in the same unit.
        unit: Of both amounts.
    """

    step: str
    amount: float
    floor: Optional[str] = None
    floor_amount: Optional[float] = None
    unit: Literal["ms", "mb"] = "ms"

    @property
    def ratio(self) -> Optional[float]:
        """How many times the floor the step takes."""
        return None if not self.floor_amount else self.amount / self.floor_amount

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; the amounts are called by their unit, ``ms`` and ``floor_ms`` for one."""
        floors = {"floor": self.floor, f"floor_{self.unit}": self.floor_amount, "ratio": self.ratio}
        return {"step": self.step, self.unit: self.amount, **floors}


def measure(model: LivenessModel, *, repeats: int = 50, seconds: float = _SECONDS) -> Iterator[Cost]:
    """Time every step on pictures made here; quiet machines give better numbers, ratios bear noise better.

    Args:
        model: The model to time.
        repeats: Rounds per line; step and floor take turns within a round.
        seconds: How long the lines may take together; what is short of it has fewer rounds.

    Yields:
        One ``Cost`` per line of the table, as it is measured; last the resident memory, on Linux.
    """
    began = time.monotonic()
    steps = list(cases(model))
    for done, case in enumerate(steps):
        left = seconds - (time.monotonic() - began)
        yield time_case(case, repeats, seconds=left / (len(steps) - done))
    if _STATUS.exists():
        bare, whole = (_resident_mb(model, what) for what in ("invoke", "verdict"))
        yield Cost("resident after the first verdict", whole, "bare invoke", bare, unit="mb")


def print_table(costs: Iterable[Cost]) -> None:
    """Print costs as they come."""
    print(f"{'step':<36}{'ms':>9}   {'floor':<18}{'ms':>9}{'ratio':>8}")
    for cost in costs:
        unit = " MB" if cost.unit == "mb" else ""
        floor = f"   {cost.floor:<18}{cost.floor_amount:9.3f}{cost.ratio:8.2f}{unit}" if cost.floor else ""
        print(f"{cost.step:<36}{cost.amount:9.3f}{floor}", flush=True)


def time_case(case: Case, repeats: int, *, seconds: float = math.inf) -> Cost:
    """Median milliseconds of a step and of its floor, timed alternately so that both see the same machine.

    Args:
        case: What to time.
        repeats: Rounds, fewer where a round handles many pictures; at least three.
        seconds: After so many no further round begins, but for the first.
    """
    calls = [case.call] if case.floor_call is None else [case.call, case.floor_call]
    times: list[list[float]] = [[] for _ in calls]
    began = time.perf_counter()
    for round_number in range(-2, max(3, repeats // case.pictures)):  # two rounds to warm up
        if round_number >= 1 and time.perf_counter() - began > seconds:
            break
        for own, call in zip(times, calls):
            start = time.perf_counter()
            call()
            if round_number >= 0:
                own.append((time.perf_counter() - start) * 1000 / case.pictures)
    medians = [statistics.median(own) for own in times]
    return Cost(case.step, medians[0], case.floor, medians[1] if case.floor else None)


def made_up(width: int, height: int) -> _Pixels:
    """A picture with as much detail as a photograph: soft shapes and some noise."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(40, 216, (9, 12, 3), dtype=np.uint8))
    shapes = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    picture: _Pixels = (shapes + rng.integers(-8, 9, (height, width, 1), np.int16)).clip(0, 255).astype(np.uint8)
    return picture


def cases(model: LivenessModel, *, draw: Callable[[int, int], _Pixels] = made_up) -> Iterator[Case]:
    """Every step of a verdict, in the order of the table; any of them can be timed alone, on this thread.

    Args:
        model: The model to time.
        draw: Makes a picture of a width and a height in pixels: uint8, (H, W, 3), RGB.
    """
    vga, full_hd, phone = draw(640, 480), draw(1920, 1080), draw(4000, 3000)
    jpeg, phone_jpeg = _jpeg(vga), _jpeg(phone)
    finder, voter = BundledFaceDetector(), LogAverageVoter()
    found = finder.detect(vga)
    face = found[0] if found else _FACE
    detector = LivenessDetector(model, faces=finder if found else _Found(face))
    on_crops = LivenessDetector(model, faces=None)
    views = model.crops(vga, face.edges)
    invoke = ("bare invoke", _bare_invoke(model, views[np.newaxis]))
    decode, decode_phone = (("Pillow decode", functools.partial(_decode, data)) for data in (jpeg, phone_jpeg))
    search = ("bare invoke", finder._loaded().interpreter().invoke)

    yield Case("decode 640x480 JPEG", lambda: read_image(jpeg), *decode)
    yield Case("decode 12 MP JPEG", lambda: read_image(phone_jpeg, min_side_px=360), *decode_phone)
    yield Case("find the face in 640x480", lambda: finder.detect(vga), *search)
    yield Case("find the face in 1920x1080", lambda: finder.detect(full_hd), *search)
    yield Case("check the face", lambda: detector.quality.check(vga, face))
    yield Case("crop", lambda: model.crops(vga, face.edges))
    for count in (1, 8, 32):
        # Models of their own: one whose batch size changed in every round would be set up again in every round.
        own, bare, crops = copy.copy(model), copy.copy(model), np.stack([views] * count)
        score = functools.partial(own.score, crops)
        name = f"score {count} crop{'s' * (count > 1)}, a crop"
        yield Case(name, score, "bare invoke", _bare_invoke(bare, crops), count)
    yield Case("vote", lambda: voter.update(0.7))
    yield Case("predict a face crop", lambda: on_crops.predict(views[0]), *invoke)
    yield Case("predict 640x480, face given", lambda: detector.predict(vga, face=face), *invoke)
    yield Case("predict 640x480", lambda: detector.predict(vga), *invoke)
    yield Case("predict 1920x1080", lambda: detector.predict(full_hd), *invoke)
    yield Case("predict 640x480 JPEG", lambda: detector.predict(jpeg), *invoke)
    yield Case("predict 12 MP JPEG", lambda: detector.predict(phone_jpeg), *decode_phone)
    batches = LivenessDetector(copy.copy(model), faces=detector.faces)
    for count in (1, 8, 32):
        batch = functools.partial(batches.predict_batch, [vga] * count)
        single = functools.partial(_each, detector.predict, [vga] * count)
        yield Case(f"predict_batch({count}), a picture", batch, "predict", single, count)
    for step, judge, pixels in (("score", model.score, views[np.newaxis]), ("predict", detector.predict, vga)):
        for threads in (1, 2, 4):
            each: Callable[[Sequence[_Pixels]], None] = functools.partial(_each, judge)
            together = functools.partial(_together, ThreadPoolExecutor(threads), each, [[pixels] * 8] * threads)
            alone = functools.partial(each, [pixels] * 8 * threads)
            name = f"{step}, {threads} thread{'s' * (threads > 1)}, a picture"
            yield Case(name, together, "one thread", alone, 8 * threads)


class _Found(BundledFaceDetector):
    """Searches as the bundled detector does, then answers with a face, which a made-up picture lacks."""

    __slots__ = ("_face",)

    def __init__(self, face: FaceBox) -> None:
        super().__init__()
        self._face = face

    def detect(self, image: _Pixels) -> list[FaceBox]:
        super().detect(image)
        return [self._face]


def _bare_invoke(model: LivenessModel, crops: _Pixels) -> _Call:
    """The network alone, input already in place: nothing in Python but the call."""
    model.score(crops)  # sets the batch size and leaves the crops in the input
    call: _Call = model.network.interpreter().invoke
    return call


def _each(judge: Callable[[_Pixels], object], pictures: Sequence[_Pixels]) -> None:
    for picture in pictures:
        judge(picture)


def _together(pool: ThreadPoolExecutor, work: Callable[[Sequence[_Pixels]], None], shares: list[list[_Pixels]]) -> None:
    list(pool.map(work, shares))


def _decode(data: bytes) -> None:
    Image.open(io.BytesIO(data)).convert("RGB").load()


def _jpeg(pixels: _Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _resident_mb(model: LivenessModel, what: str) -> float:
    command = [sys.executable, "-c", "from facelive import bench; bench._print_resident()", what]
    return float(subprocess.run(command, input=pickle.dumps(model), capture_output=True, check=True).stdout)


def _print_resident() -> None:
    """In a fresh process: do what the command line says with the model on standard input, then print the megabytes."""
    model: LivenessModel = pickle.load(sys.stdin.buffer)  # from ``_resident_mb``, nobody else
    if sys.argv[1] == "verdict":
        detector, grain = LivenessDetector(model), np.random.default_rng(0).integers(80, 180, (480, 640, 3), np.uint8)
        detector.predict(grain)
        detector.predict(grain, face=_FACE)
    model.network.interpreter().invoke()
    status = _STATUS.read_text(encoding="ascii")
    print(int(status.partition("VmRSS:")[2].split()[0]) / 1024)
