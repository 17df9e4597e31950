"""Photos over HTTP and a camera over a WebSocket, with FastAPI."""

from __future__ import annotations

from typing import Any, Dict, Optional

from fastapi import FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool

from facelive import ImageError, LivenessDetector, LivenessStream

MAX_BYTES = 8 * 2**20

app = FastAPI()
detector = LivenessDetector()


@app.post("/liveness")
async def liveness(request: Request) -> Dict[str, Any]:
    """Judge the picture that is the body of the request."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise HTTPException(413, f"at most {MAX_BYTES} bytes")
    try:
        result = await run_in_threadpool(detector.predict, bytes(body))
    except ImageError as error:
        raise HTTPException(400, str(error)) from error
    return result.to_dict()


@app.websocket("/camera")
async def camera(socket: WebSocket) -> None:
    """One connection is one client with one stream: a frame in, an answer out."""
    await socket.accept()
    stream = detector.stream(max_age_ms=20_000)
    try:
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            await socket.send_json(await _answer(stream, message.get("bytes")))
    except WebSocketDisconnect:  # while the answer was on its way
        pass


async def _answer(stream: LivenessStream, frame: Optional[bytes]) -> Dict[str, Any]:
    """A verdict, or what is wrong with the frame; a frame of text has no bytes."""
    if frame is None or len(frame) > MAX_BYTES:
        return {"error": f"send a picture as a binary frame of at most {MAX_BYTES} bytes, not as text"}
    try:
        return (await run_in_threadpool(stream.update, frame)).to_dict()
    except ImageError as error:
        return {"error": str(error)}
