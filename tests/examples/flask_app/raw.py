"""Plain sockets, for clients that speak HTTP badly, slowly, or never to the end."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from tests.examples.flask_app.serving import PATIENCE_S

__all__ = ["connected", "exchange", "read_all", "resident_mib", "statuses"]


@contextlib.contextmanager
def connected(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Open connections to the server on this machine."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)) for _ in range(count)
        ]


def exchange(port: int, sent: bytes) -> bytes:
    """Send bytes, end the sending side, and read until the server closes."""
    with connected(port, 1) as (connection,):
        with contextlib.suppress(OSError):  # the server may have closed already
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            received += part
    return received


def statuses(received: bytes) -> list[int]:
    """The status of each response in a stream of them."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", received)]


def resident_mib(pid: int) -> float:
    """The memory a process holds; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
