"""What callers hand in that is no number, no path and no picture, whatever it does when asked; and what they share."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import numpy as np
import pytest
from tests.hostile.pictures import PORTRAIT

from facelive import (
    FaceBox,
    FaceliveError,
    ImageError,
    LivenessDetector,
    LivenessModel,
    LivenessResult,
    LivenessSession,
    LivenessStream,
    LogAverageVoter,
    ModelCard,
    ModelError,
    QualityPolicy,
    SessionClosedError,
    Verdict,
    log_average,
    metrics,
)
from facelive.challenges import HeadTurn, ScreenLight
from facelive.images import Picture, read_image

NETWORKS = Path(__file__).parents[1] / "networks"
FACE = FaceBox(0, 0, 100, 100)


class Hostile:
    """Raises an error of its own, whatever it is asked for."""

    def _raise(self, *_: object) -> Any:
        raise KeyError("mine")

    __fspath__ = __float__ = __index__ = __iter__ = __len__ = __repr__ = __str__ = _raise
    __lt__ = __le__ = __gt__ = __ge__ = _raise
    read = property(_raise)


class Reads:
    """A file of anybody's."""

    def __fspath__(self) -> str:
        raise RuntimeError("a share that is gone")


NO_NUMBERS: List[Any] = [10**400, -(10**400), 10**5000, math.nan, "x", None, [], Decimal("sNaN"), Hostile()]


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    return LivenessDetector("custom", faces=None)


def judged(score: float) -> LivenessResult:
    return LivenessResult(Verdict.of(score, 0.5), score, 0.5, face=FACE)


def judge(image: Any, **_: Any) -> LivenessResult:
    return judged(image)


def new_stream(**options: Any) -> LivenessStream:
    return LivenessStream(judge, LogAverageVoter(5, **options), min_frames=5)


NUMBERS: List[Tuple[str, Callable[[Any], object]]] = [
    ("a session's time", lambda value: LivenessSession(judge).take(_frame(), timestamp_ms=value)),
    ("a stream's time", lambda value: new_stream(max_age_ms=9).vote(judged(0.9), timestamp_ms=value)),
    ("a vote's score", lambda value: LogAverageVoter().update(value)),
    ("a score of an average", lambda value: log_average([value])),
    ("a window", lambda value: LogAverageVoter(value)),
    ("a session's floor", lambda value: LivenessSession(judge, floor=value)),
    ("a session's seconds", lambda value: LivenessSession(judge, seconds=value)),
    ("an edge", lambda value: FaceBox(value, 0, 9, 9)),
    ("a factor", lambda value: FACE.scaled(value)),
    ("a landmark", lambda value: FaceBox(0, 0, 9, 9, 1, ((value, 0),))),
    ("a smallest face", lambda value: QualityPolicy(min_face_px=value)),
    ("a shift", lambda value: HeadTurn(least_shift=value)),
    ("colours", lambda value: ScreenLight(colours=value)),
    ("scores to measure", lambda value: metrics.roc_auc([value], [0.5])),
    ("trials", lambda value: metrics.rule_of_three(value)),
    ("pixels", lambda value: read_image(PORTRAIT, max_pixels=value)),
    ("a card's threshold", lambda value: ModelCard("m", live_class=1, threshold=value)),
    ("a card's name", lambda value: ModelCard("" if value == "x" else value, live_class=1)),
    ("a card's class", lambda value: ModelCard("m", live_class=-1 if isinstance(value, int) else value)),
]


def _frame() -> Any:
    return LivenessSession(judge).look(0.9)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "hand_in"), NUMBERS, ids=[name for name, _ in NUMBERS])
def test_what_is_no_number_is_a_value_error_of_one_line(name: str, hand_in: Callable[[Any], object]) -> None:
    for value in NO_NUMBERS:
        if value is None and name in ("a session's time", "a stream's time"):
            continue  # the machine's own clock
        with pytest.raises(ValueError) as caught:  # ModelError is one
            hand_in(value)
        assert len(str(caught.value)) < 320 and "\n" not in str(caught.value), name


def test_a_threshold_beyond_any_float_is_a_value_error(detector: LivenessDetector) -> None:
    for value in (10**400, math.nan, "x", Hostile()):
        with pytest.raises(ValueError, match="threshold is a P"):
            LivenessDetector(detector.model, threshold=value)  # type: ignore[arg-type]


def test_a_picture_made_by_hand_is_checked() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    for made in (None, "x", [[1]], pixels.astype(float), Hostile()):
        with pytest.raises(ImageError):
            read_image(Picture(made))  # type: ignore[arg-type]
    for scale in (0, -1, 1e-300, 1e300, *NO_NUMBERS):
        with pytest.raises(ImageError, match="scale"):
            read_image(Picture(pixels, scale))
    assert read_image(Picture(pixels, 2)).scale == 2


@pytest.mark.parametrize("image", [Hostile(), Reads()], ids=["everything", "path"])
def test_what_an_object_raises_when_it_is_asked_for_a_picture_is_an_image_error(
    image: Any, detector: LivenessDetector
) -> None:
    for call in (
        detector.predict,
        detector.stream().update,
        detector.session().update,
        lambda one: detector.predict_batch([one]),
    ):
        with pytest.raises(ImageError):
            call(image)
    assert detector.predict_batch([image], on_error="return")[0].error


@pytest.mark.parametrize("model", [Hostile(), Reads()], ids=["everything", "path"])
def test_what_an_object_raises_when_it_is_asked_for_a_model_is_a_model_error(model: Any) -> None:
    for call in (LivenessModel.load, LivenessDetector, ModelCard.from_json):
        with pytest.raises(ModelError):
            call(model)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_is_no_card_and_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.json")
    os.mkfifo(tmp_path / "m.tflite")
    with pytest.raises(ModelError, match="no regular file"):
        ModelCard.from_json(tmp_path / "m.json")
    with pytest.raises(ModelError, match="no regular file"):
        LivenessModel.load(tmp_path / "m.tflite", live_class=1)


def test_a_face_that_never_ends_or_raises_is_no_face(detector: LivenessDetector) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    class Finds:
        def __init__(self, answer: Any) -> None:
            self.answer = answer

        def detect(self, image: object) -> Any:
            return self.answer

    for face in (endless(), Hostile(), [Hostile()] * 4, memoryview(bytes(16)).cast("B", (4, 4))):
        with pytest.raises(ImageError):
            detector.predict(PORTRAIT, face=face)  # type: ignore[arg-type]
        for answer in (face, [face]):
            if face is not answer or not isinstance(face, Iterator):
                with pytest.raises(ModelError):
                    LivenessDetector(detector.model, faces=Finds(answer)).predict(PORTRAIT)


BROKEN = [0, "x", [], {}, None, True, 1e308, math.nan, 10**400, Decimal("sNaN"), np.float32("nan"), Hostile()]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("challenge", [lambda: None, HeadTurn, ScreenLight], ids=["none", "turn", "light"])
def test_a_state_with_anything_anywhere_is_dropped_or_goes_on(
    challenge: Callable[[], Any], detector: LivenessDetector
) -> None:
    fresh = detector.session(challenge=challenge())
    fresh.update(PORTRAIT, timestamp_ms=0)
    state, frame = json.loads(json.dumps(fresh.state)), fresh.look(PORTRAIT)
    for broken in BROKEN:
        for changed in places(state, broken):
            session = detector.session(challenge=challenge(), state=changed)
            for number in range(4):
                try:
                    step = session.take(frame, timestamp_ms=number)
                except (SessionClosedError, ValueError):
                    break
                assert step.decision is None or not step.decision.accepted, changed


def places(value: Any, broken: Any) -> Iterator[Any]:
    """Copies with ``broken`` in one place each, also as all that a list holds."""
    yield broken
    if isinstance(value, dict):
        for key in value:
            for inner in places(value[key], broken):
                yield {**value, key: inner}
            yield {name: one for name, one in value.items() if name != key}
    elif isinstance(value, list):
        yield [broken] * 4
        for number in range(len(value)):
            for inner in places(value[number], broken):
                yield [*value[:number], inner, *value[number + 1 :]]


@pytest.fixture
def impatient() -> Iterator[None]:
    """Threads take turns after microseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    together = threading.Barrier(count)

    def begin(own: int) -> None:
        together.wait()
        work(own)

    threads = [threading.Thread(target=begin, args=(own,)) for own in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("impatient")
def test_a_session_that_threads_share_decides_once() -> None:
    """Nobody should; who does must not get an acceptance beside the refusal."""
    for _ in range(30):
        session, decisions, other = LivenessSession(judge), list[bool](), list[BaseException]()

        def feed(own: int, session: Any = session, decisions: Any = decisions, other: Any = other) -> None:
            for number in range(4):
                try:
                    step = session.update(0.1 if (own + number) % 4 == 0 else 0.9, timestamp_ms=0)
                    decisions += [bool(step.decision)] * (step.decision is not None)
                    json.dumps(session.state)
                except SessionClosedError:
                    pass
                except BaseException as error:
                    other.append(error)

        in_threads(16, feed)
        assert not other
        assert decisions == [bool(session.decision)]


@pytest.mark.usefixtures("impatient")
def test_a_stream_that_threads_share_never_breaks() -> None:
    for _ in range(30):
        stream, other = new_stream(max_age_ms=1e9), list[BaseException]()

        def feed(own: int, stream: Any = stream, other: Any = other) -> None:
            try:
                for _ in range(10):
                    assert stream.update(0.9).vote in (None, pytest.approx(0.9))
                    stream.state  # noqa: B018
            except BaseException as error:
                other.append(error)

        in_threads(16, feed)
        assert not other


def test_sessions_and_streams_are_copied_and_pickled(detector: LivenessDetector) -> None:
    for one in (detector.session(), detector.stream()):
        for again in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            again.update(PORTRAIT)
            assert again.state != one.state


@pytest.mark.parametrize("output", ["probability", "logits"])
def test_what_is_not_finite_in_any_class_is_no_score(output: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A one for live beside a NaN, an infinity or a -5 for the other class is no answer."""
    model = LivenessModel.load(NETWORKS / "two_class.tflite", live_class=1)
    object.__setattr__(model.card, "output", output)
    size = model.card.input_size
    crops = np.zeros((1, size, size, 3), np.uint8)
    for other in (math.nan, math.inf, -math.inf, *([-5.0, 2.0] if output == "probability" else [])):
        answer = np.array([[other, 1.0]], np.float32)
        monkeypatch.setattr(type(model.network), "run", lambda *_, answer=answer, **__: [answer])
        with pytest.raises(FaceliveError, match="gave"):
            model.score(crops)
