"""What the Flutter client makes of the backend's answers, with the real backend behind it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.serving import free_port, serving

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)
pytest.importorskip("waitress", reason="waitress is not installed: pip install -r examples/flask_app/requirements.txt")
pytest.importorskip("httpx", reason="httpx is not installed: pip install -r examples/flutter_client/requirements.txt")

from examples.flutter_client.backend import Backend, Seen

LIVE = scene.jpeg(scene.live())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


def judged(port: int, *pictures: bytes | None) -> list[Seen]:
    """Send pictures in turn; ``None`` ends the session instead."""

    async def check() -> list[Seen]:
        backend = Backend(f"http://127.0.0.1:{port}")
        seen = []
        for picture in pictures:
            if picture is None:
                await backend.forget()
            else:
                seen.append(await backend.judge(picture))
        await backend.close()
        return seen

    return asyncio.run(check())


def test_five_votes_make_a_verdict(port: int) -> None:
    seen = judged(port, *[LIVE] * 6)
    assert [one.state for one in seen] == ["looking"] * 4 + ["live"] * 2
    assert [len(one.votes) for one in seen] == [1, 2, 3, 4, 5, 5]
    assert all(all(one.votes) for one in seen)
    assert seen[-1].headline == "Real"
    assert seen[-1].percentage.endswith("% Real")


def test_an_unusable_frame_keeps_the_votes_and_says_why(port: int) -> None:
    seen = judged(port, LIVE, scene.jpeg(scene.darkness()))
    assert seen[-1].state == "rejected"
    assert seen[-1].advice.startswith("More light")
    assert len(seen[-1].votes) == 1


def test_a_face_that_was_gone_for_long_starts_anew(port: int) -> None:
    seen = judged(port, LIVE, *[scene.jpeg(scene.nobody())] * 5, LIVE)
    assert [len(one.votes) for one in seen] == [1, 1, 1, 1, 1, 0, 1]


def test_forgetting_starts_a_new_vote(port: int) -> None:
    seen = judged(port, LIVE, LIVE, None, LIVE)
    assert [len(one.votes) for one in seen] == [1, 2, 1]


def test_what_is_refused_is_shown_in_the_backends_words(port: int) -> None:
    (seen,) = judged(port, b"no picture")
    assert seen.state == "trouble"
    assert seen.advice.startswith("The file is not a picture")


def test_a_backend_that_is_not_there() -> None:
    (seen,) = judged(free_port(), LIVE)
    assert seen.state == "trouble"
    assert seen.wait_s > 0


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"message": "Later."}),
        (502, {}, {"error": "bad gateway"}),
        (200, {}, [1, 2]),
        (200, {}, {"frames": 1}),
        (422, {}, None),
    ],
)
def test_what_is_not_the_backends_answer_is_none(status: int, headers: dict[str, str], body: object) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (seen,) = judged(server.server_port, LIVE)
        server.shutdown()
    assert (seen.state, seen.headline) == ("trouble", "No answer")
