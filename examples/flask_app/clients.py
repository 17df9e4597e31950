"""Who asks: an address that cannot be multiplied, and a browser that shows this app's own page."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from flask import request
from werkzeug.exceptions import Forbidden

__all__ = ["client", "refuse_other_sites"]

_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([^]]+)\](?::[0-9]+)?")  # as some proxies write addresses


def client() -> str:
    """The address whose requests count together: one of IPv4, the /64 network of IPv6, which is one household's."""
    sent = (request.remote_addr or "").partition("%")[0]
    with_port = _WITH_PORT.fullmatch(sent)
    try:
        address = ipaddress.ip_address(sent if with_port is None else with_port[1] or with_port[2])
    except ValueError:
        return "unknown"  # a Unix socket
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)


def refuse_other_sites() -> None:
    """Stop a browser that another site's page makes act here; clients that are no browsers send no such headers.

    Raises:
        Forbidden: The page that sent this request is not this app's.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in (None, "same-origin", "none") or (origin is not None and _host(origin) != request.host):
        raise Forbidden("Only this app's own page may do that.")


def _host(origin: str) -> str | None:
    """The host alone, ``None`` where there is none: whoever ends TLS before the app may not have told it of https."""
    try:
        return urlsplit(origin).netloc
    except ValueError:  # half an address of IPv6
        return None
