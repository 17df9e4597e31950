"""Photos over HTTP and a camera over a WebSocket, with FastAPI."""

from __future__ import annotations

from typing import Any, Dict

from fastapi import FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool

from facelive import ImageError, LivenessDetector

MAX_BYTES = 8 * 2**20

app = FastAPI()
detector = LivenessDetector(min_frames=5)


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
    """One connection is one client with one stream: a frame in, a verdict out."""
    await socket.accept()
    stream = detector.stream(max_age_ms=20_000)
    try:
        while True:
            frame = await socket.receive_bytes()
            try:
                result = await run_in_threadpool(stream.update, frame)
            except ImageError as error:
                await socket.send_json({"error": str(error)})
            else:
                await socket.send_json(result.to_dict())
    except WebSocketDisconnect:
        pass
