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

CLIENTS, WINDOW = 8, 5


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    """A network that answers with the mean of the face, so that each client's frames have scores of their own."""
    mean = LivenessModel.load(scene.ROOT / "tests/networks/sigmoid.tflite", live_class=1, value_range=(0, 1))
    return LivenessDetector(mean, threshold=0.36, window=WINDOW)


@pytest.fixture(scope="module")
def port(detector: LivenessDetector) -> Iterator[int]:
    """The app in waitress, as it is served, in this process so that its files can be watched."""
    settings = Settings(rate_limit="1000 per second", remembered_frames=0, scores=1, tries=1000, visit_s=600)
    server = waitress.create_server(
        create_app(detector, settings=settings), host="127.0.0.1", port=0, threads=8, inbuf_overflow=2**25
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()


def test_no_vote_ever_crosses_between_eight_clients(port: int, detector: LivenessDetector) -> None:
    pictures = [
        [scene.jpeg(scene.dimmed(0.6 + 0.04 * client + 0.005 * frame)) for frame in range(WINDOW)]
        for client in range(CLIENTS)
    ]
    scores = [[detector.predict(picture).score for picture in own] for own in pictures]
    assert len({score for own in scores for score in own}) == CLIENTS * WINDOW
    start = threading.Barrier(CLIENTS)

    def client(number: int) -> list[dict[str, Any]]:
        start.wait()
        session: str | None = None
        answers: list[dict[str, Any]] = []
        for picture in pictures[number]:
            cookie = f"facelive_session={session}" if session and number % 2 else None
            answer = upload(port, picture, session=None if cookie else session, cookie=cookie)
            session = answer.json["session"]
            answers.append(answer.json)
        return answers

    with ThreadPoolExecutor(CLIENTS) as threads:
        told = list(threads.map(client, range(CLIENTS)))

    ends = set()
    for number, answers in enumerate(told):
        assert len({answer["session"] for answer in answers}) == 1
        for frame, answer in enumerate(answers, start=1):
            assert answer["scores"]["vote"] == pytest.approx(log_average(scores[number][:frame]))  # type: ignore[arg-type]
        assert [answer["done"] for answer in answers] == [False] * (WINDOW - 1) + [True]
        assert answers[-1]["is_live"] is (answers[-1]["scores"]["vote"] >= 0.36)
        ends.add(answers[-1]["is_live"])
    assert ends == {True, False}, "the clients were meant to be mixed"
    assert len({answers[0]["session"] for answers in told}) == CLIENTS


def test_frames_of_one_session_that_come_at_once_are_all_counted(port: int) -> None:
    picture = scene.jpeg(scene.live())
    session = upload(port, picture).json["session"]
    with ThreadPoolExecutor(4) as threads:
        steps = list(threads.map(lambda _: upload(port, picture, session=session).json["progress"], range(4)))
    assert sorted(steps) == [0.4, 0.6, 0.8, 1]


@pytest.mark.parametrize("sent", ["A" * 32, "short", "x" * 5000, "../../etc/passwd", "ünï", "*" * 32])
def test_a_session_cannot_be_chosen(port: int, sent: str) -> None:
    picture = scene.jpeg(scene.live())
    first = upload(port, picture, session=sent).json
    assert first["session"] != sent
    assert first["progress"] == 0.2
    again = upload(port, picture, session=sent).json
    assert again["session"] not in (sent, first["session"])
    assert again["progress"] == 0.2


def test_clients_without_cookies_and_without_a_session_start_anew_each_time(port: int) -> None:
    picture = scene.jpeg(scene.live())
    answers = [upload(port, picture).json for _ in range(3)]
    assert [answer["progress"] for answer in answers] == [0.2, 0.2, 0.2]
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
    assert after["progress"] == 0.2


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
