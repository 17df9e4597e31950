"""Waitress, made to outlast clients that send slowly, or much, and never finish."""

from __future__ import annotations

import re
from typing import Any

import waitress
from examples.flask_app.settings import Settings
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer

__all__ = ["bound"]

_MOST_UPLOADS_HELD = 32
_COUNT_EVERY_BYTES = 2**18
_MAX_HEADER_BYTES = 16 * 2**10
_NAMES = re.compile(rb"(?<=\r\n)[^:\r\n]+(?=:)")
_FOLDED = re.compile(rb"\r\n[ \t]")


class StrictParser(HTTPRequestParser):  # type: ignore[misc]
    """Takes no request whose end or host a proxy could see elsewhere, and with it another client's answer."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the request's line and headers."""
        super().parse_header(header_plus)
        names = [name.lower() for name in _NAMES.findall(header_plus)]
        if any(names.count(name) > 1 for name in (b"content-length", b"transfer-encoding", b"host")):
            raise ParsingError("Repeated Host, Content-Length or Transfer-Encoding")
        if any(b"_" in name for name in names) or _FOLDED.search(header_plus):
            raise ParsingError("Folded header, or underscore in a header's name")
        if self.version not in ("1.0", "1.1") or (self.version == "1.1" and not self.headers.get("HOST")):
            raise ParsingError("Not HTTP/1.0, and not HTTP/1.1 with a Host")
        if b"transfer-encoding" in names and (self.version == "1.0" or b"content-length" in names):
            raise ParsingError("Transfer-Encoding in HTTP/1.0 or beside Content-Length")
        if self.proxy_netloc and self.proxy_netloc != self.headers.get("HOST"):
            raise ParsingError("Two hosts")


class PunctualChannel(HTTPChannel):  # type: ignore[misc]
    """A connection whose requests arrive whole in time, and together leave room in memory.

    Waitress ends a connection on which nothing happens, so a byte now and then keeps it for ever; here a request's
    clock runs from its first byte. Bodies wait in memory, since no face may touch the disk: when all of them are above
    ``room`` bytes, the connection with the largest unfinished one is closed.
    """

    parser_class = StrictParser
    room = 0
    _uncounted = 0
    _began = 0.0

    def received(self, data: bytes) -> bool:
        """Take bytes from the socket."""
        begun = self.request
        taken: bool = super().received(data)
        if self.request is not None and self.request is begun:
            self.last_activity = self._began
        else:
            self._began = self.last_activity
        PunctualChannel._uncounted += len(data)
        if PunctualChannel._uncounted > _COUNT_EVERY_BYTES:
            PunctualChannel._uncounted = 0
            self._make_room()
        return taken

    def _make_room(self) -> None:
        channels = [channel for channel in list(self.server.active_channels.values()) if not channel.will_close]
        bodies = [request for channel in channels for request in (*channel.requests, channel.request) if request]
        if sum(body.body_bytes_received for body in bodies) > self.room:
            unfinished = [channel for channel in channels if channel.request is not None]
            largest = max(unfinished, key=lambda channel: channel.request.body_bytes_received, default=self)
            largest.will_close = True


def bound(app: Any, settings: Settings, *, host: str, port: int, trusted_proxy: str | None = None) -> Any:
    """A server that listens already; its ``run()`` serves until interrupted.

    Args:
        app: The app.
        settings: Its limits.
        host: Address to listen on.
        port: Port to listen on.
        trusted_proxy: Address of a proxy whose X-Forwarded-For and -Proto headers are believed.

    Raises:
        OSError: The address cannot be listened on.
    """
    largest = 2 * settings.max_bytes  # up to here the app itself answers 413 in JSON
    PunctualChannel.room = _MOST_UPLOADS_HELD * settings.max_bytes
    TcpWSGIServer.channel_class = PunctualChannel
    proxy = {"trusted_proxy": trusted_proxy, "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"}}
    return waitress.create_server(
        app,
        host=host,
        port=port,
        threads=settings.threads,
        connection_limit=settings.connections,
        channel_timeout=settings.request_timeout_s,
        cleanup_interval=1,
        asyncore_use_poll=True,  # select() ends at descriptor 1023
        max_request_header_size=_MAX_HEADER_BYTES,
        max_request_body_size=largest,
        inbuf_overflow=largest,  # below it, an upload stays in memory instead of a temporary file
        ident="facelive",
        **(proxy if trusted_proxy else {}),
    )
