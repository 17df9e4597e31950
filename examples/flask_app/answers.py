"""What a client is told: the wire contract, and every outcome in words a person can act on."""

from __future__ import annotations

from typing import Any

from facelive import LivenessResult, SessionDecision, SessionReason, SessionStep, log_average

__all__ = ["GUIDANCE_WORDS", "NO_MORE_TRIES", "REFUSAL_WORDS", "answer"]

GUIDANCE_WORDS = {
    "face_the_camera": "No face found: come closer and look into the camera.",
    "one_person_only": "One person only, please.",
    "come_closer": "Come closer.",
    "move_back": "Move back a little.",
    "move_left": "A little to your left.",
    "move_right": "A little to your right.",
    "move_up": "A little higher.",
    "move_down": "A little lower.",
    "move_into_view": "Move your whole face into the picture.",
    "hold_still": "Still looking: hold still.",
    "more_light": "More light: turn towards a window or a lamp.",
    "less_light": "Less light: turn away from the window or the lamp.",
    "look_straight": "Still looking: look straight into the camera.",
    "turn_left": "Turn your head to your left and hold it there.",
    "turn_right": "Turn your head to your right and hold it there.",
    "look_at_the_screen": "Still looking: hold still and look at the screen.",
    "say_the_digits": "Say these digits aloud, one after the other.",
}
"""What to do about each guidance, the library's and that of ``framing``."""

REFUSAL_WORDS = {
    SessionReason.NOT_LIVE: "This looks like a picture of a face.",
    SessionReason.FRAME_BELOW_FLOOR: "This looks like a picture of a face.",
    SessionReason.FACE_CHANGED: "Your face moved too much, or another one came in: one person only, and hold still.",
    SessionReason.FACE_LOST: "Your face left the picture: keep it in view.",
    SessionReason.CHALLENGE_FAILED: "That was not what was asked for: do as the screen says.",
    SessionReason.TIMED_OUT: "That took too long.",
}
"""Why a visit was refused."""

NO_MORE_TRIES = "No more tries for now: please take the other way in."


def answer(
    step: SessionStep,
    *,
    guidance: str | None,
    scores: list[float],
    session: str,
    tries_left: int | None,
    exact: bool,
    digits: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON for a frame that was looked at.

    ``decision`` is ``Real`` only once a visit has been accepted. ``percentage`` is the vote in tens, and 0 before the
    end: who heard it earlier could leave a visit that goes badly, and no try would be counted. Exact numbers come only
    on demand.

    Args:
        step: What the frame did.
        guidance: What to tell the person; ``None`` when there is nothing to say, or the visit has ended.
        scores: Of the visit so far.
        session: What the client sends with its next frame.
        tries_left: How many visits are left once this one has ended; ``None`` before; below 0, it came too late.
        exact: Whether scores, vote and face are told.
        digits: What the person must say now, and its nonce.
    """
    result, decision = step.result, step.decision
    too_late = tries_left is not None and tries_left < 0
    accepted = decision is not None and decision.accepted and not too_late
    vote = log_average(scores) if scores and not too_late else None
    told = vote if decision is not None or exact or vote is None else 0.0
    unusable = decision is None and result.reason is not None
    return {
        "status": "error" if unusable else "success",
        "message": NO_MORE_TRIES if too_late else _message(decision, guidance),
        "decision": "Real" if accepted else "Fake",
        "percentage": None if unusable or told is None else f"{round(told * 10) * 10}% Real",
        "verdict": "live" if accepted else "spoof" if _not_live(decision) and not too_late else "rejected",
        "is_live": accepted,
        "done": decision is not None,
        "reason": "no_more_tries" if too_late else _reason(result, decision),
        "guidance": guidance,
        "progress": round(step.progress, 2),
        "screen": step.screen,
        "digits": digits,
        "tries_left": None if tries_left is None else max(0, tries_left),
        "session": session,
        **({"scores": _exact(result, scores, vote)} if exact and not too_late else {}),
    }


def _message(decision: SessionDecision | None, guidance: str | None) -> str:
    if decision is None:
        return GUIDANCE_WORDS[guidance or "hold_still"]
    return "This is a live face." if decision.reason is None else REFUSAL_WORDS[decision.reason]


def _reason(result: LivenessResult, decision: SessionDecision | None) -> str | None:
    if decision is None:
        return None if result.reason is None else result.reason.value
    if _not_live(decision):
        return SessionReason.NOT_LIVE.value  # which of the two would tell an attacker how near they were
    return None if decision.reason is None else decision.reason.value


def _not_live(decision: SessionDecision | None) -> bool:
    return decision is not None and decision.reason in (SessionReason.NOT_LIVE, SessionReason.FRAME_BELOW_FLOOR)


def _exact(result: LivenessResult, scores: list[float], vote: float | None) -> dict[str, Any]:
    frame = result.to_dict()
    kept = {name: frame[name] for name in ("score", "threshold", "face")}
    return {**kept, "vote": vote, "frames": len(scores)}
