"""The whole story of a frame: picture, face, quality, crop, score, verdict. ``streams`` adds the vote."""

from __future__ import annotations

import os
from typing import Any, Iterable, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from facelive.challenges import Challenge
from facelive.errors import ImageError
from facelive.faces import BundledFaceDetector, FaceDetector, choose_face
from facelive.images import ImageLike, is_single, read_image
from facelive.models import LivenessModel
from facelive.quality import QualityPolicy
from facelive.results import FaceBox, LivenessResult, Reason, Verdict
from facelive.session_results import SessionState
from facelive.sessions import LivenessSession
from facelive.streams import LivenessStream, StreamState
from facelive.voting import LogAverageVoter

__all__ = ["BUNDLED", "LivenessDetector"]

BUNDLED = BundledFaceDetector()
"""The face detector that comes with the library; it loads its network at the first frame."""

_MIN_SIDE_PX = 720
"""Large JPEGs keep this much of their shorter side: a face of 12 % of it still fills the model's input."""

_Judged = Tuple[Optional[FaceBox], Union[npt.NDArray[np.uint8], Reason]]


class LivenessDetector:
    """Tells a live face from a picture of one.

    Threads may share a detector for ``predict`` and ``predict_batch``; for frames that belong together give each
    client its own ``stream()``. It pickles small: another process rebuilds it from its model.

    Args:
        model: ``"default"``, another bundled name, the path of your own ``.tflite``, or a ``LivenessModel``.
        threshold: Scores from here up are live, in [0, 1]; the model card's operating point unless given.
        window: How many frames vote on a stream.
        min_frames: A stream accepts nobody on fewer frames than this, at most ``window``.
        faces: Finds faces; ``None`` takes every picture as a face crop that is already made.
        quality: Which faces can be judged at all.
        num_threads: Threads inside one call of a model named here; a ``LivenessModel`` and ``faces`` bring their own.

    Raises:
        ModelError: The model cannot be loaded.
        RuntimeUnavailableError: No TFLite runtime works here.
        ValueError: ``threshold``, ``window`` or ``min_frames`` is out of range.

    Example:
        >>> detector = LivenessDetector()
        >>> detector.predict(np.zeros((480, 640, 3), np.uint8)).reason.value
        'no_face'
    """

    def __init__(
        self,
        model: Union[str, os.PathLike[str], LivenessModel] = "default",
        *,
        threshold: Optional[float] = None,
        window: int = 5,
        min_frames: int = 1,
        faces: Optional[FaceDetector] = BUNDLED,
        quality: QualityPolicy = QualityPolicy(),  # noqa: B008  frozen
        num_threads: int = 1,
    ) -> None:
        self.model = model if isinstance(model, LivenessModel) else LivenessModel.load(model, num_threads=num_threads)
        self.threshold = float(self.model.card.threshold if threshold is None else threshold)
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is a P(bona fide) in [0, 1], not {threshold}")
        self.window = LogAverageVoter(window).window
        if not 1 <= min_frames <= self.window:
            raise ValueError(f"min_frames must lie between 1 and window ({window}), not {min_frames}")
        self.min_frames = min_frames
        self.faces = faces
        self.quality = quality
        self._own_stream: Optional[LivenessStream] = None

    def predict(self, image: ImageLike, *, face: Optional[FaceBox] = None) -> LivenessResult:
        """Judge one picture on its own; changes nothing, threads may share it.

        Args:
            image: A path, bytes, binary file, data URL, Pillow image or uint8 RGB array.
            face: Where the face is, in pixels of the upright picture; found unless given.

        Returns:
            LIVE or SPOOF with its score, or REJECTED with the reason.

        Raises:
            ImageError: The picture cannot be read, or ``face`` lies outside it.
        """
        return self.predict_batch([image], faces=[face])[0]

    def predict_batch(
        self, images: Iterable[ImageLike], *, faces: Optional[Sequence[Optional[FaceBox]]] = None
    ) -> list[LivenessResult]:
        """Judge pictures that have nothing to do with each other, with one call of the network.

        Args:
            images: As in ``predict``; an empty batch gives an empty list.
            faces: One box or ``None`` per picture.

        Returns:
            One result per picture, in order.

        Raises:
            ImageError: A picture cannot be read, or its face lies outside it.
            ValueError: ``faces`` and ``images`` differ in length, or ``images`` is a single picture.
        """
        if is_single(images):
            raise ValueError("predict_batch takes a list of pictures; hand a single one to predict")
        images = list(images)
        faces = [None] * len(images) if faces is None else faces
        if len(faces) != len(images):
            raise ValueError(f"{len(images)} pictures came with {len(faces)} faces: give one box or None per picture")
        judged = [self._judge(image, face) for image, face in zip(images, faces)]
        crops = [crop for _, crop in judged if not isinstance(crop, Reason)]
        scores = iter(self.model.score(np.stack(crops)).tolist() if crops else ())
        return [
            self._rejection(face, crop) if isinstance(crop, Reason) else self._verdict(face, next(scores))
            for face, crop in judged
        ]

    def stream(self, *, max_age_ms: Optional[float] = None, state: Optional[StreamState] = None) -> LivenessStream:
        """A fresh vote over the frames of one client, on the same model.

        Args:
            max_age_ms: Scores older than this no longer vote; ``None`` lets the last ``window`` vote, however old.
            state: Another stream's ``state``, to go on where it stopped, on another machine for one.

        Raises:
            ValueError: ``max_age_ms`` or ``state`` is out of range.
        """
        voter = LogAverageVoter(self.window, max_age_ms=max_age_ms)
        stream = LivenessStream(self.predict, voter, min_frames=self.min_frames)
        if state is not None:
            stream.restore(state)
        return stream

    def session(
        self,
        *,
        challenge: Optional[Challenge] = None,
        floor: float = 0.3,
        seconds: float = 15,
        state: Optional[SessionState] = None,
    ) -> LivenessSession:
        """A fresh visit that ends in one decision, on the same model and with the detector's window.

        Args:
            challenge: What the person is asked to do besides, from ``facelive.challenges``; fresh for each session.
            floor: No frame may score below this, in [0, 1].
            seconds: The visit must end within this time of its first frame.
            state: Another session's ``state``, to go on where it stopped; one that does not fit is dropped.

        Raises:
            ValueError: ``floor`` or ``seconds`` is out of range.
        """
        return LivenessSession(
            self.predict, window=self.window, floor=floor, seconds=seconds, challenge=challenge, state=state
        )

    def update(self, image: ImageLike, *, face: Optional[FaceBox] = None) -> LivenessResult:
        """Judge the next frame on the detector's own stream: for one camera and one thread; see ``LivenessStream``."""
        if self._own_stream is None:
            self._own_stream = self.stream()
        return self._own_stream.update(image, face=face)

    def reset(self) -> None:
        """Forget the votes of the detector's own stream."""
        self._own_stream = None

    def close(self) -> None:
        """Release the model's interpreters in all threads; later calls raise ``ModelError``."""
        self.model.close()

    def _judge(self, image: ImageLike, face: Optional[FaceBox]) -> _Judged:
        """The face of a picture, in its original pixels, and its crop or the reason why there is none."""
        # A caller's face may be far smaller than one the detector looks for, so it gets every pixel.
        picture = read_image(image, min_side_px=_MIN_SIDE_PX if face is None else None)
        found = self._find(picture.pixels, face)
        if isinstance(found, Reason):
            return None, found
        reason = self.quality.check(picture.pixels, found)
        return found.scaled(picture.scale), reason or self.model.crop(picture.pixels, found.edges)

    def _find(self, pixels: npt.NDArray[np.uint8], face: Optional[FaceBox]) -> Union[FaceBox, Reason]:
        height, width = pixels.shape[:2]
        if face is not None:
            if face.x1 <= 0 or face.y1 <= 0 or face.x0 >= width or face.y0 >= height:
                raise ImageError(f"the face {face.edges} lies outside the {width}x{height} picture: give its pixels")
            return face
        if self.faces is None:
            return _face_of_a_crop(width, height, self.model.card.crop_scale)
        return choose_face(self.faces.detect(pixels), width, height, self.quality.multiple_faces)

    def _rejection(self, face: Optional[FaceBox], reason: Reason) -> LivenessResult:
        return LivenessResult(Verdict.REJECTED, score=None, threshold=self.threshold, face=face, reason=reason)

    def _verdict(self, face: Optional[FaceBox], score: float) -> LivenessResult:
        verdict = Verdict.LIVE if score >= self.threshold else Verdict.SPOOF
        return LivenessResult(verdict, score=score, threshold=self.threshold, face=face)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_own_stream": None}


def _face_of_a_crop(width: int, height: int, crop_scale: float) -> FaceBox:
    """The face in a picture that is itself the crop: centred, with the margin the model was trained on."""
    half = max(width, height) / crop_scale / 2
    return FaceBox(width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
