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

LIVE, ATTACK = scene.jpeg(scene.live()), scene.jpeg(scene.attack())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


def judged(port: int, *pictures: bytes | None) -> list[Seen]:
    """Open a visit and send pictures in turn; ``None`` opens another one instead."""

    async def check() -> list[Seen]:
        backend = Backend(f"http://127.0.0.1:{port}")
        seen = [await backend.open()]
        for picture in pictures:
            if picture is None:
                await backend.forget()
            else:
                seen.append(await backend.judge(picture))
        await backend.close()
        return seen[1:]

    return asyncio.run(check())


def test_five_pictures_end_a_visit(port: int) -> None:
    seen = judged(port, *[LIVE] * 5)
    assert [one.state for one in seen] == ["looking"] * 4 + ["live"]
    assert [one.progress for one in seen] == [0.2, 0.4, 0.6, 0.8, 1]
    assert [one.done for one in seen] == [False] * 4 + [True]
    assert (seen[-1].headline, seen[-1].advice) == ("Done", "This is a live face.")


def test_a_screen_may_try_again_and_then_no_more() -> None:
    with serving(environment={"FACELIVE_TRIES": "2"}) as port:
        first, second, third = judged(port, ATTACK, None, ATTACK, None, *[ATTACK])
        assert (first.state, first.headline) == ("spoof", "Try again")
        assert first.advice == "This looks like a picture of a face. 1 try is left."
        assert (second.state, second.headline) == ("out", "No more tries")
        assert third.state == "out"

        async def opened() -> Seen:
            backend = Backend(f"http://127.0.0.1:{port}")
            seen = await backend.open()
            await backend.close()
            return seen

        assert asyncio.run(opened()).state == "out"


def test_an_unusable_frame_keeps_the_visit_and_says_why(port: int) -> None:
    _, dark, after = judged(port, LIVE, scene.jpeg(scene.darkness()), LIVE)
    assert (dark.state, dark.guidance, dark.progress) == ("guiding", "more_light", 0.2)
    assert dark.advice.startswith("More light")
    assert after.progress == 0.4


def test_a_face_is_guided_into_the_oval(port: int) -> None:
    far, near = judged(port, scene.jpeg(scene.far()), LIVE)
    assert (far.state, far.guidance, far.advice, far.progress) == ("guiding", "come_closer", "Come closer.", 0)
    assert near.progress == 0.2


def test_forgetting_starts_a_new_visit(port: int) -> None:
    assert [one.progress for one in judged(port, LIVE, LIVE, None, LIVE)] == [0.2, 0.4, 0.2]


def test_the_client_turns_heads_where_the_page_would_flash() -> None:
    with serving(environment={"FACELIVE_CHALLENGE": "light"}) as port:
        seen = judged(port, *[LIVE] * 6)
    assert seen[-1].headline == "Turn your head"
    assert seen[-1].guidance in ("turn_left", "turn_right")


def test_what_is_refused_is_shown_in_the_backends_words(port: int) -> None:
    (seen,) = judged(port, b"no picture")
    assert seen.state == "trouble"
    assert seen.advice.startswith("The file is no picture")


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
