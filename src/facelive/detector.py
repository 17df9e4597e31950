"""The whole story of a frame: picture, face, quality, views, score, verdict. ``streams`` adds the vote."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from itertools import islice
from typing import Iterable, Optional, Sequence, Union

import numpy as np
from typing_extensions import Literal, Unpack

from facelive.cards import CardFields
from facelive.challenges import Challenge
from facelive.errors import ImageError, ModelError
from facelive.face_network import BundledFaceDetector
from facelive.faces import FaceDetector, FaceLike, checked_detector, find_face
from facelive.frames import Frame, numbered, picture_name, with_progress
from facelive.images import ImageLike
from facelive.models import LivenessModel
from facelive.quality import QualityPolicy
from facelive.results import LivenessResult, Reason
from facelive.session_results import SessionState
from facelive.sessions import LivenessSession
from facelive.streams import LivenessStream, StreamState
from facelive.voting import LogAverageVoter, checked_score, frames_needed
from facelive.words import quoted

__all__ = ["BUNDLED", "LivenessDetector"]

BUNDLED = BundledFaceDetector()
"""The face detector that comes with the library; it loads its network at the first frame."""

Order = Literal["RGB", "BGR"]

_TOGETHER = 32  # pictures in one call of the network; more gain nothing and keep more views in memory


@dataclass(frozen=True, init=False, repr=False, eq=False)
class LivenessDetector:
    """Tells a live face from a picture of one.

    Threads may share a detector; nothing in it changes. Frames that belong together go to a ``stream()`` of their own.
    It pickles small: another process rebuilds it from its model. ``with`` closes it at the end.

    Args:
        model: ``"default"``, another bundled name, the path or bytes of your own ``.tflite``, or a ``LivenessModel``.
        threshold: Scores from here up are live, in [0, 1]; the model card's operating point unless given.
        window: How many frames vote on a stream.
        min_frames: A stream accepts nobody on fewer frames than this; ``window`` unless a smaller number is given.
        faces: Finds faces; ``None`` takes every picture as a face crop that is already made.
        quality: Which faces can be judged at all.
        num_threads: Threads inside one call of a model named here; a ``LivenessModel`` and ``faces`` bring their own.
        card_fields: ``live_class`` and other fields of ``ModelCard``, as ``LivenessModel.load`` takes them.

    Raises:
        ModelError: The model cannot be loaded, or ``faces`` finds no faces.
        RuntimeUnavailableError: No TFLite runtime works here.
        ValueError: ``threshold``, ``window`` or ``min_frames`` is out of range.

    Example:
        >>> detector = LivenessDetector()
        >>> detector.predict(np.zeros((480, 640, 3), np.uint8)).reason.value
        'no_face'
    """

    model: LivenessModel
    threshold: float
    window: int
    min_frames: int
    faces: Optional[FaceDetector]
    quality: QualityPolicy

    def __init__(
        self,
        model: Union[str, os.PathLike[str], bytes, LivenessModel] = "default",
        *,
        threshold: Optional[float] = None,
        window: int = 5,
        min_frames: Optional[int] = None,
        faces: Optional[FaceDetector] = BUNDLED,
        quality: QualityPolicy = QualityPolicy(),  # noqa: B008  frozen
        num_threads: int = 1,
        **card_fields: Unpack[CardFields],
    ) -> None:
        if not isinstance(model, LivenessModel):
            model = LivenessModel.load(model, num_threads=num_threads, **card_fields)
        elif card_fields:
            raise ModelError(f"{', '.join(card_fields)} belongs into LivenessModel.load(), where the model is loaded")
        threshold = checked_score("threshold", model.card.threshold if threshold is None else threshold)
        window, min_frames = frames_needed(window, min_frames)
        values = {"model": model, "threshold": threshold, "window": window, "min_frames": min_frames}
        self.__dict__.update(values, faces=checked_detector(faces), quality=quality)

    def predict(self, image: ImageLike, *, face: Optional[FaceLike] = None, order: Order = "RGB") -> LivenessResult:
        """Judge one picture on its own; changes nothing, threads may share it.

        Args:
            image: A path, bytes, binary file, data URL, Pillow image, uint8 array or ``Picture``.
            face: A ``FaceBox`` or ``(x0, y0, x1, y1)`` in pixels of the upright picture; found unless given.
            order: Colour order of an array; what OpenCV reads is ``"BGR"``.

        Returns:
            LIVE or SPOOF with its score, or REJECTED with the reason.

        Raises:
            ImageError: The picture cannot be read, or ``face`` is no box or lies outside it.
            ModelError: ``faces`` answered with something else than faces.
        """
        return self._score([self._look(image, face, order)])[0]

    def _look(self, image: ImageLike, face: Optional[FaceLike], order: Order) -> Frame:
        """A picture's face, in its original pixels, and its views, or the reason why there are none."""
        picture, found = find_face(image, face, order, self.faces, self.model.card, self.quality.multiple_faces)
        if isinstance(found, Reason):
            return Frame(reason=found)
        frame = Frame(found.scaled(picture.scale), reason=self.quality.check(picture.pixels, found))
        if frame.reason is None:
            frame.views = self.model.crops(picture.pixels, found.edges)
        return frame

    def _score(self, frames: list[Frame]) -> list[LivenessResult]:
        """Score the frames that have views, in one call, and ask each frame for its result."""
        usable = [frame for frame in frames if frame.views is not None]
        if usable:
            views = np.stack([frame.views for frame in usable if frame.views is not None])
            for frame, score in zip(usable, self.model.score(views).tolist()):
                frame.score = score
        return [frame.result(self.threshold) for frame in frames]

    def predict_batch(
        self,
        images: Iterable[ImageLike],
        *,
        faces: Optional[Sequence[Optional[FaceLike]]] = None,
        order: Order = "RGB",
        on_error: Literal["raise", "return"] = "raise",
        progress: bool = False,
    ) -> list[LivenessResult]:
        """Judge pictures that have nothing to do with each other, many in one call of the network.

        Args:
            images: As in ``predict``, in a list or from a generator; none give an empty list.
            faces: One box or ``None`` per picture.
            order: Colour order of arrays.
            on_error: ``"raise"`` stops at the first picture that cannot be read, and names it; ``"return"`` gives
                REJECTED for it, with ``Reason.UNREADABLE`` and the ``error``.
            progress: Show a bar on standard error; needs tqdm.

        Returns:
            One result per picture, in order.

        Raises:
            ImageError: A picture cannot be read, or its face lies outside it.
            ValueError: ``faces`` and ``images`` differ in length, or ``images`` is a single picture.

        Example:
            >>> LivenessDetector().predict_batch(["no/such.jpg"], on_error="return")[0].reason.value
            'unreadable'
        """
        if on_error not in ("raise", "return"):
            raise ValueError(f"on_error is 'raise' or 'return', not {quoted(on_error)}")
        results, items = [], numbered(images, faces)
        items = with_progress(items, images) if progress else items
        while some := list(islice(items, _TOGETHER)):
            results += self._score([self._look_or_say(*item, order, on_error) for item in some])
        return results

    def _look_or_say(
        self, index: int, image: ImageLike, face: Optional[FaceLike], order: Order, on_error: str
    ) -> Frame:
        """As ``_look``; a picture that cannot be read is named, or becomes a frame that says why."""
        try:
            return self._look(image, face, order)
        except ImageError as error:
            if on_error == "return":
                return Frame(reason=Reason.UNREADABLE, error=str(error))
            raise type(error)(f"{picture_name(index, image)}: {error}") from error

    def stream(
        self, *, max_age_ms: Optional[float] = None, state: Optional[StreamState] = None, order: Order = "RGB"
    ) -> LivenessStream:
        """A fresh vote over the frames of one client, on the same model.

        Args:
            max_age_ms: Scores older than this no longer vote; ``None`` lets the last ``window`` vote, however old.
            state: Another stream's ``state``, to go on where it stopped, on another machine for one.
            order: Colour order of arrays.

        Raises:
            ValueError: ``max_age_ms`` or ``state`` is out of range.
        """
        voter = LogAverageVoter(self.window, max_age_ms=max_age_ms)
        judge = functools.partial(self.predict, order=order)
        stream = LivenessStream(judge, voter, min_frames=self.min_frames)
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
        order: Order = "RGB",
    ) -> LivenessSession:
        """A fresh visit that ends in one decision, on the same model and with the detector's window.

        Args:
            challenge: What the person is asked to do besides, from ``facelive.challenges``; fresh for each session.
            floor: No frame may score below this, in [0, 1].
            seconds: The visit must end within this time of its first frame.
            state: Another session's ``state``, to go on where it stopped; one that does not fit is dropped.
            order: Colour order of arrays.

        Raises:
            ValueError: ``floor`` or ``seconds`` is out of range.
        """
        judge, window = self.predict, self.window
        return LivenessSession(
            judge, window=window, floor=floor, seconds=seconds, challenge=challenge, state=state, order=order
        )

    def close(self) -> None:
        """Release the model's interpreters in all threads; later calls raise ``ModelError``."""
        self.model.close()

    def __enter__(self) -> LivenessDetector:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LivenessDetector({self.model!r}, threshold={self.threshold:g}, window={self.window})"
