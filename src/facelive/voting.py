"""The log-average vote over the last scores."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Iterable, Optional

from facelive.words import as_number, quoted

__all__ = ["LogAverageVoter", "checked_score", "finite_ms", "frames_needed", "log_average"]

_MOST_FRAMES = 1_000_000  # eleven hours of a camera


def log_average(scores: Iterable[float]) -> float:
    """``exp(mean(log(1 + s))) - 1``: a mean that one high outlier lifts less than it lifts the arithmetic mean.

    It is the geometric mean of ``1 + s``, so it never exceeds the arithmetic mean; rounding aside, both agree
    when all scores are equal. The result is clamped to the scores' own minimum and maximum, because rounding
    leaks past them. The order of the scores does not matter, to the last bit.

    Args:
        scores: At least one P(bona fide) in [0, 1], higher is more live.

    Returns:
        The vote, in [0, 1].

    Raises:
        ValueError: There is no score, or one is NaN or outside [0, 1].

    Example:
        >>> round(log_average([0.9, 0.9, 0.1]), 4)
        0.5836
    """
    values = [checked_score("a score", score) for score in scores]
    if not values:
        raise ValueError("a vote needs at least one score")
    mean = math.expm1(math.fsum(map(math.log1p, values)) / len(values))
    return min(max(mean, min(values)), max(values))


class LogAverageVoter:
    """The log-average of the last scores of one stream.

    It belongs to one client and is not shared by threads.

    Args:
        window: How many frames vote, at least 1.
        max_age_ms: Scores older than this, counted from the newest, no longer vote; ``None`` keeps them.

    Raises:
        ValueError: ``window`` or ``max_age_ms`` is not positive.

    Example:
        >>> voter = LogAverageVoter(window=2)
        >>> voter.score is None
        True
        >>> [round(voter.update(score), 2) for score in (1.0, 0.0, 0.0)]
        [1.0, 0.41, 0.0]
    """

    __slots__ = ("_scores", "_times_ms", "max_age_ms", "window")

    def __init__(self, window: int = 5, *, max_age_ms: Optional[float] = None) -> None:
        if not 1 <= as_number(window) <= _MOST_FRAMES or not float(window).is_integer():
            raise ValueError(f"window counts frames and must be a whole number from 1 up, not {quoted(window)}")
        if max_age_ms is not None and not as_number(max_age_ms) > 0:
            raise ValueError(f"max_age_ms must be above 0, not {quoted(max_age_ms)}")
        self.window = int(window)
        self.max_age_ms = max_age_ms
        self._scores: deque[float] = deque(maxlen=self.window)
        self._times_ms: deque[float] = deque(maxlen=self.window)

    def update(self, score: float, *, timestamp_ms: Optional[float] = None) -> float:
        """Add a score and return the vote that includes it; a score that raises changes nothing.

        Args:
            score: P(bona fide) in [0, 1], higher is more live.
            timestamp_ms: When the frame was taken, on any steady clock; needed with ``max_age_ms``.

        Returns:
            The vote, in [0, 1].

        Raises:
            ValueError: The score is NaN or outside [0, 1], the timestamp is missing where ``max_age_ms`` needs it,
                not finite, or earlier than the one before: a stream does not run backwards.
        """
        score = checked_score("a score", score)
        if self.max_age_ms is not None:
            self._forget(self._checked_time(timestamp_ms), self.max_age_ms)
        self._scores.append(score)
        return log_average(self._scores)

    @property
    def score(self) -> Optional[float]:
        """The vote so far, in [0, 1]; ``None`` before the first frame."""
        return log_average(self._scores) if self._scores else None

    @property
    def scores(self) -> tuple[float, ...]:
        """The scores behind the vote, oldest first."""
        return tuple(self._scores)

    @property
    def timestamps_ms(self) -> tuple[float, ...]:
        """When they were taken; empty without ``max_age_ms``."""
        return tuple(self._times_ms)

    @property
    def frames(self) -> int:
        """How many scores stand behind the vote, at most ``window``."""
        return len(self._scores)

    def reset(self) -> None:
        """Forget every score, as a new voter."""
        self._scores.clear()
        self._times_ms.clear()

    def _checked_time(self, timestamp_ms: Optional[float]) -> float:
        now_ms = finite_ms(timestamp_ms)
        if self._times_ms and now_ms < self._times_ms[-1]:
            raise ValueError(f"timestamp_ms {now_ms} lies before {self._times_ms[-1]}; reset the voter to start again")
        return now_ms

    def _forget(self, now_ms: float, max_age_ms: float) -> None:
        while self._times_ms and now_ms - self._times_ms[0] > max_age_ms:
            self._times_ms.popleft()
            self._scores.popleft()
        self._times_ms.append(now_ms)


def finite_ms(timestamp_ms: Any) -> float:
    """A caller's time as a float, in milliseconds.

    Raises:
        ValueError: It is missing, no number, or beyond any clock.

    Example:
        >>> finite_ms(40)
        40.0
    """
    number = as_number(timestamp_ms)
    if not math.isfinite(number):
        raise ValueError(f"timestamp_ms is a finite number of milliseconds, not {quoted(timestamp_ms)}")
    return number


def frames_needed(window: int, min_frames: Optional[int]) -> tuple[int, int]:
    """The window of a vote, and how many frames it needs to accept: all of them unless a smaller number is given.

    Example:
        >>> frames_needed(5, None)
        (5, 5)
    """
    window = LogAverageVoter(window).window
    if min_frames is not None and not 1 <= as_number(min_frames) <= window:
        raise ValueError(f"min_frames must lie between 1 and window ({window}), not {quoted(min_frames)}")
    return window, window if min_frames is None else min_frames


def checked_score(what: str, score: Any) -> float:
    """A score, or what scores are held against, as a float.

    Raises:
        ValueError: It is no number in [0, 1].

    Example:
        >>> checked_score("threshold", 1)
        1.0
    """
    number = as_number(score)
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{what} is a P(bona fide) in [0, 1], not {quoted(score)}")
    return number
