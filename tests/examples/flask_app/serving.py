"""Real servers for the tests: the app as an operator starts it, and Redis; and a client that speaks plain HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple, Optional

from tests.examples.flask_app.scene import ROOT

PATIENCE_S = 120.0
PATIENT = {
    "FACELIVE_RATE_LIMIT": "100000 per second",
    "FACELIVE_SESSION_TTL_S": "3600",  # a busy machine lets minutes pass between two pictures
    "FACELIVE_VISIT_S": "600",
    "FACELIVE_TRIES": "1000",
    "FACELIVE_REMEMBERED_FRAMES": "0",  # a film of one picture stands still, as no camera does
}


class Answer(NamedTuple):
    """A response: its status, its JSON, and its headers."""

    status: int
    json: dict[str, Any]
    headers: dict[str, str]


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool]) -> None:
    """Poll until a condition holds; fail when it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S} s in vain")
        time.sleep(0.05)


def upload(
    port: int,
    picture: bytes,
    *,
    session: Optional[str] = None,
    oval: Optional[str] = None,
    cookie: Optional[str] = None,
    name: str = "picture",
) -> Answer:
    """Post a picture to ``/upload`` as a client does, with a session in the form or in a cookie."""
    body, headers = form(picture, name=name, session=session, oval=oval)
    if cookie is not None:
        headers["Cookie"] = cookie
    return ask(port, "POST", "/upload", body, headers)


def form(picture: bytes, *, name: str = "picture", **fields: Optional[str]) -> tuple[bytes, dict[str, str]]:
    """A multipart form with a picture and text fields: its body and its headers."""
    boundary = secrets.token_hex(16)
    parts = [f'Content-Disposition: form-data; name="{name}"; filename="f.jpg"\r\nContent-Type: image/jpeg'.encode()]
    bodies = [picture]
    for field, value in fields.items():
        if value is not None:
            parts.append(f'Content-Disposition: form-data; name="{field}"'.encode())
            bodies.append(value.encode())
    body = b"".join(
        b"--" + boundary.encode() + b"\r\n" + part + b"\r\n\r\n" + content + b"\r\n"
        for part, content in zip(parts, bodies)
    )
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def ask(
    port: int, method: str, path: str, body: Optional[bytes] = None, headers: Optional[dict[str, str]] = None
) -> Answer:
    """One request to a server on this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, json.loads(response.read() or b"{}"), dict(response.getheaders()))
    finally:
        connection.close()


@contextlib.contextmanager
def serving(port: Optional[int] = None, environment: Optional[Mapping[str, str]] = None) -> Iterator[int]:
    """Run ``python -m examples.flask_app`` and yield its port."""
    port = port or free_port()
    with serving_process(port, environment):
        yield port


@contextlib.contextmanager
def serving_process(
    port: int, environment: Optional[Mapping[str, str]] = None, *, module: str = "examples.flask_app", options: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """Run an example that listens on a port and yield its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--port", str(port), *options.split()],
        cwd=ROOT,
        env={**os.environ, **PATIENT, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: process.poll() is not None or listens(port))
        assert process.poll() is None, f"the server ended with code {process.returncode}"
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def redis_server(port: int) -> Iterator[str]:
    """Run a Redis that keeps nothing on disk and yield its URL; leaving kills it as a crash would."""
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(port))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Whether a server accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
