"""Votes belong to one client: no other can reach, mix or replay them, whatever is sent at the same time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.serving import ask, upload

from facelive import LivenessDetector, LivenessModel, log_average

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)
pytest.importorskip("waitress", reason="waitress is not installed: pip install -r examples/flask_app/requirements.txt")

import waitress
from examples.flask_app import create_app
from examples.flask_app.settings import Settings

CLIENTS, FRAMES, WINDOW = 8, 25, 5


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    """A network that answers with the mean of the face, so that each client's frames have scores of their own."""
    mean = LivenessModel.load(scene.ROOT / "tests/networks/sigmoid.tflite", live_class=1, value_range=(0, 1))
    return LivenessDetector(mean, threshold=0.36, min_frames=WINDOW)


@pytest.fixture(scope="module")
def port(detector: LivenessDetector) -> Iterator[int]:
    """The app in waitress, as it is served, in this process so that its files can be watched."""
    app = create_app(detector, settings=Settings(rate_limit="1000 per second", remembered_frames=0))
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=8, inbuf_overflow=2**25)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()


def test_no_vote_ever_crosses_between_eight_clients(port: int, detector: LivenessDetector) -> None:
    pictures = [
        [scene.jpeg(scene.dimmed(0.5 + 0.06 * client + 0.01 * (frame % 3))) for frame in range(3)]
        for client in range(CLIENTS)
    ]
    scores = [[detector.predict(picture).score for picture in own] for own in pictures]
    assert len({score for own in scores for score in own}) == CLIENTS * 3
    start = threading.Barrier(CLIENTS)

    def client(number: int) -> list[dict[str, Any]]:
        start.wait()
        session, answers = None, []
        for frame in range(FRAMES):
            cookie = f"facelive_session={session}" if session and number % 2 else None
            field = None if cookie else session
            answer = upload(port, pictures[number][frame % 3], session=field, cookie=cookie)
            session = answer.json["session"]
            answers.append(answer.json)
        return answers

    with ThreadPoolExecutor(CLIENTS) as threads:
        told = list(threads.map(client, range(CLIENTS)))

    verdicts = set()
    for number, answers in enumerate(told):
        assert len({answer["session"] for answer in answers}) == 1
        for frame, answer in enumerate(answers):
            own = [scores[number][one % 3] for one in range(max(0, frame - WINDOW + 1), frame + 1)]
            assert answer["frames"] == len(own)
            assert answer["vote"] == log_average(own)  # type: ignore[arg-type]
        last = answers[-1]
        assert last["verdict"] == ("live" if last["vote"] >= 0.36 else "spoof")
        verdicts.add(last["verdict"])
    assert verdicts == {"live", "spoof"}, "the clients were meant to be mixed"
    assert len({answers[0]["session"] for answers in told}) == CLIENTS


def test_frames_of_one_session_that_come_at_once_are_all_counted(port: int) -> None:
    picture = scene.jpeg(scene.live())
    session = upload(port, picture).json["session"]
    with ThreadPoolExecutor(4) as threads:
        frames = list(threads.map(lambda _: upload(port, picture, session=session).json["frames"], range(4)))
    assert sorted(frames) == [2, 3, 4, 5]


@pytest.mark.parametrize("sent", ["A" * 32, "short", "x" * 5000, "../../etc/passwd", "ünï", "*" * 32])
def test_a_session_cannot_be_chosen(port: int, sent: str) -> None:
    picture = scene.jpeg(scene.live())
    first = upload(port, picture, session=sent).json
    assert first["session"] != sent
    assert first["frames"] == 1
    again = upload(port, picture, session=sent).json
    assert again["session"] not in (sent, first["session"])
    assert again["frames"] == 1


def test_clients_without_cookies_and_without_a_session_start_anew_each_time(port: int) -> None:
    picture = scene.jpeg(scene.live())
    answers = [upload(port, picture).json for _ in range(3)]
    assert [answer["frames"] for answer in answers] == [1, 1, 1]
    assert len({answer["session"] for answer in answers}) == 3


def test_the_cookie_is_for_the_server_alone(port: int) -> None:
    answer = upload(port, scene.jpeg(scene.live()))
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"facelive_session={answer.json['session']};")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Max-Age=" in cookie


def test_a_session_that_was_ended_is_gone(port: int) -> None:
    picture = scene.jpeg(scene.live())
    session = upload(port, picture).json["session"]
    cookie = {"Cookie": f"facelive_session={session}"}
    assert ask(port, "DELETE", "/session", headers=cookie).status == 200
    assert ask(port, "DELETE", "/session", headers=cookie).status == 200
    after = upload(port, picture, session=session).json
    assert after["session"] != session
    assert after["frames"] == 1


def test_a_real_face_does_not_vouch_for_the_picture_held_up_after_it(port: int) -> None:
    session = None
    for _ in range(WINDOW):
        answer = upload(port, scene.jpeg(scene.live()), session=session).json
        session = answer["session"]
    assert answer["verdict"] == "live"
    elsewhere = scene.live().resize((256, 192))
    frame = scene.nobody()
    frame.paste(elsewhere, (380, 285))
    answer = upload(port, scene.jpeg(frame), session=session).json
    assert answer["frames"] == 1
    assert answer["verdict"] != "live"


written: list[str] = []
watching = threading.Event()


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if watching.is_set() and event == "open":
        path, mode, flags = arguments
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & 3):
            written.append(str(path))


def test_no_picture_touches_the_disk(port: int) -> None:
    sys.addaudithook(watch)
    large = scene.jpeg(scene.live()) + b"\0" * (6 * 2**20)
    watching.set()
    try:
        assert upload(port, large).status == 200
        assert written == []
        with Path("/dev/null").open("wb"):  # the watch itself works
            assert written == ["/dev/null"]
    finally:
        watching.clear()
