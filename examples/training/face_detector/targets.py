"""What the face detector's network should answer, cell by cell, and how its answer is read; NumPy alone."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

SIZE = 160
"""Side of the input in pixels; the network takes any multiple of 32, and trains faster on less."""
STRIDE = 8
ANCHOR_PX = 32.0
"""Width and height are ``ANCHOR_PX * exp(output)``."""
CHANNELS = 15
"""Per cell: score (logit), centre x, y, log width, log height, five landmarks x, y."""
TARGETS = 17
"""Per cell: is a face, weight of the score, box x0, y0, x1, y1, five landmarks x, y, weight of the landmarks."""

Array = npt.NDArray[np.float32]


@functools.cache
def middles(grid: int) -> Array:
    """Where the cells' middles are: float32, (grid, grid, 2), x and y in pixels of the input."""
    return (np.stack(np.meshgrid(np.arange(grid), np.arange(grid)), -1) * STRIDE + STRIDE / 2).astype(np.float32)


def targets(faces: Array, ignored: Array, frame: tuple[int, int, int, int], side: int = SIZE) -> Array:
    """What the network should answer.

    Cells near a face's middle are its own and share its weight; a ring around them, faces under 8 % of the frame's
    shorter side and faces of which less than 45 % is in the frame count neither way. Larger faces are laid below
    smaller ones.

    Args:
        faces: float32, (n, 14): box and landmarks in pixels of the input.
        ignored: float32, (m, 4).
        frame: The part of the input that is not padding.
        side: Side of the input in pixels.

    Returns:
        float32, (side / 8, side / 8, 17), as :data:`TARGETS` says.
    """
    cells = middles(side // STRIDE)
    out = np.zeros((*cells.shape[:2], TARGETS), np.float32)
    out[..., 1] = 1
    smallest = 0.08 * min(frame[2] - frame[0], frame[3] - frame[1])
    for box in ignored:
        out[_inside(cells, box, 0.5), 1] = 0
    order = np.argsort(-(faces[:, 2] - faces[:, 0]) * (faces[:, 3] - faces[:, 1]))
    for face in faces[order]:
        size = face[2:4] - face[:2]
        seen = np.clip(np.minimum(face[2:4], frame[2:]) - np.maximum(face[:2], frame[:2]), 0, None)
        visible = float(seen.prod() / size.prod())
        own = _inside(cells, face[:4], 0.17)
        if not own.any():
            own = np.abs(cells - (face[:2] + face[2:4]) / 2).max(-1) <= STRIDE / 2
        if visible < 0.45 or size.max() < smallest:
            if visible > 0.1:
                out[_inside(cells, face[:4], 0.5) | own, 1] = 0
            continue
        ring = _inside(cells, face[:4], 0.38) & (out[..., 0] == 0)
        out[ring, 1] = 0
        out[own, 0] = 1
        out[own, 1] = 1 / max(own.sum(), 1)
        known = bool(np.isfinite(face[4:]).all())
        out[own, 2:6] = face[:4]
        out[own, 6:16] = face[4:] if known else 0
        # Landmarks of a few pixels are mostly noise, and offsets in parts of the face would let that noise rule.
        out[own, 16] = known * min(1.0, float(size.max()) / 32)
    return out


def _inside(cells: Array, box: Array, part: float) -> npt.NDArray[np.bool_]:
    """Cells whose middle is within ``part`` of the box's size around its middle."""
    middle, size = (box[:2] + box[2:4]) / 2, box[2:4] - box[:2]
    return np.asarray((np.abs(cells - middle) <= part * np.maximum(size, 1e-3)).all(-1))


def decode_numpy(out: Array) -> Array:
    """All cells of one output (n, n, 15) as (n * n, 15): box, landmarks, score; the run-time decoder's oracle."""
    cells = middles(len(out))
    size = ANCHOR_PX * np.exp(np.clip(out[..., 3:5], -5, 5))
    middle = cells + out[..., 1:3] * size
    marks = cells[..., None, :] + out[..., 5:15].reshape(*cells.shape[:2], 5, 2) * size[..., None, :]
    score = 1 / (1 + np.exp(-out[..., :1]))
    flat = [middle - size / 2, middle + size / 2, marks.reshape(*cells.shape[:2], 10), score]
    return np.concatenate(flat, -1).reshape(-1, CHANNELS).astype(np.float32)
