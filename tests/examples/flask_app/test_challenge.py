"""A face that the screen lights answers the challenge; a recording does not, whatever nonce it carries."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from tests.examples.flask_app import lit, scene

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app import create_app
from examples.flask_app.light import COLOURS
from examples.flask_app.settings import Settings
from flask.testing import FlaskClient

from facelive import LivenessDetector

WHITE = (255, 255, 255)


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    return LivenessDetector(min_frames=5)


@pytest.fixture(params=["memory", "redis"])
def client(request: pytest.FixtureRequest, detector: LivenessDetector) -> FlaskClient:
    redis_url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    settings = Settings(challenge="colour", rate_limit="1000 per second", redis_url=redis_url)
    return create_app(detector, settings=settings).test_client(use_cookies=False)


def opened(client: FlaskClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/session").get_json()
    assert answer["challenge"]["colour"] == COLOURS["white"]
    return answer


def send(client: FlaskClient, picture: bytes, session: str, nonce: str) -> dict[str, Any]:
    fields = {"picture": (io.BytesIO(picture), "f.jpg", "image/jpeg"), "session": session, "nonce": nonce}
    response = client.post("/upload", data=fields)
    return {"http": response.status_code, **response.get_json()}


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def answered(client: FlaskClient, *, frames: int = 6, seed: int = 0) -> list[tuple[bytes, dict[str, Any]]]:
    """A person before the screen: what was sent, and what came back."""
    told, exchanged = opened(client), []
    for number in range(frames):
        picture = lit.frame(rgb(told["challenge"]["colour"]), seed=1000 * seed + number)
        told = send(client, picture, told["session"], told["challenge"]["nonce"])
        exchanged.append((picture, told))
    return exchanged


def again(picture: bytes) -> bytes:
    """A recorded frame whose bytes are new, so that not they but the challenge must notice it."""
    return picture + b"\0"


def test_a_face_that_follows_the_screen_gets_its_verdict(client: FlaskClient) -> None:
    told = [answer for _, answer in answered(client, seed=1)]
    assert [answer["http"] for answer in told] == [200] * 6
    assert [answer["frames"] for answer in told] == [0, 1, 2, 3, 4, 5]
    assert [answer["verdict"] for answer in told] == ["rejected"] * 5 + ["live"]
    assert told[0]["decision"] is None and told[0]["percentage"] is None, "the white frame does not vote"
    assert len({answer["challenge"]["nonce"] for answer in told}) == 6
    assert COLOURS["white"] not in {answer["challenge"]["colour"] for answer in told}


def test_a_recording_under_an_old_nonce_is_refused_and_changes_nothing(client: FlaskClient) -> None:
    told = opened(client)
    old = told["challenge"]["nonce"]
    told = send(client, lit.frame(WHITE, seed=20), told["session"], old)
    for seed, nonce in enumerate([old, "", "x" * 22, "ü", opened(client)["challenge"]["nonce"]], start=21):
        refused = send(client, lit.frame(WHITE, seed=seed), told["session"], nonce)
        assert (refused["http"], refused["reason"]) == (409, "nonce")
        assert set(refused) == {"http", "status", "message", "request_id", "reason"}
    colour = rgb(told["challenge"]["colour"])
    assert send(client, lit.frame(colour, seed=80), told["session"], told["challenge"]["nonce"])["frames"] == 1


def test_a_recording_of_a_challenge_fails_the_next_one(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    order = iter(["red", "green", "blue", "cyan", "red", "red", "magenta"])
    monkeypatch.setattr("examples.flask_app.challenge.secrets.choice", lambda _: next(order))
    recording = [picture for picture, _ in answered(client, seed=3)]
    told, outcomes = opened(client), []
    for picture in recording[:2]:
        told = send(client, again(picture), told["session"], told["challenge"]["nonce"])
        outcomes.append((told["http"], told["reason"], told["frames"]))
    assert outcomes == [(200, "too_few_frames", 0), (422, "challenge_failed", 0)]
    assert "did not follow the screen" in told["message"]
    assert told["challenge"]["colour"] == COLOURS["white"], "it starts from white again"


def test_a_film_that_knows_no_screen_fails(client: FlaskClient) -> None:
    told = opened(client)
    for number in range(8):
        told = send(client, lit.frame(WHITE, seed=40 + number), told["session"], told["challenge"]["nonce"])
        assert told["frames"] == 0
        assert told["verdict"] == "rejected"
        assert told["reason"] == ("challenge_failed" if number % 2 else "too_few_frames")


def test_a_recording_that_a_program_tints_as_asked_passes(client: FlaskClient) -> None:
    """What the challenge cannot stop, as the documentation says."""
    recording = Image.open(io.BytesIO(lit.frame(WHITE, seed=45)))
    told = opened(client)
    for number in range(6):
        gains = [0.85 + 0.15 * part / 255 for part in rgb(told["challenge"]["colour"])]
        tinted = Image.merge(
            "RGB", [band.point(lambda v, g=gain: v * g) for band, gain in zip(recording.split(), gains)]
        )
        told = send(client, scene.jpeg(tinted) + bytes([number]), told["session"], told["challenge"]["nonce"])
    assert told["verdict"] == "live"


def test_one_frame_that_does_not_follow_ends_the_vote(client: FlaskClient) -> None:
    told = answered(client, frames=4, seed=5)[-1][1]
    assert told["frames"] == 3
    failed = send(client, lit.frame(WHITE, seed=50), told["session"], told["challenge"]["nonce"])
    assert (failed["http"], failed["frames"], failed["is_live"]) == (422, 0, False)


def test_a_frame_without_a_face_is_no_answer_and_no_failure(client: FlaskClient) -> None:
    told = answered(client, frames=3, seed=6)[-1][1]
    blank = send(client, scene.jpeg(scene.nobody()), told["session"], told["challenge"]["nonce"])
    assert (blank["http"], blank["reason"], blank["frames"]) == (422, "no_face", 2)
    assert blank["challenge"]["colour"] == told["challenge"]["colour"]
    assert blank["challenge"]["nonce"] != told["challenge"]["nonce"]
    colour = rgb(blank["challenge"]["colour"])
    assert send(client, lit.frame(colour, seed=60), told["session"], blank["challenge"]["nonce"])["frames"] == 3


def test_frames_without_a_face_win_no_time(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("examples.flask_app.app.time.time", lambda: 1000.0)
    told = answered(client, frames=2, seed=8)[-1][1]
    assert told["challenge"]["valid_ms"] == 10_000
    monkeypatch.setattr("examples.flask_app.app.time.time", lambda: 1009.0)
    blank = send(client, scene.jpeg(scene.nobody()), told["session"], told["challenge"]["nonce"])
    assert (blank["challenge"]["colour"], blank["challenge"]["valid_ms"]) == (told["challenge"]["colour"], 1000)
    monkeypatch.setattr("examples.flask_app.app.time.time", lambda: 1010.5)
    late = send(
        client, lit.frame(rgb(blank["challenge"]["colour"]), seed=61), told["session"], blank["challenge"]["nonce"]
    )
    assert (late["http"], late["reason"]) == (409, "nonce")


def test_a_nonce_expires(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("examples.flask_app.app.time.time", lambda: 1000.0)
    told = opened(client)
    monkeypatch.setattr("examples.flask_app.app.time.time", lambda: 1010.5)
    late = send(client, lit.frame(WHITE, seed=70), told["session"], told["challenge"]["nonce"])
    assert (late["http"], late["reason"]) == (409, "nonce")


def test_a_client_that_opened_no_session_is_told_to(client: FlaskClient) -> None:
    refused = client.post("/upload", data={"picture": (io.BytesIO(lit.frame(WHITE, seed=90)), "f.jpg", "image/jpeg")})
    assert refused.status_code == 409
    assert "open a session" in refused.get_json()["message"]


def test_a_picture_that_voted_is_refused_in_every_session(detector: LivenessDetector) -> None:
    client = create_app(detector, settings=Settings()).test_client(use_cookies=False)
    session = opened_without_challenge(client)
    picture = lit.frame(WHITE, seed=100)
    assert send(client, picture, session, "")["frames"] == 1
    for its in (session, opened_without_challenge(client), ""):
        refused = send(client, picture, its, "")
        assert (refused["http"], refused["reason"]) == (409, "repeated_frame")
        assert refused["message"] == "This very picture was sent before: send a new one from the camera."
    assert send(client, lit.frame(WHITE, seed=101), session, "")["frames"] == 2, "the vote goes on"


def opened_without_challenge(client: FlaskClient) -> str:
    answer = client.post("/session").get_json()
    assert answer["challenge"] is None
    return str(answer["session"])


def test_a_frame_that_did_not_vote_may_come_again(detector: LivenessDetector) -> None:
    """A camera that is covered sends the same darkness; the person must hear about the light."""
    client = create_app(detector, settings=Settings()).test_client()
    dark = scene.jpeg(Image.new("RGB", scene.SIZE))
    assert [send(client, dark, "", "")["reason"] for _ in range(3)] == ["no_face"] * 3


@pytest.mark.parametrize("screen", [0.1, 0.5])
@pytest.mark.parametrize("tint", [(1.25, 1.0, 0.7), (0.85, 1.0, 1.2)], ids=["lamp", "sky"])
def test_it_holds_in_warm_and_cool_rooms(
    detector: LivenessDetector, screen: float, tint: tuple[float, float, float]
) -> None:
    from examples.flask_app.light import face_light, follows

    room = lit.Room(screen, tint)

    def seen(colour: str, seed: int) -> list[float]:
        picture = lit.frame(rgb(COLOURS[colour]), room, seed=seed)
        face = detector.predict(picture).face
        assert face is not None
        return face_light(picture, face)

    white = seen("white", 0)
    shown = {colour: seen(colour, seed) for seed, colour in enumerate(COLOURS, start=1)}
    for colour in COLOURS.keys() - {"white"}:
        assert [name for name, light in shown.items() if follows(white, light, colour)] == [colour]
