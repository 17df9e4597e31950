"""One visit, one decision, on the scene of known scores."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scene import ELSEWHERE, FACE, BoxInMind, brightness, frame

from facelive import (
    FaceBox,
    Guidance,
    ImageError,
    LivenessDetector,
    LivenessSession,
    SessionClosedError,
    SessionFrame,
    SessionReason,
)
from facelive.challenges import COLOURS, HeadTurn, ScreenLight

DETECTOR = LivenessDetector(brightness(), faces=BoxInMind())
DARK = np.zeros((480, 640, 3), np.uint8)


def visit(session: LivenessSession, *frames: Any, face: Optional[FaceBox] = None, every_ms: float = 500) -> Any:
    """The last step of frames given by their score, or as pixels."""
    step = None
    for number, shown in enumerate(frames):
        picture = frame(shown) if isinstance(shown, float) else shown
        step = session.update(picture, face=face, timestamp_ms=number * every_ms)
    return step


class TestDecision:
    def test_a_full_window_of_live_frames_is_accepted(self) -> None:
        step = visit(DETECTOR.session(), 0.9, 0.8, 0.9, 0.8, 0.9)
        assert step.decision and step.decision.accepted and step.decision.reason is None
        assert (step.decision.frames, step.progress, step.guidance) == (5, 1.0, None)

    def test_nothing_is_decided_before_the_window_is_full(self) -> None:
        session = DETECTOR.session()
        for number in range(4):
            step = session.update(frame(0.9), timestamp_ms=number)
            assert step.decision is None and step.progress == (number + 1) / 5
            assert step.guidance is Guidance.HOLD_STILL

    def test_a_low_vote_is_refused(self) -> None:
        decision = visit(DETECTOR.session(), *[0.4] * 5).decision
        assert not decision and decision.reason is SessionReason.NOT_LIVE

    def test_one_frame_below_the_floor_is_refused_at_once(self) -> None:
        decision = visit(DETECTOR.session(), 0.9, 0.9, 0.2).decision
        assert not decision and decision.reason is SessionReason.FRAME_BELOW_FLOOR
        assert visit(DETECTOR.session(floor=0.1), 0.9, 0.9, 0.2, 0.9, 0.9).decision

    def test_a_face_that_jumps_is_refused(self) -> None:
        session = DETECTOR.session()
        visit(session, 0.9, 0.9)
        decision = session.update(frame(0.9), face=ELSEWHERE, timestamp_ms=1000).decision
        assert decision is not None and decision.reason is SessionReason.FACE_CHANGED

    @pytest.mark.parametrize("factor", [0.7, 1.4])
    def test_a_face_that_changes_its_size_is_refused(self, factor: float) -> None:
        session = DETECTOR.session()
        visit(session, 0.9, 0.9)
        (x, y), half = FACE.center, FACE.side_px * factor / 2
        other = FaceBox(x - half, y - half, x + half, y + half)
        decision = session.update(frame(0.9), face=other, timestamp_ms=1000).decision
        assert decision is not None and decision.reason is SessionReason.FACE_CHANGED

    def test_a_person_who_is_still_arriving_starts_the_visit_anew(self) -> None:
        session = DETECTOR.session()
        session.update(frame(0.9), face=ELSEWHERE, timestamp_ms=0)
        decision = visit(session, *[0.9] * 5).decision
        assert decision and decision.frames == 5

    def test_a_face_that_is_gone_for_long_is_refused(self) -> None:
        assert visit(DETECTOR.session(), 0.9, DARK, DARK, DARK, 0.9, 0.9, 0.9, 0.9).decision
        assert visit(DETECTOR.session(), 0.9, DARK, DARK, DARK, DARK).decision.reason is SessionReason.FACE_LOST

    def test_frames_before_the_first_face_cost_nothing_but_time(self) -> None:
        assert visit(DETECTOR.session(), *[DARK] * 9, *[0.9] * 5).decision
        assert visit(DETECTOR.session(seconds=3), *[DARK] * 8).decision.reason is SessionReason.TIMED_OUT

    def test_the_time_is_kept(self) -> None:
        decision = visit(DETECTOR.session(seconds=1), *[0.9] * 4).decision
        assert not decision and decision.reason is SessionReason.TIMED_OUT

    def test_a_clock_that_runs_back_gives_no_more_time(self) -> None:
        session = DETECTOR.session(seconds=5)
        session.update(frame(0.9), timestamp_ms=1000)
        session.update(frame(0.9), timestamp_ms=5000)
        session.update(frame(0.9), timestamp_ms=1000)
        assert session.state["last_ms"] == 5000
        decision = session.update(frame(0.9), timestamp_ms=-1e6).decision
        assert decision is not None and decision.reason is SessionReason.TIMED_OUT

    def test_a_decided_session_is_closed(self) -> None:
        session = DETECTOR.session()
        decision = visit(session, 0.25).decision
        with pytest.raises(SessionClosedError, match="start a new one"):
            session.update(frame(0.9))
        with pytest.raises(SessionClosedError):
            session.take(session.look(frame(0.9)))
        assert session.decision == decision

    def test_what_cannot_be_read_changes_nothing(self) -> None:
        session = DETECTOR.session()
        visit(session, 0.9)
        before = session.state
        with pytest.raises(ImageError):
            session.update(b"broken", timestamp_ms=1)
        with pytest.raises(ValueError, match="timestamp_ms"):
            session.update(frame(0.9), timestamp_ms=float("nan"))
        assert session.state == before

    def test_the_person_is_told_what_to_do(self) -> None:
        assert DETECTOR.session().guidance is Guidance.LOOK_STRAIGHT
        assert visit(DETECTOR.session(), DARK).guidance is Guidance.MORE_LIGHT
        nobody = LivenessDetector(brightness(), faces=BoxInMind(boxes=()))
        assert visit(nobody.session(), 0.9).guidance is Guidance.FACE_THE_CAMERA

    @pytest.mark.parametrize("options", [{"floor": -0.1}, {"floor": float("nan")}, {"seconds": 0}, {"seconds": np.inf}])
    def test_options_out_of_range(self, options: Dict[str, float]) -> None:
        with pytest.raises(ValueError, match="floor"):
            DETECTOR.session(**options)  # type: ignore[arg-type]


JUDGED = {score: DETECTOR.predict(frame(score)) for score in (0.25, 0.35, 0.5, 0.7, 0.9)}
FRAMES = [JUDGED[0.9], JUDGED[0.9], *JUDGED.values(), DETECTOR.predict(DARK)]
FRAMES.append(DETECTOR.predict(frame(0.9), face=ELSEWHERE))
WHITE = [-2.0] * 3
LIGHTS: List[Optional[List[float]]] = [
    None,
    WHITE,
    *(list(light) for light in ((-1.9, -2.1, -2.1), (-2.1, -1.9, -2.1), (-2.1, -2.1, -1.9))),
]
Visit = List[Tuple[Any, int, Any]]
visits = st.lists(st.tuples(st.sampled_from(FRAMES), st.integers(0, 3000), st.sampled_from(LIGHTS)), max_size=14)


def steps(frames: Visit, challenge: Any = None, *, through_json: bool = False) -> List[Any]:
    """All steps of a visit; with ``through_json`` each in a session of its own, from the state of the one before."""
    session, now_ms, taken = DETECTOR.session(challenge=challenge), 0, []
    for judged, pause_ms, light in frames:
        now_ms += pause_ms
        if through_json:
            again = ScreenLight(colours=2) if challenge is not None else None
            session = DETECTOR.session(challenge=again, state=json.loads(json.dumps(session.state)))
            assert not session.state_discarded
        if session.decision is not None:
            break
        taken.append(session.take(SessionFrame(judged, light), timestamp_ms=now_ms))
    return taken


class TestLaws:
    @given(visits)
    def test_it_decides_once_and_accepts_no_frame_below_the_floor(self, frames: Visit) -> None:
        taken = steps(frames)
        assert all(step.decision is None for step in taken[:-1])
        if taken and taken[-1].decision:
            scores = [step.result.score for step in taken if step.result.score is not None]
            assert min(scores) >= 0.3 and taken[-1].decision.vote >= 0.5
            assert len(scores) >= 5

    @given(visits)
    def test_a_challenge_turns_no_refusal_into_an_accept(self, frames: Visit) -> None:
        plain, challenged = steps(frames), steps(frames, ScreenLight(colours=2))
        if challenged and challenged[-1].decision:
            assert plain[-1].decision

    @given(visits)
    def test_a_state_goes_through_json_without_a_change(self, frames: Visit) -> None:
        assert steps(frames, through_json=True) == steps(frames)


class TestState:
    def test_a_closed_session_stays_closed(self) -> None:
        session = DETECTOR.session()
        visit(session, *[0.9] * 5)
        again = DETECTOR.session(state=json.loads(json.dumps(session.state)))
        assert again.decision == session.decision and not again.state_discarded
        with pytest.raises(SessionClosedError):
            again.update(frame(0.9))

    @pytest.mark.parametrize(
        "change",
        [
            {"version": 0},
            {"version": None},
            {"window": 3},
            {"scores": [0.9, 1.5]},
            {"scores": [float("nan")]},
            {"scores": None},
            {"scores": []},
            {"face_px": None},
            {"face_px": [0, 0, 0, 0]},
            {"face_px": "abcd"},
            {"missed": "1"},
            {"missed": -1},
            {"started_ms": None},
            {"last_ms": -1},
            {"last_ms": 1e999},
            {"answered": False},
            {"answered": 1},
            {"challenge": {"name": "head_turn"}},
            {"challenge": 7},
            {"decision": {"accepted": True}},
            {"decision": {"accepted": True, "reason": "timed_out", "vote": 1, "frames": 5}},
            {"decision": {"accepted": False, "reason": None, "vote": 1, "frames": 5}},
            {"decision": {"accepted": False, "reason": "nonsense", "vote": 1, "frames": 5}},
        ],
    )
    def test_a_damaged_state_starts_anew(self, change: Dict[str, Any]) -> None:
        session = DETECTOR.session()
        visit(session, 0.9, 0.9)
        name = next(iter(change))
        for damaged in ({**session.state, **change}, {key: session.state[key] for key in session.state if key != name}):  # type: ignore[literal-required]
            again = DETECTOR.session(state=damaged)  # type: ignore[arg-type]
            assert again.state_discarded and again.state == DETECTOR.session().state

    @pytest.mark.parametrize("state", ["", [], 5, {}, {"version": 1}, "x" * 9])
    def test_what_is_no_state_at_all_starts_anew(self, state: Any) -> None:
        assert DETECTOR.session(state=state).state_discarded
        assert not DETECTOR.session(state=None).state_discarded

    def test_a_state_of_another_challenge_starts_anew(self) -> None:
        turn = DETECTOR.session(challenge=HeadTurn()).state
        assert DETECTOR.session(challenge=ScreenLight(), state=turn).state_discarded
        assert DETECTOR.session(state=turn).state_discarded
        assert DETECTOR.session(challenge=HeadTurn(), state=DETECTOR.session().state).state_discarded


class TestWithAChallenge:
    def test_the_visit_goes_on_until_the_screen_was_answered(self) -> None:
        session = DETECTOR.session(challenge=ScreenLight(colours=5))
        judged, now_ms = JUDGED[0.9], 0
        light: List[float] = WHITE
        while session.decision is None:
            assert session.screen is not None
            code = session.screen[0]
            light = [-2 + 0.1 * int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]
            step = session.take(SessionFrame(judged, light), timestamp_ms=now_ms)
            now_ms += 500
        assert step.decision and step.decision.frames == 7 and step.screen is None

    def test_a_face_that_does_not_follow_is_refused(self) -> None:
        session = DETECTOR.session(challenge=ScreenLight())
        taken = [session.take(SessionFrame(JUDGED[0.9], WHITE), timestamp_ms=at) for at in range(3)]
        assert taken[-1].decision is not None
        assert taken[-1].decision.reason is SessionReason.CHALLENGE_FAILED

    def test_colours_are_measured_in_the_order_that_was_said(self) -> None:
        picture = frame(0.6)
        picture[..., 2] //= 2
        rgb = DETECTOR.session(challenge=ScreenLight()).look(picture)
        bgr = DETECTOR.session(challenge=ScreenLight(), order="BGR").look(picture[..., ::-1], face=FACE.edges)
        assert rgb.seen is not None and rgb.seen[2] < rgb.seen[0] - 1
        assert bgr == rgb

    def test_a_head_turn_that_sees_no_face_is_never_answered(self) -> None:
        session = DETECTOR.session(challenge=HeadTurn(), seconds=5)
        assert visit(session, *[0.9] * 12).decision.reason is SessionReason.TIMED_OUT

    def test_colours_of_the_screen_are_colours(self) -> None:
        assert all(len(code) == 7 and code.startswith("#") for code in COLOURS.values())
