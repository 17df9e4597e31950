"""What the client says to the backend and what it hears; knows nothing of Flet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import httpx

__all__ = ["WINDOW", "Backend", "Seen", "State"]

State = Literal["idle", "starting", "looking", "live", "spoof", "rejected", "trouble"]

WINDOW = 5
"""How many votes decide, until the backend says otherwise."""


@dataclass(frozen=True)
class Seen:
    """What a person is shown.

    Args:
        state: Chooses the colours.
        headline: The decision, in a word or two.
        advice: What to do, in a sentence.
        percentage: The vote so far, as ``97.31% Real``; empty before there is one.
        votes: The last votes, oldest first, true for a live frame.
        window: How many votes decide.
        wait_s: How long the backend asks to wait before the next picture.
    """

    state: State
    headline: str
    advice: str
    percentage: str = ""
    votes: tuple[bool, ...] = ()
    window: int = WINDOW
    wait_s: float = 0.0


class Backend:
    """One client's side of ``POST /upload``: it sends pictures and follows the votes.

    Args:
        server: The backend's address, such as ``http://127.0.0.1:5000``.
    """

    def __init__(self, server: str) -> None:
        self._http = httpx.AsyncClient(base_url=server, timeout=10)
        self._session = ""
        self._votes: tuple[bool, ...] = ()

    async def judge(self, picture: bytes) -> Seen:
        """Send one picture, encoded, and tell what to show."""
        fields = {"session": self._session} if self._session else {}
        try:
            response = await self._http.post("/upload", data=fields, files={"picture": ("frame.jpg", picture)})
            return self._seen(response, response.json())
        except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError):  # or not the backend's answer
            return Seen("trouble", "No answer", "The server does not answer. Trying again.", wait_s=1)

    def _seen(self, response: httpx.Response, answer: dict[str, Any]) -> Seen:
        self._session = answer.get("session", self._session)
        if response.status_code == 200:
            self._votes = (*self._votes, answer["score"] >= answer["threshold"])[-answer["frames"] :]
            return self._voted(answer)
        if response.status_code == 422:
            self._votes = self._votes[-answer["frames"] :] if answer["frames"] else ()
            return Seen("rejected", "Not yet", answer["message"], votes=self._votes, window=answer["window"])
        wait_s = float(response.headers.get("Retry-After", 1))
        return Seen("trouble", "Please wait", answer["message"], votes=self._votes, wait_s=wait_s)

    def _voted(self, answer: dict[str, Any]) -> Seen:
        if answer["frames"] < answer["window"]:
            state: State = "looking"
            headline, advice = "Looking", "Hold still a moment longer."
        else:
            state = "live" if answer["is_live"] else "spoof"
            headline, advice = answer["decision"], answer["message"]
        return Seen(state, headline, advice, answer["percentage"], self._votes, answer["window"])

    async def forget(self) -> None:
        """End the session, so that the next picture starts a new vote."""
        session, self._session, self._votes = self._session, "", ()
        if session:
            try:
                await self._http.request("DELETE", "/session", data={"session": session})
            except httpx.HTTPError:
                return  # the backend forgets it by itself, only later

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()
