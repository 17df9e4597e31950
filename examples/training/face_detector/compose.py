"""Training pictures for the face detector: a face composed into a letterboxed square scene, and its targets.

The face picture is turned, scaled and shifted onto a scene (another picture, a flat colour, its own border drawn
out), the scene is cut to the aspect of some camera, and the rest is the grey that the detector pads with at run time.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from examples.training.face_detector.data import Sample
from examples.training.face_detector.targets import SIZE, targets

PAD = 114
"""The grey around a letterboxed picture; the same number stands in the detector's card."""
ASPECTS = (4 / 3, 4 / 3, 16 / 9, 3 / 4, 3 / 4, 9 / 16, 2 / 3, 1.5)
SWAP = [1, 0, 2, 4, 3]

Array = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]


class Composer:
    """Makes training pictures; owns its random numbers, so one per process.

    Args:
        seed: Start of the random numbers.
        scenes: Pictures without a face, uint8 RGB of any size.
        side: Side of the pictures made, in pixels.
    """

    def __init__(self, seed: int, scenes: list[Picture], side: int = SIZE) -> None:
        self.side = side
        self.rng = np.random.default_rng(seed)
        self.scenes = scenes

    def compose(self, picture: Picture, sample: Sample) -> tuple[Picture, Array]:
        """One picture with its faces: uint8 (side, side, 3) RGB, float32 (side / 8, side / 8, 17)."""
        rng = self.rng
        canvas, frame = self._scene(picture)
        faces = [np.zeros((0, 14), np.float32), np.zeros((0, 4), np.float32)]
        if len(sample.boxes) and rng.random() < 0.93:
            faces = self._paste(canvas, frame, picture, sample)
        elif not len(sample.boxes):
            self._paste_anywhere(canvas, picture)
            if len(sample.ignored):
                return self.compose(self.scenes[rng.integers(len(self.scenes))], _NOTHING)
        sides = (faces[0][:, 2:4] - faces[0][:, :2]).max(1)
        canvas = self._light(canvas, float(sides.max(initial=0)) or rng.uniform(10, 80))
        _letterbox(canvas, frame)
        if rng.random() < 0.5:
            canvas, faces = np.ascontiguousarray(canvas[:, ::-1]), _flip(faces, self.side)
            frame = (self.side - frame[2], frame[1], self.side - frame[0], frame[3])
        return canvas, targets(faces[0], faces[1], frame, self.side)

    def _scene(self, picture: Picture) -> tuple[Picture, tuple[int, int, int, int]]:
        rng = self.rng
        frame = (0, 0, self.side, self.side)
        if rng.random() < 0.75:
            aspect = ASPECTS[rng.integers(len(ASPECTS))] if rng.random() < 0.7 else np.exp(rng.uniform(-0.7, 0.7))
            width, height = (
                (self.side, round(self.side / aspect)) if aspect > 1 else (round(self.side * aspect), self.side)
            )
            left, top = (self.side - width) // 2, (self.side - height) // 2
            frame = (left, top, left + width, top + height)
        kind = rng.random()
        canvas = np.empty((self.side, self.side, 3), np.uint8)
        if kind < 0.65 and self.scenes:
            self._paste_anywhere(canvas, self.scenes[rng.integers(len(self.scenes))])
        elif kind < 0.8:
            canvas[:] = PAD
        else:
            canvas[:] = rng.integers(0, 256, 3)
        return canvas, frame

    def _paste_anywhere(self, canvas: Picture, picture: Picture) -> None:
        """A face-free picture over the whole canvas, mirrored at its border."""
        rng = self.rng
        height, width = picture.shape[:2]
        scale = self.side / min(height, width) * np.exp(rng.uniform(-0.45, 0.6))
        spot = rng.uniform(0.25, 0.75, 2) * (width, height)
        turn = _turn(spot, (self.side / 2, self.side / 2), scale, rng.normal(0, 8))
        _warp(picture, turn, canvas, cv2.BORDER_REFLECT_101)

    def _paste(
        self, canvas: Picture, frame: tuple[int, int, int, int], picture: Picture, sample: Sample
    ) -> list[Array]:
        rng = self.rng
        sizes = (sample.boxes[:, 2:] - sample.boxes[:, :2]).max(1)
        chosen = sample.boxes[sizes.argmax() if rng.random() < 0.7 else rng.integers(len(sizes))]
        size = float((chosen[2:] - chosen[:2]).max())
        shorter = min(frame[2] - frame[0], frame[3] - frame[1])
        if rng.random() < 0.2:  # as a user's picture would arrive: whole, only letterboxed
            height, width = picture.shape[:2]
            scale = min((frame[2] - frame[0]) / width, (frame[3] - frame[1]) / height) * rng.uniform(0.9, 1.1)
            spot, goal = (width / 2, height / 2), rng.normal(self.side / 2, 3, 2)
            angle = rng.normal(0, 5)
        else:
            side = max(shorter * np.exp(np.log(0.11) + 2.5 * rng.random() ** 1.15), 8.5)
            scale = side / size
            spot = (chosen[:2] + chosen[2:]) / 2
            low, high = np.array(frame[:2], float), np.array(frame[2:], float)
            middle, reach = (low + high) / 2, np.maximum((high - low) / 2 - side * rng.uniform(0.15, 0.5), side * 0.12)
            goal = middle + reach * (rng.uniform(-1, 1, 2) if rng.random() < 0.6 else rng.normal(0, 0.3, 2))
            angle = rng.normal(0, 9) if rng.random() < 0.6 else rng.uniform(-32, 32)
        turn = _turn(spot, goal, scale, angle, np.exp(rng.normal(0, 0.04)))
        border = cv2.BORDER_REPLICATE if rng.random() < 0.15 else cv2.BORDER_TRANSPARENT
        _warp(picture, turn, canvas, border)
        return _moved(sample, turn)

    def _light(self, canvas: Picture, side: float) -> Picture:
        """Light, colour, blur, noise and compression; ``side`` of the largest face keeps small ones recognisable."""
        rng = self.rng
        levels = np.arange(256, dtype=np.float32)[:, None] / 255
        if rng.random() < 0.85:
            gamma = np.exp(rng.normal(0, 0.35)) if rng.random() < 0.8 else np.exp(rng.uniform(-0.8, 1.5))
            gain, lift = np.exp(rng.normal(0, 0.2)), rng.normal(0, 0.04)
            cast = np.exp(rng.normal(0, 0.06, 3))
            table = (levels**gamma * gain * cast + lift) * 255
            canvas = cv2.LUT(canvas, np.clip(table, 0, 255).astype(np.uint8)[None])
        if rng.random() < 0.1:
            canvas = cv2.cvtColor(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        if rng.random() < 0.12:
            ramp = np.linspace(rng.uniform(0.2, 1), rng.uniform(0.6, 1.4), self.side, dtype=np.float32)
            shade = ramp[:, None, None] if rng.random() < 0.4 else ramp[None, :, None]
            canvas = np.clip(canvas * shade, 0, 255).astype(np.uint8)
        kind = rng.random()
        if kind < 0.15:
            canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, float(np.clip(0.035 * side, 0.4, 1.8))))
        elif kind < 0.2 and side > 30:
            length = int(rng.integers(3, 8))
            shape = (length, 1) if rng.random() < 0.6 else (1, length)
            canvas = cv2.blur(canvas, shape)
        if rng.random() < 0.25:
            noise = rng.standard_normal((self.side, self.side, 1 if rng.random() < 0.5 else 3), np.float32)
            canvas = np.clip(canvas + noise * rng.uniform(2, 14 if side > 30 else 7), 0, 255).astype(np.uint8)
        if rng.random() < 0.2:
            coded = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])[1]
            canvas = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        return np.asarray(canvas, np.uint8)


_NOTHING = Sample(
    None, "", "backgrounds", False, np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32),  # type: ignore[arg-type]
    np.zeros((0, 4), np.float32),
)  # fmt: skip


def _turn(
    spot: npt.ArrayLike, goal: npt.ArrayLike, scale: float, angle: float, stretch: float = 1.0
) -> npt.NDArray[np.float64]:
    """The 2×3 matrix that moves ``spot`` of a picture to ``goal``, turned and scaled."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    linear = scale * np.array([[c, -s], [s, c]]) @ np.diag([stretch, 1 / stretch])
    return np.column_stack([linear, np.asarray(goal) - linear @ np.asarray(spot, float)])


def _warp(picture: Picture, turn: npt.NDArray[np.float64], canvas: Picture, border: int) -> None:
    """Warp with anti-aliasing: halve the picture first while it shrinks by more than that."""
    scale = np.sqrt(abs(np.linalg.det(turn[:, :2])))
    while scale < 0.6 and min(picture.shape[:2]) > 8:
        smaller = cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)
        ratio = np.diag([picture.shape[1] / smaller.shape[1], picture.shape[0] / smaller.shape[0]])
        turn = np.column_stack([turn[:, :2] @ ratio, turn[:, 2]])
        picture, scale = np.asarray(smaller, np.uint8), scale * 2
    # Pixel i covers i to i + 1, as in boxes; OpenCV puts its middle at i.
    shifted = turn.copy()
    shifted[:, 2] += turn[:, :2] @ (0.5, 0.5) - 0.5
    cv2.warpAffine(picture, shifted, canvas.shape[:2], dst=canvas, flags=cv2.INTER_LINEAR, borderMode=border)


def _moved(sample: Sample, turn: npt.NDArray[np.float64]) -> list[Array]:
    """Boxes (n, 4) joined with landmarks (n, 10), and ignored boxes, after the turn.

    A turned box is the upright one of the same size around the turned middle: a head is round enough.
    """

    def place(boxes: Array) -> Array:
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2 @ turn[:, :2].T + turn[:, 2]
        linear = np.abs(np.diag(np.sqrt((turn[:, :2] ** 2).sum(0))))
        half = (boxes[:, 2:] - boxes[:, :2]) / 2 @ linear
        return np.concatenate([middle - half, middle + half], 1).astype(np.float32)

    marks = sample.landmarks.reshape(-1, 2) @ turn[:, :2].T + turn[:, 2]
    faces = np.concatenate([place(sample.boxes), marks.reshape(-1, 10).astype(np.float32)], 1)
    return [faces, place(sample.ignored)]


def _flip(faces: list[Array], side: int) -> list[Array]:
    out = []
    for boxes in (faces[0][:, :4], faces[1]):
        out.append(np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], 1))
    marks = faces[0][:, 4:].reshape(-1, 5, 2)[:, SWAP] * (-1, 1) + (side, 0)
    return [np.concatenate([out[0], marks.reshape(-1, 10)], 1).astype(np.float32), out[1].astype(np.float32)]


def _letterbox(canvas: Picture, frame: tuple[int, int, int, int]) -> None:
    canvas[: frame[1]] = PAD
    canvas[frame[3] :] = PAD
    canvas[:, : frame[0]] = PAD
    canvas[:, frame[2] :] = PAD
