"""The optional challenge: the page shows colours in an order that nobody knows before, and the face must reflect them.

Each frame carries a nonce that the session holds for one frame and a few seconds. The first frame is taken while the
screen is white, each later one while it shows a colour; a frame votes if the light on the face went from white towards
that colour. One that does not follow ends the vote, and the next starts from white.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, NamedTuple, Optional, TypedDict

from examples.flask_app.light import COLOURS, WHITE, follows
from werkzeug.exceptions import Conflict

from facelive import LivenessResult, LivenessStream, Reason, Verdict

__all__ = ["ChallengeState", "Outcome", "UnknownNonce", "judge", "pose", "told"]


class ChallengeState(TypedDict):
    """What the next frame must answer; kept beside the votes, and the client sees its nonce and colour alone."""

    nonce: str
    colour: str
    expires_ms: float
    white: Optional[list[float]]


class Outcome(NamedTuple):
    """What became of a frame, and what the next one must answer."""

    result: LivenessResult
    followed: bool
    challenge: Optional[ChallengeState]


class UnknownNonce(Conflict):
    """The frame carries no nonce, or one that is not its session's, was used, or is too old."""

    reason = "nonce"
    description = "The frame does not carry the session's current nonce: open a session and answer its challenge."


def pose(*, now_ms: float, ttl_s: float, white: list[float] | None = None) -> ChallengeState:
    """A challenge for the next frame: white first, then any colour but white.

    Args:
        now_ms: The time, in ms.
        ttl_s: How long it can be answered.
        white: The light on the face while the screen was white, once it is known.
    """
    colour = WHITE if white is None else secrets.choice([name for name in COLOURS if name != WHITE])
    return ChallengeState(nonce=secrets.token_urlsafe(16), colour=colour, expires_ms=now_ms + 1000 * ttl_s, white=white)


def told(challenge: ChallengeState | None, *, now_ms: float) -> dict[str, Any] | None:
    """What the client is told of a challenge."""
    if challenge is None:
        return None
    valid_ms = max(0, round(challenge["expires_ms"] - now_ms))
    return {"nonce": challenge["nonce"], "colour": COLOURS[challenge["colour"]], "valid_ms": valid_ms}


def judge(
    stream: LivenessStream,
    challenge: ChallengeState | None,
    nonce: str,
    result: LivenessResult,
    light: list[float] | None,
    *,
    now_ms: float,
    ttl_s: float,
) -> Outcome:
    """Let a frame vote if it answers its challenge.

    Args:
        stream: The session's votes; changed.
        challenge: What the session asks for; ``None`` in a session that was not opened.
        nonce: What the frame carries.
        result: The frame's verdict.
        light: The light on its face; ``None`` when there was no face to judge.
        now_ms: The time, in ms.
        ttl_s: How long the next nonce can be used.

    Raises:
        UnknownNonce: The frame does not belong to the challenge; nothing was changed.
    """
    if challenge is None or now_ms > challenge["expires_ms"]:
        raise UnknownNonce
    if not secrets.compare_digest(nonce.encode(), challenge["nonce"].encode()):
        raise UnknownNonce
    white, colour = challenge["white"], challenge["colour"]
    if result.score is None or light is None:
        # The same colour once more, no longer than before: nobody can wait for one that suits, or take their time.
        again = pose(now_ms=now_ms, ttl_s=ttl_s)
        if white is not None:
            again = {**challenge, "nonce": again["nonce"]}
        return Outcome(stream.vote(result, timestamp_ms=now_ms), True, again)
    if white is None:
        stream.reset()
        waiting = replace(result, verdict=Verdict.REJECTED, reason=Reason.TOO_FEW_FRAMES)
        return Outcome(waiting, True, pose(now_ms=now_ms, ttl_s=ttl_s, white=light))
    if not follows(white, light, colour):
        stream.reset()
        return Outcome(replace(result, verdict=Verdict.REJECTED), False, pose(now_ms=now_ms, ttl_s=ttl_s))
    return Outcome(stream.vote(result, timestamp_ms=now_ms), True, pose(now_ms=now_ms, ttl_s=ttl_s, white=white))
