"""What the routes do: open a visit, look at its frames until the library decides, and count the tries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from examples.flask_app.answers import NO_MORE_TRIES, answer
from examples.flask_app.clients import client
from examples.flask_app.framing import Oval, guidance
from examples.flask_app.settings import Settings
from examples.flask_app.stores import SessionStore, State
from examples.flask_app.uploads import Decoder, RepeatedFrame, digest, read_upload
from flask import Response, g, jsonify, request
from werkzeug.exceptions import BadRequest, TooManyRequests

from facelive import LivenessDetector, LivenessSession, SessionStep
from facelive.challenges import Challenge, HeadTurn, ScreenLight

__all__ = ["Account", "Decided", "Visits"]

Account = Callable[[], "str | None"]
"""Names the account that the current request wants to enter; ``None`` when nobody knows yet."""
Decided = Callable[["str | None", bool], None]
"""Hears of each visit's end: its account, and whether it was accepted."""

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{32}")
_CHALLENGES: dict[str, Callable[[], Challenge | None]] = {"off": lambda: None, "turn": HeadTurn, "light": ScreenLight}


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
        self._decoder = Decoder(at_once=settings.decodes, max_pixels=settings.max_pixels)

    def open(self) -> Response:
        """Open a visit, in place of the client's last one, and say what it will ask for.

        Raises:
            NoMoreTries: Too many were refused.
            BadRequest: The form cannot be read, or its field ``flashing`` is neither yes nor no.
        """
        self._refuse_more_tries()
        if request.content_length and not request.form:
            raise BadRequest("The form cannot be read: send none, or one with the field 'flashing'.")
        kind, flashing = self._settings.challenge, request.form.get("flashing", "yes")
        if flashing not in ("yes", "no"):
            raise BadRequest("The field 'flashing' must be yes or no.")
        if kind == "light" and flashing == "no":
            kind = "turn"
        visit = self._visit(kind, None)
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
        looker = self._visit(self._kind(sent), None)
        with self._decoder.decoded(data) as picture:
            frame = looker.look(picture.pixels)
        if frame.result.score is not None and not self._store.remember(digest(data)):  # a dark camera may repeat
            raise RepeatedFrame
        wanted = guidance(frame.result, picture, oval)

        def take(state: State, now_ms: float) -> tuple[tuple[SessionStep, str | None, list[float]], State]:
            kind = _kind_of(state, self._settings.challenge)
            visit = self._visit(kind, state)
            if wanted is not None and not visit.progress:  # it begins with the first face in its place
                step = SessionStep(frame.result, None, visit.screen, visit.progress, None)
                return (step, wanted, []), {"kind": kind, "visit": visit.state}
            step = visit.take(frame, timestamp_ms=now_ms)
            told = None if step.guidance is None else step.guidance.value
            kept = None if step.decision is not None else {"kind": kind, "visit": visit.state}
            return (step, told, visit.state["scores"]), kept

        session, (step, told, scores) = self._store.change(sent, take)
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
        )
        return self._with_session(spoken, session, status=200 if spoken["status"] == "success" else 422)

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

    def _visit(self, kind: str, state: State) -> LivenessSession:
        """A visit that goes on; one whose state does not fit any more, or has ended, begins anew."""
        kept = state.get("visit") if state else None
        visit = self._session(kind, kept)
        return visit if visit.decision is None else self._session(kind, None)

    def _session(self, kind: str, state: Any) -> LivenessSession:
        return self._detector.session(challenge=_CHALLENGES[kind](), seconds=self._settings.visit_s, state=state)

    def _with_session(self, told: dict[str, Any], session: str, *, status: int = 200) -> Response:
        response = jsonify(told)
        response.status_code = status
        age_s = self._settings.session_ttl_s
        response.set_cookie(
            _cookie(), session, max_age=age_s, httponly=True, secure=request.is_secure, samesite="Strict"
        )
        return response


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
