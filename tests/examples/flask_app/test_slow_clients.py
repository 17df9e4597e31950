"""Clients that send slowly, or much, and never finish: the others are served, and memory stays within its limit."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.raw import connected, read_all, resident_mib, statuses
from tests.examples.flask_app.serving import free_port, serving, serving_process, upload, wait_for

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)
pytest.importorskip("waitress", reason="waitress is not installed: pip install -r examples/flask_app/requirements.txt")

LIVE = scene.jpeg(scene.live())
SLOW_HEADER = b"POST /upload HTTP/1.1\r\nHost: here\r\nX-Slow: "
SLOW_BODY = (
    b"POST /upload HTTP/1.1\r\nHost: here\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 100000\r\n\r\n"
)


@contextlib.contextmanager
def trickling(connections: list[socket.socket]) -> Iterator[None]:
    """Send a byte on each connection four times a second, as long as it is open."""
    ended = threading.Event()

    def trickle() -> None:
        while not ended.wait(0.25):
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.send(b"x")

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def is_cut(connection: socket.socket) -> bool:
    """Whether the server has closed a connection on which it has not answered."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_many_slow_requests_hold_no_thread() -> None:
    with serving(environment={"FACELIVE_THREADS": "1"}) as port, connected(port, 300) as slow:
        for number, connection in enumerate(slow):
            connection.sendall(SLOW_BODY if number % 2 else SLOW_HEADER)
        assert upload(port, LIVE).status == 200, "one thread, 300 unfinished requests"


@pytest.mark.parametrize("begun", [SLOW_HEADER, SLOW_BODY], ids=["header", "body"])
def test_a_request_that_trickles_is_cut_and_makes_room(begun: bytes) -> None:
    """More slow connections than the server takes: the next client waits until the first are cut off."""
    environment = {"FACELIVE_CONNECTIONS": "20", "FACELIVE_REQUEST_TIMEOUT_S": "2"}
    with serving(environment=environment) as port, connected(port, 40) as slow:
        for connection in slow:
            connection.sendall(begun)
        with trickling(slow):
            assert upload(port, LIVE).status == 200
            wait_for(lambda: is_cut(slow[0]))


def test_a_connection_may_stay_for_its_next_request() -> None:
    with serving(environment={"FACELIVE_REQUEST_TIMEOUT_S": "60"}) as port, connected(port, 1) as (connection,):
        seen = b""
        for _ in range(3):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
            while seen.count(b"}\n") < 1:
                seen += connection.recv(4096)
            assert statuses(seen) == [200]
            seen = b""


def test_bodies_that_never_end_leave_memory() -> None:
    """Thirty-two of the largest uploads are held at once; beyond that the largest unfinished one is cut off."""
    port, part = free_port(), b"\0" * 900_000
    environment = {"FACELIVE_MAX_BYTES": str(2**20), "FACELIVE_CONNECTIONS": "300"}
    with serving_process(port, environment) as server, connected(port, 150) as many:
        assert upload(port, LIVE).status == 200
        before = resident_mib(server.pid)
        for connection in many:
            with contextlib.suppress(OSError):  # cut off already
                connection.sendall(SLOW_BODY.replace(b"100000", b"1000000") + part)
        assert upload(port, LIVE).status == 200
        wait_for(lambda: sum(is_cut(connection) for connection in many) > 75)
        assert resident_mib(server.pid) - before < 80, "129 MiB were sent and 32 may be held, in buffers that grow"


def test_sessions_beyond_the_limit_push_the_oldest_out() -> None:
    """Whoever opens sessions without end takes no more memory than the limit; ``test_stores`` fills all 10,000."""
    port, each, limit = free_port(), 500, 1000
    request = b"POST /session HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n"
    # One thread answers a pipeline fastest.
    environment = {"FACELIVE_CHALLENGE": "light", "FACELIVE_THREADS": "1", "FACELIVE_MAX_SESSIONS": str(limit)}
    with serving_process(port, environment) as server:
        before, opened = resident_mib(server.pid), []
        for _ in range(3 * limit // each):
            with connected(port, 1) as (connection,):
                last = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
                connection.sendall(request * (each - 1) + last)
                received = read_all(connection)
            assert statuses(received) == [200] * each
            answers = [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 ")[1:]]
            opened += [json.loads(answer) for answer in answers]
        assert len({answer["session"] for answer in opened}) == 3 * limit
        assert resident_mib(server.pid) - before < 20
        for answer, known in ((opened[0], False), (opened[-limit + 2], True), (opened[-1], True)):
            told = upload(port, LIVE, session=answer["session"])
            assert told.status == 200
            assert (told.json["session"] == answer["session"]) is known
