"""What a client is told: the wire contract, and every verdict in words a person can act on."""

from __future__ import annotations

from typing import Any

from examples.flask_app.challenge import Outcome, told

from facelive import Reason, Verdict

__all__ = ["ADVICE", "answer"]

ADVICE = {
    Reason.NO_FACE: "No face found: look into the camera.",
    Reason.MULTIPLE_FACES: "More than one face: only one person at a time.",
    Reason.FACE_TOO_SMALL: "Come closer.",
    Reason.FACE_CUT_OFF: "Move your whole face into the picture.",
    Reason.TOO_BLURRED: "Hold still, and wipe the lens.",
    Reason.TOO_DARK: "More light: turn towards a window or a lamp.",
    Reason.TOO_BRIGHT: "Less light: turn away from the window or the lamp.",
    Reason.TOO_FEW_FRAMES: "Hold still a moment longer.",
}
"""What to do about each reason."""

NOT_FOLLOWED = "The light on your face did not follow the screen: turn the screen brighter, or the room darker."


def answer(outcome: Outcome, *, window: int, session: str, now_ms: float) -> dict[str, Any]:
    """The JSON for a frame that was judged.

    ``verdict`` is the answer: ``live`` only after enough votes. ``decision`` and ``percentage`` are the running vote,
    from the first frame on; they are ``None`` before a face has voted.
    ``percentage`` always counts towards Real.

    Args:
        outcome: The verdict of the session's vote, and the challenge.
        window: How many frames vote.
        session: What the client sends with its next frame.
        now_ms: The time, in ms.
    """
    result = outcome.result
    running = None if result.vote is None else "Real" if result.vote >= result.threshold else "Fake"
    unusable = not outcome.followed or (result.reason is not None and result.reason is not Reason.TOO_FEW_FRAMES)
    return {
        "status": "error" if unusable else "success",
        "message": _message(outcome),
        "decision": None if unusable else running,
        "percentage": None if unusable or result.vote is None else f"{result.vote * 100:.2f}% Real",
        **result.to_dict(),
        **({} if outcome.followed else {"reason": "challenge_failed"}),
        "window": window,
        "session": session,
        "challenge": told(outcome.challenge, now_ms=now_ms),
    }


def _message(outcome: Outcome) -> str:
    if not outcome.followed:
        return NOT_FOLLOWED
    if outcome.result.reason is not None:
        return ADVICE[outcome.result.reason]
    if outcome.result.verdict is Verdict.LIVE:
        return "This is a live face."
    return "This looks like a picture of a face."
