"""Requests that no browser sends: each gets a client error or is closed, and the next client is served."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.raw import exchange, statuses
from tests.examples.flask_app.serving import form, serving, upload

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)
pytest.importorskip("waitress", reason="waitress is not installed: pip install -r examples/flask_app/requirements.txt")

LIVE = scene.jpeg(scene.live())
KIND = b"Content-Type: multipart/form-data; boundary=b\r\n"
FILE = b'Content-Disposition: form-data; name="picture"; filename="f.jpg"\r\n\r\n'


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(environment={"FACELIVE_RATE_LIMIT": "600 per minute"}) as port:
        yield port


def posted(body: bytes, kind: bytes = KIND, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST /upload HTTP/1.1\r\nHost: here\r\nConnection: close\r\n" + kind + lines + length + b"\r\n" + body


MULTIPARTS = {
    "no boundary": posted(b"--b\r\n" + FILE + b"x\r\n--b--\r\n", b"Content-Type: multipart/form-data\r\n"),
    "empty boundary": posted(b"----\r\n", b'Content-Type: multipart/form-data; boundary=""\r\n'),
    "endless boundary": posted(b"", b"Content-Type: multipart/form-data; boundary=" + b"b" * 9000 + b"\r\n"),
    "another boundary": posted(b"--c\r\n" + FILE + LIVE + b"\r\n--c--\r\n"),
    "no end": posted(b"--b\r\n" + FILE + LIVE),
    "no part header": posted(b"--b\r\n\r\n" + LIVE + b"\r\n--b--\r\n"),
    "no name": posted(b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    "part header not text": posted(b"--b\r\n\xff\xfe\x00: \x80\r\n\r\nx\r\n--b--\r\n"),
    "too many parts": posted((b"--b\r\n" + FILE.replace(b"picture", b"p") + b"x\r\n") * 50 + b"--b--\r\n"),
    "a part header without end": posted(b"--b\r\nContent-Disposition: " + b"a" * 100_000),
    "a long text field": posted(b'--b\r\nContent-Disposition: form-data; name="session"\r\n\r\n' + b"s" * 900_000),
    "broken charset": posted(b"--b--", b"Content-Type: multipart/form-data; charset=nonsense; boundary=b\r\n"),
    "only line ends": posted(b"\r\n" * 5000),
}


@pytest.mark.parametrize("name", MULTIPARTS)
def test_a_malformed_form_is_the_clients_error(port: int, name: str) -> None:
    received = exchange(port, MULTIPARTS[name])
    (status,) = statuses(received)
    assert status in (400, 413)
    told = json.loads(received.partition(b"\r\n\r\n")[2])
    assert set(told) == {"status", "message", "request_id"}
    assert b"Traceback" not in received


GET = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"
END = b"Connection: close\r\n\r\n"
HEADERS = {
    "two lengths": (GET + b"Content-Length: 1\r\nContent-Length: 2\r\n" + END, [400]),
    "a length of words": (GET + b"Content-Length: ten\r\n" + END, [400]),
    "a length below nothing": (GET + b"Content-Length: -5\r\n" + END, [400]),
    "a length with a sign": (GET + b"Content-Length: +5\r\n" + END + b"12345", [400]),
    "a header of 20,000 bytes": (GET + b"X-Long: " + b"a" * 20_000 + b"\r\n" + END, [431]),
    "5,000 headers": (GET + b"X-Many: a\r\n" * 5000 + END, [431]),
    "no colon": (GET + b"Nonsense\r\n" + END, [400]),
    "a space before the colon": (GET + b"Content-Length : 5\r\n" + END, [400]),
    "a bare line feed": (GET + b"X-A: a\nX-B: b\r\n" + END, [400]),
    "a null": (GET + b"X-A: a\0b\r\n" + END, [400]),
    "a request line of nothing": (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", [400]),
    "chunks of no size": (GET + b"Transfer-Encoding: chunked\r\n" + END + b"zz\r\nabc\r\n0\r\n\r\n", [400]),
    "an unknown coding": (GET + b"Transfer-Encoding: gzip\r\n" + END, [501]),
    "a way out of the files": (b"GET /static/../app.py HTTP/1.1\r\nHost: here\r\n" + END, [404]),
    "a way out, escaped": (b"GET /static/%2e%2e/app.py HTTP/1.1\r\nHost: here\r\n" + END, [404]),
    "an unknown method": (GET.replace(b"GET", b"BREW") + END, [405]),
    "a cookie of bytes": (GET + b"Cookie: facelive_session=\xff\xfe; ;;=; a\r\n" + END, [200]),
    "no host": (b"GET /healthz HTTP/1.0\r\n\r\n", [200]),
    "no host in 1.1": (b"GET /healthz HTTP/1.1\r\n" + END, [400]),
    "two hosts": (GET + b"Host: there\r\n" + END, [400]),
    "a host in the line and another below": (GET.replace(b"/healthz", b"http://there/healthz") + END, [400]),
    "the same host twice": (GET.replace(b"/healthz", b"http://here/healthz") + END, [200]),
    "the same length twice": (GET + b"Content-Length: 0\r\nContent-Length: 0\r\n" + END, [400]),
    "a length with an underscore": (GET + b"Content_Length: 5\r\n" + END, [400]),
    "a folded header": (GET + b"X-A: a\r\n b\r\n" + END, [400]),
    "a folded coding": (GET + b"Transfer-Encoding:\r\n chunked\r\n" + END + b"0\r\n\r\n", [400]),
    "chunks twice": (GET + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + END, [400]),
    "chunks in 1.0": (b"GET /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
    "an odd coding in 1.0": (b"GET /healthz HTTP/1.0\r\nTransfer-encoding: x\r\n\r\n", [400]),
    "a version to come": (GET.replace(b"1.1", b"2.0") + END, [400]),
    "a version of three digits": (GET.replace(b"1.1", b"1.12") + END, [400]),
}


@pytest.mark.parametrize("name", HEADERS)
def test_header_games_are_refused_or_harmless(port: int, name: str) -> None:
    sent, expected = HEADERS[name]
    received = exchange(port, sent)
    assert statuses(received) == expected
    assert b"Traceback" not in received and b"import" not in received


def test_a_length_beside_chunks_smuggles_no_second_request(port: int) -> None:
    """What a proxy may take for one request must not be two here, or answers go to the wrong client."""
    hidden = b"DELETE /session HTTP/1.1\r\nHost: here\r\n\r\n"
    both = GET + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(hidden)) + hidden
    assert statuses(exchange(port, both)) == [400]


def test_a_chunked_upload_is_an_upload(port: int) -> None:
    body, headers = form(LIVE)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:1000], body[1000:])) + b"0\r\n\r\n"
    kind = f"Content-Type: {headers['Content-Type']}\r\n".encode()
    head = b"POST /upload HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n" + kind
    assert statuses(exchange(port, head + b"\r\n" + chunks)) == [200]


def test_a_body_shorter_than_it_claims_judges_nothing(port: int) -> None:
    sent = posted(b"--b\r\n" + FILE + LIVE + b"\r\n--b--\r\n")
    assert statuses(exchange(port, sent[:-2000])) == []


def test_what_follows_a_body_is_no_part_of_it(port: int) -> None:
    sent = posted(b"--b\r\n" + FILE + LIVE + b"\r\n--b--\r\n").replace(b"Connection: close\r\n", b"")
    first, *rest = statuses(exchange(port, sent + b"garbage that is no request\r\n\r\n"))
    assert first == 200
    assert rest == [400]


def test_answers_on_one_connection_keep_their_order_and_their_sessions(port: int) -> None:
    """A proxy sends requests of several clients on one connection: each answer is its own client's."""
    body = b"--b\r\n" + FILE + LIVE + b"\r\n--b--\r\n"
    one, other = upload(port, LIVE).json["session"], upload(port, LIVE).json["session"]
    asked = [one, other, one, one, other, "invented"]
    stream = b"".join(
        posted(body, KIND, b"Cookie: facelive_session=" + session.encode()).replace(b"Connection: close\r\n", b"")
        for session in asked
    )
    received = exchange(port, stream)
    answers = [json.loads(part.partition(b"\r\n\r\n")[2]) for part in received.split(b"HTTP/1.1 ")[1:]]
    assert [answer["session"] for answer in answers[:5]] == asked[:5]
    assert [answer["progress"] for answer in answers] == [0.4, 0.4, 0.6, 0.8, 0.6, 0.2]
    assert answers[5]["session"] not in asked


def test_a_client_cannot_name_its_own_address() -> None:
    """Without a trusted proxy, X-Forwarded-For buys no second allowance."""
    with serving(environment={"FACELIVE_RATE_LIMIT": "2 per hour"}) as port:
        seen = [
            statuses(exchange(port, posted(b"--b--\r\n", KIND, b"X-Forwarded-For: 192.0.2.%d" % number)))
            for number in range(4)
        ]
    assert seen == [[400], [400], [429], [429]]
