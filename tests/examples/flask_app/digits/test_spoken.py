"""The challenge within a session: frames go on being judged, the decision needs both, and it can only refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.examples.flask_app import scene

from facelive import LivenessDetector, LivenessSession, SessionReason
from facelive.challenges import Challenge, ChallengeStatus, HeadTurn, ScreenLight

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app.digits.spoken import DIGITS, PHRASES, SpokenDigits

LIVE, ATTACK = scene.jpeg(scene.live()), scene.jpeg(scene.attack())


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    return LivenessDetector()


def begun(detector: LivenessDetector, frames: int = 3) -> tuple[LivenessSession, SpokenDigits]:
    """A visit of a live person that waits for the digits."""
    challenge = SpokenDigits()
    session = detector.session(challenge=challenge, seconds=600)
    for _ in range(frames):
        assert session.update(LIVE).decision is None
    return session, challenge


def test_it_is_a_challenge_like_the_librarys() -> None:
    assert isinstance(SpokenDigits(), Challenge)


def test_digits_and_nonces_are_drawn_anew() -> None:
    drawn = [SpokenDigits() for _ in range(200)]
    assert len({challenge.nonce for challenge in drawn}) == 200
    assert len({tuple(challenge.asked) for challenge in drawn}) > 180
    assert {digit for challenge in drawn for digit in challenge.asked} == set(range(10))
    assert {len(challenge.asked) for challenge in drawn} == {DIGITS}


def test_however_many_live_frames_there_are_none_is_accepted_before_the_digits(detector: LivenessDetector) -> None:
    session, challenge = begun(detector, frames=9)
    assert session.progress < 1 and challenge.waiting
    assert challenge.hear(challenge.nonce, said=True)
    decision = session.update(LIVE).decision
    assert decision is not None and decision.accepted and decision.frames == 10


def test_the_digits_alone_accept_nobody(detector: LivenessDetector) -> None:
    session, challenge = begun(detector, frames=2)
    assert challenge.hear(challenge.nonce, said=True)
    assert not challenge.waiting
    steps = [session.update(LIVE) for _ in range(3)]
    assert [step.decision is None for step in steps] == [True, True, False], "five frames and three since the digits"
    assert steps[-1].decision is not None and steps[-1].decision.accepted


def test_a_picture_that_takes_the_place_while_the_digits_are_said_is_refused(detector: LivenessDetector) -> None:
    session, challenge = begun(detector)
    decision = session.update(ATTACK).decision
    assert decision is not None and decision.reason in (SessionReason.NOT_LIVE, SessionReason.FRAME_BELOW_FLOOR)
    assert challenge.hear(challenge.nonce, said=True)
    assert session.decision is not None and not session.decision.accepted, "what is said later changes nothing"


def test_who_is_not_understood_is_asked_once_more_and_then_refused(detector: LivenessDetector) -> None:
    session, challenge = begun(detector)
    assert PHRASES == 2
    first = challenge.nonce
    assert challenge.hear(first, said=False)
    assert challenge.waiting and challenge.nonce != first
    assert not challenge.hear(first, said=True), "the digits from before are not asked for any more"
    assert session.update(LIVE).decision is None
    assert challenge.hear(challenge.nonce, said=False)
    decision = session.update(LIVE).decision
    assert decision is not None and decision.reason is SessionReason.CHALLENGE_FAILED


def test_a_nonce_counts_once_and_only_the_right_one(detector: LivenessDetector) -> None:
    session, challenge = begun(detector)
    for wrong in ("", "x", challenge.nonce[:-1], SpokenDigits().nonce, "é"):
        assert not challenge.hear(wrong, said=True)
    assert challenge.hear(challenge.nonce, said=True)
    assert not challenge.hear(challenge.nonce, said=False), "once is enough"
    assert session.update(LIVE).decision is None or session.decision is not None


def test_it_goes_on_from_its_state_as_json(detector: LivenessDetector) -> None:
    session, challenge = begun(detector)
    state = json.loads(json.dumps(session.state))
    again = SpokenDigits()
    restored = detector.session(challenge=again, seconds=600, state=state)
    assert not restored.state_discarded
    assert (again.asked, again.nonce, again.state) == (challenge.asked, challenge.nonce, challenge.state)
    assert json.dumps(state).count(challenge.nonce) == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"asked": [1, 2, 3]},
        {"asked": [1, 2, 3, 10]},
        {"asked": "1234"},
        {"asked": [True, 2, 3, 4]},
        {"nonce": 7},
        {"said": "yes"},
        {"phrases": 9},
        {"frames": None},
        {"waiting_for_first": True},
    ],
    ids=str,
)
def test_a_damaged_state_begins_anew(detector: LivenessDetector, damage: dict[str, Any]) -> None:
    session, _ = begun(detector)
    state: Any = json.loads(json.dumps(session.state))
    state["challenge"].update(damage)
    fresh = SpokenDigits()
    before = fresh.state
    restored = detector.session(challenge=fresh, state=state)
    assert restored.state_discarded and fresh.state == before


def test_a_state_of_another_pair_is_not_taken(detector: LivenessDetector) -> None:
    session, _ = begun(detector)
    assert detector.session(challenge=SpokenDigits(HeadTurn()), state=session.state).state_discarded
    assert detector.session(challenge=HeadTurn(), state=session.state).state_discarded


def test_after_another_challenge() -> None:
    challenge = SpokenDigits(ScreenLight(colours=1))
    assert challenge.guidance.value == "look_at_the_screen" and not challenge.waiting
    assert not challenge.hear(challenge.nonce, said=True), "nobody was asked yet"
    assert challenge.update([-2.0] * 3) is ChallengeStatus.PENDING
    assert challenge.screen is not None
    colour = challenge.screen[0]
    lit = [-1.9 if colour[at : at + 2] == "ff" else -2.1 for at in (1, 3, 5)]
    assert challenge.update(lit) is ChallengeStatus.PENDING, "the digits are still to come"
    assert challenge.waiting and challenge.progress == 0.5 and challenge.screen is None
    assert challenge.hear(challenge.nonce, said=True)
    assert [challenge.update(lit) for _ in range(3)] == [ChallengeStatus.PENDING] * 2 + [ChallengeStatus.ANSWERED]


def test_what_the_challenge_before_refuses_is_refused() -> None:
    challenge = SpokenDigits(ScreenLight(colours=1))
    assert challenge.screen == ("#ffffff", "#ffffff")
    assert challenge.update([-2.0] * 3) is ChallengeStatus.PENDING
    assert challenge.update([-2.0] * 3) is ChallengeStatus.FAILED
    again = SpokenDigits(ScreenLight(colours=1))
    again.restore(json.loads(json.dumps(challenge.state)))
    assert again.update([-2.0] * 3) is ChallengeStatus.FAILED
    assert not again.waiting
