"""The wiring, on a tiny real network that scores a face by its brightness."""

from __future__ import annotations

import io
import math
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from tests.scene import ELSEWHERE, FACE, BoxInMind, brightness, frame

from facelive import (
    FaceBox,
    ImageError,
    LivenessDetector,
    ModelError,
    QualityPolicy,
    Reason,
    Verdict,
)
from facelive.faces import BundledFaceDetector

PORTRAIT = Path(__file__).parents[1] / "examples" / "portrait.jpg"


class Watched(BundledFaceDetector):
    """The bundled face detector, and the heights of the pictures it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.heights: list[int] = []

    def detect(self, image: npt.NDArray[np.uint8]) -> list[FaceBox]:
        self.heights.append(image.shape[0])
        return super().detect(image)


def photo(side: int) -> bytes:
    """The portrait, ``side`` pixels high, in a JPEG of 12 megapixels."""
    picture = Image.new("RGB", (4000, 3000), (120, 120, 120))
    picture.paste(Image.open(PORTRAIT).convert("RGB").resize((side, side)), (0, -side // 40))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture
def detector() -> LivenessDetector:
    return LivenessDetector(brightness(), faces=BoxInMind())


class TestPredict:
    def test_the_score_decides(self, detector: LivenessDetector) -> None:
        live, spoof = detector.predict(frame(0.7)), detector.predict(frame(0.3))
        assert (live.verdict, spoof.verdict) == (Verdict.LIVE, Verdict.SPOOF)
        assert [live.score, spoof.score] == pytest.approx([0.7, 0.3], abs=0.01)
        assert (live.vote, live.frames, live.reason, live.face) == (None, 0, None, FACE)

    def test_a_score_on_the_threshold_is_live(self, detector: LivenessDetector) -> None:
        score = detector.predict(frame(0.5)).score
        assert score is not None
        assert LivenessDetector(brightness(), faces=BoxInMind(), threshold=score).predict(frame(0.5)).is_live
        above = float(np.nextafter(score, 1))
        assert not LivenessDetector(brightness(), faces=BoxInMind(), threshold=above).predict(frame(0.5)).is_live

    def test_no_face_is_an_answer_and_no_accept(self) -> None:
        result = LivenessDetector(brightness(), faces=BoxInMind(()), threshold=0).predict(frame(0.9))
        assert (result.verdict, result.reason, result.score, result.face) == (
            Verdict.REJECTED,
            Reason.NO_FACE,
            None,
            None,
        )

    def test_a_dark_face_is_rejected_with_its_face(self, detector: LivenessDetector) -> None:
        result = detector.predict(np.zeros((480, 640, 3), np.uint8))
        assert (result.verdict, result.reason, result.face) == (Verdict.REJECTED, Reason.TOO_DARK, FACE)

    def test_a_callers_face_is_honoured(self) -> None:
        image = frame(0.2)
        image[240:, 320:] = frame(0.8)[240:, 320:]
        detector = LivenessDetector(brightness(), faces=BoxInMind(()))
        result = detector.predict(image, face=FaceBox(440, 320, 520, 400))
        assert result.score == pytest.approx(0.8, abs=0.01)

    @pytest.mark.parametrize("face", [FaceBox(640, 0, 700, 50), FaceBox(0, -50, 50, 0)])
    def test_a_callers_face_outside_the_picture(self, detector: LivenessDetector, face: FaceBox) -> None:
        with pytest.raises(ImageError, match="outside the 640x480 picture"):
            detector.predict(frame(0.5), face=face)

    def test_without_a_face_detector_the_picture_is_the_crop(self) -> None:
        image = frame(0.2)[:480, :480]
        image[:16] = image[-16:] = frame(0.9)[:16, :480]
        result = LivenessDetector(brightness(), faces=None).predict(image)
        assert result.score == pytest.approx(image.mean() / 255, abs=0.01)
        assert result.face is not None and result.face.edges == (80, 80, 400, 400)

    def test_a_large_jpeg_answers_in_its_own_pixels(self, detector: LivenessDetector, tmp_path: Path) -> None:
        file = tmp_path / "large.jpg"
        Image.fromarray(frame(0.7)).resize((4000, 3000)).save(file)
        result = detector.predict(file)
        assert result.is_live
        assert result.face is not None and result.face.edges == FACE.scaled(4).edges

    @pytest.mark.parametrize("image", [b"", "no/such/file.jpg", np.zeros((4, 4))])
    def test_what_is_no_picture_raises(self, detector: LivenessDetector, image: Any) -> None:
        with pytest.raises(ImageError):
            detector.predict(image)

    def test_a_single_pixel_is_rejected(self) -> None:
        result = LivenessDetector(brightness(), faces=None).predict(np.full((1, 1, 3), 128, np.uint8))
        assert (result.verdict, result.reason) == (Verdict.REJECTED, Reason.FACE_TOO_SMALL)


class TestPredictBatch:
    def test_equals_the_pictures_alone(self, detector: LivenessDetector) -> None:
        images = [frame(0.7), np.zeros((480, 640, 3), np.uint8), frame(0.3), frame(0.5)]
        batch = detector.predict_batch(images)
        assert [result.verdict for result in batch] == [detector.predict(image).verdict for image in images]
        assert [result.score for result in batch if result.score is not None] == pytest.approx(
            [0.7, 0.3, 0.5], abs=0.01
        )

    def test_an_empty_batch_is_an_empty_list(self, detector: LivenessDetector) -> None:
        assert detector.predict_batch([]) == []

    def test_each_picture_may_bring_its_face(self, detector: LivenessDetector) -> None:
        results = detector.predict_batch([frame(0.7), frame(0.7)], faces=[None, ELSEWHERE])
        assert [result.face for result in results] == [FACE, ELSEWHERE]

    def test_faces_and_pictures_must_pair_up(self, detector: LivenessDetector) -> None:
        with pytest.raises(ValueError, match="2 pictures came with 1 faces"):
            detector.predict_batch([frame(0.7), frame(0.7)], faces=[FACE])


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {"threshold": -0.1},
            {"threshold": 1.1},
            {"threshold": float("nan")},
            {"window": 0},
            {"window": 2.5},
            {"window": math.inf},
            {"min_frames": 0},
            {"min_frames": 6},
        ],
    )
    def test_out_of_range(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="must|is a"):
            LivenessDetector(brightness(), **options)

    def test_the_card_sets_the_threshold(self) -> None:
        assert LivenessDetector(brightness(threshold=0.3)).threshold == 0.3


class TestSharing:
    def test_threads_share_a_detector(self, detector: LivenessDetector) -> None:
        wrong: list[Any] = []

        def work(seed: int) -> None:
            for score in np.random.default_rng(seed).uniform(0.2, 0.8, 20):
                result = detector.predict(frame(score))
                if result.score is None or abs(result.score - score) > 0.01:
                    wrong.append((score, result))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_it_pickles_small_and_judges_alike(self, detector: LivenessDetector) -> None:
        data = pickle.dumps(detector)
        assert len(data) < 4000
        copy = pickle.loads(data)
        assert copy.predict(frame(0.7)) == detector.predict(frame(0.7))

    def test_a_closed_detector_says_so(self, detector: LivenessDetector) -> None:
        detector.close()
        with pytest.raises(ModelError, match="closed"):
            detector.predict(frame(0.5))


def test_a_policy_may_be_stricter() -> None:
    detector = LivenessDetector(brightness(), faces=BoxInMind(), quality=QualityPolicy(min_face_px=300))
    assert detector.predict(frame(0.9)).reason is Reason.FACE_TOO_SMALL


def test_a_policy_may_refuse_company() -> None:
    crowd = BoxInMind((FACE, ELSEWHERE))
    alone = QualityPolicy(multiple_faces="reject")
    assert LivenessDetector(brightness(), faces=crowd).predict(frame(0.9)).is_live
    assert (
        LivenessDetector(brightness(), faces=crowd, quality=alone).predict(frame(0.9)).reason is Reason.MULTIPLE_FACES
    )
    assert LivenessDetector(brightness(), faces=BoxInMind(), quality=alone).predict(frame(0.9)).is_live


@pytest.mark.parametrize(
    "one",
    [
        "face.jpg",
        Path("face.jpg"),
        b"\xff\xd8",
        io.BytesIO(b"\xff\xd8"),
        Image.new("RGB", (64, 48)),
        np.zeros((48, 64, 3), np.uint8),
    ],
)
def test_a_single_picture_is_no_batch(detector: LivenessDetector, one: Any) -> None:
    with pytest.raises(ValueError, match="hand a single one to predict"):
        detector.predict_batch(one)


def test_a_batch_may_be_an_array_of_pictures_or_paths(detector: LivenessDetector, tmp_path: Path) -> None:
    Image.fromarray(frame(0.7)).save(tmp_path / "frame.png")
    for batch in (np.stack([frame(0.7)] * 2), np.array([str(tmp_path / "frame.png")] * 2)):
        assert [result.score for result in detector.predict_batch(batch)] == pytest.approx([0.7, 0.7], abs=0.01)


def test_frames_may_be_counted_by_numpy() -> None:
    counted: Any = {"window": np.int64(3), "min_frames": np.int64(2)}
    assert type(LivenessDetector(brightness(), **counted).window) is int


class TestBoxesOfOnesOwn:
    @pytest.mark.parametrize("face", [FACE.edges, list(FACE.edges), np.array(FACE.edges), (*FACE.edges, 0.9)])
    def test_a_face_may_be_four_numbers(self, detector: LivenessDetector, face: Any) -> None:
        assert detector.predict(frame(0.7), face=face).score == detector.predict(frame(0.7), face=FACE).score

    @pytest.mark.parametrize("face", [(1, 2, 3), "face", 7, {"x": 1}, (0, 0, 10**400, 9), (9, 9, 1, 1), [0] * 15])
    def test_what_is_no_box_gets_a_sentence(self, detector: LivenessDetector, face: Any) -> None:
        with pytest.raises(ImageError, match="a face is a FaceBox or") as refused:
            detector.predict(frame(0.7), face=face)
        assert len(str(refused.value)) < 400

    @pytest.mark.parametrize("rows", [[FACE.edges], np.array([FACE.edges]), np.array([(*FACE.edges, 0.8)])])
    def test_a_face_detector_may_answer_with_rows(self, rows: Any) -> None:
        result = LivenessDetector(brightness(), faces=BoxInMind(rows)).predict(frame(0.7))
        assert result.face is not None and result.face.edges == FACE.edges

    @pytest.mark.parametrize("answer", [None, 7, [(1, 2)], np.zeros((1, 15)), "face"])
    def test_another_answer_gets_a_sentence(self, answer: Any) -> None:
        with pytest.raises(ModelError, match=r"BoxInMind.detect\(\) answered with"):
            LivenessDetector(brightness(), faces=BoxInMind(answer)).predict(frame(0.7))

    @pytest.mark.parametrize("faces", ["auto", 3, BoxInMind])
    def test_faces_that_find_nothing_are_refused_at_once(self, faces: Any) -> None:
        with pytest.raises(ModelError, match="an object with a detect"):
            LivenessDetector(brightness(), faces=faces)


class TestBatchesThatFail:
    def test_the_picture_is_named_by_number_and_path(self, detector: LivenessDetector, tmp_path: Path) -> None:
        (tmp_path / "bad.jpg").write_bytes(b"bad")
        with pytest.raises(ImageError, match=r"^picture 1 \('.*bad\.jpg'\): "):
            detector.predict_batch([frame(0.7), tmp_path / "bad.jpg"])
        with pytest.raises(ImageError, match="^picture 1: "):
            detector.predict_batch([frame(0.7), b"bad"])

    def test_errors_may_take_their_place_and_are_never_live(self, detector: LivenessDetector) -> None:
        good, bad = detector.predict_batch([frame(0.7), b"bad"], on_error="return")
        assert good and not bad and (bad.verdict, bad.reason) == (Verdict.REJECTED, Reason.UNREADABLE)
        assert bad.error and bad.to_dict()["error"] == bad.error

    def test_a_generator_is_read_as_it_goes(self, detector: LivenessDetector) -> None:
        results = detector.predict_batch((frame(0.7) for _ in range(70)), faces=(None for _ in range(70)))  # type: ignore[arg-type]
        assert len(results) == 70 and all(results)
        with pytest.raises(ValueError, match="came without a face"):
            detector.predict_batch((frame(0.7) for _ in range(2)), faces=iter([FACE]))  # type: ignore[arg-type]

    def test_progress_shows_on_standard_error(
        self, detector: LivenessDetector, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pytest.importorskip("tqdm", reason="tqdm is not installed")
        detector.predict_batch([frame(0.7)] * 2, progress=True)
        assert "2/2" in capsys.readouterr().err


def test_a_stream_accepts_nobody_before_its_window_unless_asked_to(detector: LivenessDetector) -> None:
    stream = detector.stream()
    results = [stream.update(frame(0.9)) for _ in range(5)]
    assert [bool(result) for result in results] == [False] * 4 + [True]
    assert results[0].reason is Reason.TOO_FEW_FRAMES
    assert LivenessDetector(brightness(), faces=BoxInMind(), min_frames=1).stream().update(frame(0.9))


def test_colour_order_is_that_of_the_array(detector: LivenessDetector) -> None:
    red = np.zeros((480, 640, 3), np.uint8)
    red[..., 0] = 200
    detector = LivenessDetector(faces=BoxInMind(), quality=QualityPolicy(min_sharpness=0.02))
    noisy = np.clip(red.astype(int) + np.random.default_rng(0).integers(0, 50, red.shape), 0, 255).astype(np.uint8)
    assert detector.predict(noisy).score == detector.predict(noisy[..., ::-1], order="BGR").score
    assert detector.stream(order="BGR").update(noisy[..., ::-1]).score == detector.predict(noisy).score


def test_a_detector_is_closed_by_with_and_its_attributes_are_fixed() -> None:
    with LivenessDetector(brightness()) as detector:
        assert "sigmoid" in repr(detector) and "threshold=0.5" in repr(detector) and "runtime=" in repr(detector)
        for name in ("treshold", "threshold"):
            with pytest.raises(AttributeError):
                setattr(detector, name, 0.9)
    with pytest.raises(ModelError, match="closed"):
        detector.predict(frame(0.5), face=FACE)


def test_a_path_may_come_with_its_live_class() -> None:
    path = Path(__file__).parent / "networks" / "sigmoid.tflite"
    detector = LivenessDetector(path, live_class=1, value_range=(0, 1), faces=BoxInMind())
    assert detector.predict(frame(0.7)).score == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize(("side", "heights"), [(4000, [375]), (1500, [375, 750])], ids=["near", "far"])
def test_a_large_photo_is_decoded_finer_only_where_its_face_is_small(side: int, heights: list[int]) -> None:
    data, finder = photo(side), Watched()
    result = LivenessDetector(faces=finder).predict(io.BytesIO(data))
    whole = LivenessDetector().predict(np.asarray(Image.open(io.BytesIO(data))))
    assert finder.heights == heights
    assert result.face is not None and whole.face is not None
    assert result.face.overlap(whole.face) > 0.9
    assert result.score == pytest.approx(whole.score, abs=0.1)


def test_another_face_detector_sees_large_photos_as_fine_as_ever() -> None:
    shapes = []

    class Own:
        def detect(self, image: npt.NDArray[np.uint8]) -> list[FaceBox]:
            shapes.append(image.shape[:2])
            return []

    assert LivenessDetector(brightness(), faces=Own()).predict(photo(1500)).reason is Reason.NO_FACE
    assert shapes == [(750, 1000)]
