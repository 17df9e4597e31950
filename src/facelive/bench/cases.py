"""The steps of a verdict, each with the floor it is held against."""

from __future__ import annotations

import copy
import functools
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, Iterator, Optional, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelive.detector import LivenessDetector
from facelive.face_network import BundledFaceDetector
from facelive.images import read_image
from facelive.models import LivenessModel
from facelive.results import FaceBox
from facelive.voting import LogAverageVoter

__all__ = ["Case", "cases", "made_up"]

_Call = Callable[[], object]
_Pixels = npt.NDArray[np.uint8]
_Judge = Callable[[_Pixels], object]


@dataclass(frozen=True)
class Case:
    """A step to time.

    Args:
        step: What it is.
        call: Does it once.
        floor: What it is held against: work that cannot be avoided.
        floor_call: Does that once.
        pictures: How many pictures both handle.
    """

    step: str
    call: _Call
    floor: Optional[str] = None
    floor_call: Optional[_Call] = None
    pictures: int = 1


def made_up(width: int, height: int) -> npt.NDArray[np.uint8]:
    """A picture with as much detail as a photograph: soft shapes and some noise."""
    rng = np.random.default_rng(0)
    shapes = Image.fromarray(rng.integers(40, 216, (9, 12, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    noise = rng.integers(-8, 9, (height, width, 1), dtype=np.int16)
    picture: npt.NDArray[np.uint8] = np.clip(np.asarray(shapes, np.int16) + noise, 0, 255).astype(np.uint8)
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
    face = found[0] if found else FaceBox(250, 130, 390, 310)
    detector = LivenessDetector(model, faces=finder if found else _Found(finder, face))
    on_crops = LivenessDetector(model, faces=None)
    views = model.crops(vga, face.edges)
    invoke = ("bare invoke", _bare_invoke(model, views[np.newaxis]))
    decode, decode_phone = (("Pillow decode", functools.partial(_decode, data)) for data in (jpeg, phone_jpeg))
    search = ("bare invoke", finder._loaded().interpreter().invoke)

    yield Case("decode 640x480 JPEG", lambda: read_image(jpeg), *decode)
    yield Case("decode 12 MP JPEG", lambda: read_image(phone_jpeg, min_side_px=720), *decode_phone)
    yield Case("find the face in 640x480", lambda: finder.detect(vga), *search)
    yield Case("find the face in 1920x1080", lambda: finder.detect(full_hd), *search)
    yield Case("check the face", lambda: detector.quality.check(vga, face))
    yield Case("crop", lambda: model.crops(vga, face.edges))
    for count in (1, 8, 32):
        yield _batch(f"score {count} crop{'s' * (count > 1)}, a crop", model, np.stack([views] * count))
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
    for threads in (1, 2, 4):
        yield _threads("score", model.score, views[np.newaxis], threads)
    for threads in (1, 2, 4):
        yield _threads("predict", detector.predict, vga, threads)


class _Found:
    """Searches as the bundled detector does, then answers with a face, which a made-up picture lacks."""

    def __init__(self, finder: BundledFaceDetector, face: FaceBox) -> None:
        self._finder, self._face = finder, face

    def detect(self, image: _Pixels) -> Sequence[FaceBox]:
        self._finder.detect(image)
        return [self._face]


def _batch(step: str, model: LivenessModel, crops: _Pixels) -> Case:
    # Models of their own: one whose batch size changed in every round would be set up again in every round.
    model, bare = copy.copy(model), copy.copy(model)
    return Case(step, lambda: model.score(crops), "bare invoke", _bare_invoke(bare, crops), len(crops))


def _bare_invoke(model: LivenessModel, crops: _Pixels) -> _Call:
    """The network alone, input already in place: nothing in Python but the call."""
    model.score(crops)  # sets the batch size
    run = model.network.interpreter()
    for tensor, values in zip(model.network.input_details, model.inputs(crops)):
        run.set_tensor(tensor["index"], values)
    call: _Call = run.invoke
    return call


def _threads(step: str, judge: _Judge, pixels: _Pixels, threads: int) -> Case:
    """Pictures handed to several threads at once, beside as many one after the other."""
    each = functools.partial(_each, judge)
    together = functools.partial(_together, ThreadPoolExecutor(threads), each, [[pixels] * 8] * threads)
    alone = functools.partial(each, [pixels] * 8 * threads)
    step = f"{step}, {threads} thread{'s' * (threads > 1)}, a picture"
    return Case(step, together, "one thread", alone, 8 * threads)


def _each(judge: _Judge, pictures: Sequence[_Pixels]) -> None:
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
