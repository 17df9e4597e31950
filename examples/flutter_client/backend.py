"""What the client says to the backend and what it hears; knows nothing of Flet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import httpx

__all__ = ["Backend", "Seen", "State"]

State = Literal["idle", "starting", "guiding", "looking", "live", "spoof", "out", "trouble"]

OVAL = "0.15,0.05,0.85,0.95"
"""Where the face has to be, as parts of the picture; the camera's preview fills the stage, and this most of it."""

NO_ANSWER = "The server does not answer. Trying again."


@dataclass(frozen=True)
class Seen:
    """What a person is shown.

    Args:
        state: Chooses the colours; ``live``, ``spoof`` and ``out`` end the visit.
        headline: What happens, in a few words.
        advice: What to do, in a sentence.
        guidance: Where the face should go, in the backend's word for it; empty when there is nothing to do.
        progress: How far the visit is, in [0, 1].
        wait_s: How long the backend asks to wait before the next picture.
    """

    state: State
    headline: str
    advice: str
    guidance: str = ""
    progress: float = 0.0
    wait_s: float = 0.0

    @property
    def done(self) -> bool:
        """Whether the visit has ended."""
        return self.state in ("live", "spoof", "out")


class Backend:
    """One client's side of the wire: it opens a visit, sends pictures, and says what came of them.

    Args:
        server: The backend's address, such as ``http://127.0.0.1:5000``.
    """

    def __init__(self, server: str) -> None:
        self._http = httpx.AsyncClient(base_url=server, timeout=10)
        self._session = ""

    async def open(self) -> Seen:
        """Open a visit; this client's screen lights no face, so it asks for a turn of the head instead."""
        return await self._ask("/session", {"flashing": "no"})

    async def judge(self, picture: bytes) -> Seen:
        """Send one picture, encoded, and tell what to show."""
        fields = {"session": self._session, "oval": OVAL}
        return await self._ask("/upload", fields, {"picture": ("frame.jpg", picture)})

    async def _ask(self, path: str, fields: dict[str, str], files: dict[str, tuple[str, bytes]] | None = None) -> Seen:
        try:
            response = await self._http.post(path, data=fields, files=files)
            return self._seen(response, response.json())
        except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError):  # or not the backend's answer
            return Seen("trouble", "No answer", NO_ANSWER, wait_s=1)

    def _seen(self, response: httpx.Response, answer: dict[str, Any]) -> Seen:
        message = answer["message"]
        if answer.get("reason") == "no_more_tries":
            return Seen("out", "No more tries", message)
        if response.status_code not in (200, 422):
            return Seen("trouble", "Please wait", message, wait_s=float(response.headers.get("Retry-After", 1)))
        self._session = answer["session"]
        if "done" not in answer:  # a visit was opened
            return Seen("guiding", "Hold your face in the oval", "It starts by itself.")
        if answer["is_live"] is True and answer["done"] is True:
            return Seen("live", "Done", message, progress=1)
        if answer["done"]:
            return self._refused(message, answer["tries_left"])
        guidance, progress = answer["guidance"] or "", float(answer["progress"])
        if response.status_code == 422 or not progress:
            return Seen("guiding", "Not yet", message, guidance, progress)
        headline = "Turn your head" if guidance.startswith("turn_") else "Looking"
        return Seen("looking", headline, message, guidance, progress)

    def _refused(self, message: str, tries_left: int) -> Seen:
        if not tries_left:
            return Seen("out", "No more tries", f"{message} Please take the other way in.")
        left = "1 try is left." if tries_left == 1 else f"{tries_left} tries are left."
        return Seen("spoof", "Try again", f"{message} {left}")

    async def forget(self) -> None:
        """End the visit."""
        session, self._session = self._session, ""
        if session:
            try:
                await self._http.request("DELETE", "/session", data={"session": session})
            except httpx.HTTPError:
                return  # the backend forgets it by itself, only later

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()
