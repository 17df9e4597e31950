"""Every error facelive raises on purpose, and nothing else."""

from __future__ import annotations

__all__ = [
    "EvaluationError",
    "FaceliveError",
    "ImageError",
    "ImageTooLargeError",
    "ModelError",
    "RuntimeUnavailableError",
    "SessionClosedError",
]


class FaceliveError(Exception):
    """The root: ``except FaceliveError`` catches whatever the library refuses."""


class EvaluationError(FaceliveError, ValueError):
    """A labelled set cannot be evaluated as asked, or its numbers cannot support the claim asked of them."""


class ImageError(FaceliveError, ValueError):
    """The input is not a picture the library can read: wrong type, broken, or too large."""


class ImageTooLargeError(ImageError):
    """The picture has more bytes or pixels than the limit; a server answers 413 where ``ImageError`` is a 400."""


class ModelError(FaceliveError, ValueError):
    """A model file, its card and what the library needs do not fit together."""


class RuntimeUnavailableError(FaceliveError, ImportError):
    """No TFLite runtime works here; the message names each one tried and the pip line that helps."""


class SessionClosedError(FaceliveError, RuntimeError):
    """The session has decided already; the next visit needs a new one."""
