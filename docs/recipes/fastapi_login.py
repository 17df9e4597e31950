"""A route behind a visit, with FastAPI: who is accepted gets a pass that opens it once."""

from __future__ import annotations

import secrets
import time
from typing import Dict

from fastapi import Depends, FastAPI, Header, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from starlette.websockets import WebSocketState

from facelive import ImageError, LivenessDetector

MAX_BYTES = 8 * 2**20
PASS_SECONDS = 60

app = FastAPI()
detector = LivenessDetector()
passes: Dict[str, float] = {}  # until when each is good


@app.websocket("/visit")
async def visit(socket: WebSocket) -> None:
    """One connection is one visit: a frame in, what to do out, until it is decided."""
    await socket.accept()
    session = detector.session()
    try:
        while session.decision is None:
            frame = (await socket.receive()).get("bytes")
            if frame is None or len(frame) > MAX_BYTES:
                break
            step = await run_in_threadpool(session.update, frame)
            guidance = None if step.guidance is None else step.guidance.value
            answer = {"progress": step.progress, "guidance": guidance, "accepted": None, "pass": None}
            if step.decision is not None:
                answer["accepted"] = bool(step.decision)
                answer["pass"] = _new_pass() if step.decision else None
            await socket.send_json(answer)
    except (ImageError, WebSocketDisconnect):  # no picture, or the client is gone: no pass
        pass
    if socket.client_state is WebSocketState.CONNECTED:
        await socket.close()


def _new_pass() -> str:
    now = time.monotonic()
    for old in [one for one, until in passes.items() if until < now]:
        del passes[old]
    name = secrets.token_urlsafe()
    passes[name] = now + PASS_SECONDS
    return name


def live_visitor(x_live_pass: str = Header("")) -> None:
    """Lets a request through once for each accepted visit."""
    if passes.pop(x_live_pass, 0.0) < time.monotonic():
        raise HTTPException(401, "show your face first")


@app.get("/account", dependencies=[Depends(live_visitor)])
def account() -> Dict[str, str]:
    return {"balance": "42"}
