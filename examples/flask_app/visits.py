"""What the routes do: open a visit, look at its frames until the library decides, and count the tries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Optional

from examples.flask_app.answers import NO_MORE_TRIES, answer
from examples.flask_app.clients import client
from examples.flask_app.digits.listening import NotAsked, sound_of
from examples.flask_app.digits.recogniser import Recogniser
from examples.flask_app.digits.spoken import SpokenDigits
from examples.flask_app.framing import Oval, guidance
from examples.flask_app.settings import Settings
from examples.flask_app.stores import SessionStore, State
from examples.flask_app.uploads import Decoder, RepeatedFrame, digest, read_upload
from flask import Response, g, jsonify, request
from werkzeug.exceptions import BadRequest, TooManyRequests

from facelive import Guidance, LivenessDetector, LivenessSession, SessionStep
from facelive.challenges import Challenge, HeadTurn, ScreenLight

__all__ = ["Account", "Decided", "Visits"]

Account = Callable[[], "str | None"]
"""Names the account that the current request wants to enter; ``None`` when nobody knows yet."""
Decided = Callable[["str | None", bool], None]
"""Hears of each visit's end: its account, and whether it was accepted."""

Asked = Optional[dict[str, str]]

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{32}")
_CHALLENGES: dict[str, Callable[[], Challenge | None]] = {
    "off": lambda: None,
    "turn": HeadTurn,
    "light": ScreenLight,
    "digits": SpokenDigits,
    "turn+digits": lambda: SpokenDigits(HeadTurn()),
    "light+digits": lambda: SpokenDigits(ScreenLight()),
}


class NoMoreTries(TooManyRequests):
    """This client, or the account it wants to enter, was refused too often."""

    reason = "no_more_tries"
    description = NO_MORE_TRIES


class Visits:
    """The routes around ``LivenessDetector.session``."""

    def __init__(
        self, detector: LivenessDetector, store: SessionStore, settings: Settings, account: Account, decided: Decided
    ) -> None:
        self._detector = detector
        self._store = store
        self._settings = settings
        self._account = account
        self._decided = decided
        self._recogniser = Recogniser() if "digits" in settings.challenge else None
        self._decoder = Decoder(at_once=settings.decodes, max_pixels=settings.max_pixels)

    def open(self) -> Response:
        """Open a visit, in place of the client's last one, and say what it will ask for.

        Raises:
            NoMoreTries: Too many were refused.
            BadRequest: The form cannot be read, or its field ``flashing`` or ``speaking`` is neither yes nor no.
        """
        self._refuse_more_tries()
        if request.content_length and not request.form:
            raise BadRequest("The form cannot be read: send none, or one with the fields 'flashing' and 'speaking'.")
        kind = _without(self._settings.challenge, light=_declined("flashing"), digits=_declined("speaking"))
        visit, _ = self._visit(kind, None)
        self._store.forget(_session_sent())
        session, _ = self._store.change(None, lambda _, now_ms: (None, {"kind": kind, "visit": visit.state}))
        asked = visit.guidance
        told = {"challenge": kind, "screen": visit.screen, "guidance": None if asked is None else asked.value}
        return self._with_session({"status": "success", "message": "Ready.", "session": session, **told}, session)

    def upload(self) -> Response:
        """Look at the field ``picture`` and take it into the client's visit, or into a new one.

        Raises:
            NoMoreTries: Too many were refused; nothing is judged, for any answer would help with the next attack.
        """
        sent, oval = _session_sent(), Oval.read(request.form.get("oval", ""))
        data = read_upload(request)
        self._refuse_more_tries()
        looker, _ = self._visit(self._kind(sent), None)
        with self._decoder.decoded(data) as picture:
            frame = looker.look(picture.pixels)
        if frame.result.score is not None and not self._store.remember(digest(data)):  # a dark camera may repeat
            raise RepeatedFrame
        wanted = guidance(frame.result, picture, oval)

        def take(state: State, now_ms: float) -> tuple[tuple[SessionStep, str | None, list[float], Asked], State]:
            kind = _kind_of(state, self._settings.challenge)
            visit, challenge = self._visit(kind, state)
            if wanted is not None and not visit.progress:  # it begins with the first face in its place
                step = SessionStep(frame.result, None, visit.screen, visit.progress, None)
                return (step, wanted, [], None), {"kind": kind, "visit": visit.state}
            step = visit.take(frame, timestamp_ms=now_ms)
            told = None if step.guidance is None else step.guidance.value
            asked = _asked(challenge) if visit.progress and step.decision is None else None
            if asked is not None and told == Guidance.LOOK_STRAIGHT.value:
                told = "say_the_digits"
            kept = None if step.decision is not None else {"kind": kind, "visit": visit.state}
            return (step, told, visit.state["scores"], asked), kept

        session, (step, told, scores, asked) = self._store.change(sent, take)
        face = frame.result.face
        if face is not None:
            step = replace(step, result=replace(frame.result, face=face.scaled(picture.scale)))
        spoken = answer(
            step,
            guidance=told,
            scores=scores,
            session=session,
            tries_left=None if step.decision is None else self._ended(step.decision.accepted),
            exact=bool(self._settings.scores),
            digits=asked,
        )
        return self._with_session(spoken, session, status=200 if spoken["status"] == "success" else 422)

    def listen(self) -> Response:
        """Listen to the field ``sound``; whether it said the digits of ``nonce`` counts with the next picture.

        Raises:
            NoMoreTries: Too many were refused.
            NotAsked: The digits are not, or no more, those of the client's visit.
        """
        sent, nonce = _session_sent(), request.form.get("nonce", "")
        samples = sound_of(request)
        self._refuse_more_tries()
        state = None if sent is None else self._store.read(sent)
        _, challenge = self._visit(_kind_of(state, "off"), state)
        if self._recogniser is None or not isinstance(challenge, SpokenDigits) or not challenge.asks(nonce):
            raise NotAsked
        said = self._recogniser.said(samples, challenge.asked)

        def take(state: State, now_ms: float) -> tuple[tuple[bool, Asked], State]:
            kind = _kind_of(state, "off")
            visit, challenge = self._visit(kind, state)
            if not isinstance(challenge, SpokenDigits) or not challenge.hear(nonce, said=said):
                return (False, None), state
            return (True, _asked(challenge)), {"kind": kind, "visit": visit.state}

        session, (taken, asked) = self._store.change(sent, take)
        if not taken:
            raise NotAsked
        message = "Thank you: hold still." if asked is None else "That was not understood: say these digits."
        return jsonify(status="success", message=message, digits=asked, session=session)

    def end(self) -> Response:
        """Forget the client's visit."""
        self._store.forget(_session_sent())
        response = jsonify(status="success", message="The session is forgotten.")
        response.delete_cookie(_cookie(), httponly=True, secure=request.is_secure, samesite="Strict")
        return response

    def health(self) -> Response:
        """Whether the next upload can be answered."""
        self._store.check()
        return jsonify(status="success", message="Ready.", model=self._detector.model.card.name)

    def _refuse_more_tries(self) -> None:
        if self._store.tries(self._names()) >= self._settings.tries:
            raise NoMoreTries

    def _ended(self, accepted: bool) -> int:
        """Count a visit that has ended; how many more there may be, below 0 if this one was too many."""
        names = self._names()
        left = self._settings.tries - self._store.tries(names, add=1)  # counted first: visits may end side by side
        accepted = accepted and left >= 0
        if accepted:
            self._store.forgive(names)
        g.decision = "accepted" if accepted else "refused"
        self._decided(self._account(), accepted)
        return self._settings.tries if accepted else left

    def _names(self) -> list[str]:
        account = self._account()
        names = [f"client {client()}", *([] if account is None else [f"account {account}"])]
        return [hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).hexdigest() for name in names]

    def _kind(self, session: str | None) -> str:
        if self._settings.challenge == "off" or session is None:
            return self._settings.challenge
        return _kind_of(self._store.read(session), self._settings.challenge)

    def _visit(self, kind: str, state: State) -> tuple[LivenessSession, Challenge | None]:
        """A visit that goes on, and its challenge; one whose state does not fit any more, or has ended, begins anew."""
        for kept in (state.get("visit") if state else None, None):
            challenge = _CHALLENGES[kind]()
            visit = self._detector.session(challenge=challenge, seconds=self._settings.visit_s, state=kept)
            if visit.decision is None:
                break
        return visit, challenge

    def _with_session(self, told: dict[str, Any], session: str, *, status: int = 200) -> Response:
        response = jsonify(told)
        response.status_code = status
        age_s = self._settings.session_ttl_s
        response.set_cookie(
            _cookie(), session, max_age=age_s, httponly=True, secure=request.is_secure, samesite="Strict"
        )
        return response


def _declined(field: str) -> bool:
    """Whether the person will not have it.

    Raises:
        BadRequest: The field is neither yes nor no.
    """
    answer = request.form.get(field, "yes")
    if answer not in ("yes", "no"):
        raise BadRequest(f"The field {field!r} must be yes or no.")
    return answer == "no"


def _without(kind: str, *, light: bool, digits: bool) -> str:
    """The challenge for who will not have one or both of these: a turn of the head in their place."""
    parts = [part for part in kind.split("+") if not (digits and part == "digits")] or ["turn"]
    return "+".join("turn" if light and part == "light" else part for part in parts)


def _asked(challenge: Challenge | None) -> Asked:
    """What the person must say now, with its nonce."""
    if not isinstance(challenge, SpokenDigits) or not challenge.waiting:
        return None
    return {"say": " ".join(map(str, challenge.asked)), "nonce": challenge.nonce}


def _kind_of(state: State, otherwise: str) -> str:
    kind = state.get("kind") if state else None
    return kind if isinstance(kind, str) and kind in _CHALLENGES else otherwise


def _cookie() -> str:
    """With https, a name that no other host and no plain-http page can set."""
    return "__Host-facelive_session" if request.is_secure else "facelive_session"


def _session_sent() -> str | None:
    """The session id of the form field or the cookie, if it looks like one; only the store knows whether it is."""
    sent = request.form.get("session") or request.cookies.get(_cookie(), "")
    return sent if _SESSION_ID.fullmatch(sent) else None
