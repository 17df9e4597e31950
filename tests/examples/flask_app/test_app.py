"""The wire contract: what a client sends, what it is told, and what it is refused with."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from tests.examples.flask_app import scene

from facelive import LivenessDetector, Reason

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app import create_app
from examples.flask_app.answers import ADVICE
from examples.flask_app.settings import Settings
from examples.flask_app.stores import MemoryStore
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    return LivenessDetector(min_frames=5)


@pytest.fixture
def app(detector: LivenessDetector) -> Flask:
    limits = Settings(rate_limit="1000 per second", max_bytes=2**20, max_pixels=2_000_000, remembered_frames=0)
    return create_app(detector, settings=limits)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


LIVE = scene.jpeg(scene.live())


def post(client: FlaskClient, picture: bytes = LIVE, *, kind: str = "image/jpeg", **fields: str) -> TestResponse:
    return client.post("/upload", data={"picture": (io.BytesIO(picture), "f.jpg", kind), **fields})


def told(response: TestResponse) -> dict[str, Any]:
    answer: dict[str, Any] = response.get_json()
    return answer


def test_the_running_votes_keys_are_there(client: FlaskClient) -> None:
    response = post(client)
    answer = told(response)
    assert response.status_code == 200
    assert "Retry-After" not in response.headers
    assert answer["status"] == "success"
    assert isinstance(answer["message"], str)
    assert answer["decision"] == "Real"
    assert answer["percentage"] == f"{answer['vote'] * 100:.2f}% Real"


def test_a_verdict_takes_five_votes(client: FlaskClient, detector: LivenessDetector) -> None:
    answers = [told(post(client)) for _ in range(6)]
    score = detector.predict(LIVE).score
    assert [answer["frames"] for answer in answers] == [1, 2, 3, 4, 5, 5]
    assert [answer["verdict"] for answer in answers] == ["rejected"] * 4 + ["live"] * 2
    assert [answer["reason"] for answer in answers] == ["too_few_frames"] * 4 + [None] * 2
    assert [answer["is_live"] for answer in answers] == [False] * 4 + [True] * 2
    for answer in answers:
        assert answer["score"] == score
        assert answer["vote"] == pytest.approx(score)
        assert answer["window"] == 5


def test_a_verdict_of_fake_counts_towards_real_too(detector: LivenessDetector) -> None:
    strict = LivenessDetector(detector.model, threshold=1.0, min_frames=5)
    answer = told(post(create_app(strict, settings=Settings()).test_client()))
    assert answer["decision"] == "Fake"
    assert answer["verdict"] == "spoof"
    assert answer["percentage"].endswith("% Real")


def test_the_face_is_where_it_is(client: FlaskClient) -> None:
    left, top, right, bottom = told(post(client))["face"]["box_px"]
    assert 200 < left < 300 < 330 < right < 440
    assert 60 < top < 200 < 280 < bottom < 380


def test_old_votes_do_not_count_and_a_clock_may_step_back(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines that share the sessions have two clocks."""
    seen = []
    for now_s in (1_000.0, 1_001.0, 999.0, 1_062.5):
        monkeypatch.setattr("examples.flask_app.app.time.time", lambda now_s=now_s: now_s)
        seen.append(told(post(client))["frames"])
    assert seen == [1, 2, 3, 1]


@pytest.mark.parametrize(
    ("picture", "reason"), [(scene.nobody(), Reason.NO_FACE), (scene.darkness(), Reason.TOO_DARK)], ids=str
)
def test_a_frame_without_a_usable_face_says_why(client: FlaskClient, picture: Image.Image, reason: Reason) -> None:
    post(client)
    response = post(client, scene.jpeg(picture))
    answer = told(response)
    assert response.status_code == 422
    assert answer["status"] == "error"
    assert answer["reason"] == reason.value
    assert answer["message"] == ADVICE[reason]
    assert answer["decision"] is None and answer["percentage"] is None and answer["score"] is None
    assert answer["verdict"] == "rejected" and answer["is_live"] is False
    assert answer["frames"] == 1, "a rejected frame does not vote"


def test_every_reason_has_words() -> None:
    assert set(ADVICE) == set(Reason)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "no picture"),
        ({"other": (io.BytesIO(LIVE), "f.jpg")}, "no picture"),
        ({"picture": "just text"}, "no picture"),
        ({"picture": (io.BytesIO(b""), "f.jpg")}, "not a picture"),
        ({"picture": (io.BytesIO(b"\x89PNG but not really"), "f.png")}, "not a picture"),
        ({"picture": (io.BytesIO(LIVE[:4000]), "f.jpg")}, "broken or cut short"),
        ({"picture": (io.BytesIO(b"<svg/>"), "f.jpg", "image/jpeg")}, "not a picture"),
    ],
    ids=["nothing", "another field", "text", "empty", "not a picture", "cut short", "mislabelled"],
)
def test_no_picture_is_a_bad_request(client: FlaskClient, data: dict[str, Any], words: str) -> None:
    response = client.post("/upload", data=data)
    assert response.status_code == 400
    assert told(response)["status"] == "error"
    assert words in told(response)["message"]
    assert "facelive_session" not in response.headers.get("Set-Cookie", "")


def test_a_bare_post_is_a_bad_request(client: FlaskClient) -> None:
    assert client.post("/upload").status_code == 400


def test_a_type_that_is_not_taken(client: FlaskClient) -> None:
    assert client.post("/upload", data=LIVE, content_type="image/jpeg").status_code == 415
    assert client.post("/upload", json={"picture": "abc"}).status_code == 415
    heic = post(client, b"\0\0\0\x18ftypheic", kind="image/heic")
    assert heic.status_code == 415
    assert "image/heic is not taken" in told(heic)["message"]


def test_an_upload_or_a_picture_that_is_too_large(client: FlaskClient) -> None:
    kind = "multipart/form-data; boundary=between"
    assert client.post("/upload", data=b"\0" * (2**20 + 1), content_type=kind).status_code == 413
    file = io.BytesIO()
    Image.new("1", (1500, 1500)).save(file, "PNG")
    response = post(client, file.getvalue(), kind="image/png")
    assert response.status_code == 413
    assert "1500x1500" in told(response)["message"]
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    assert post(client, bomb.getvalue(), kind="image/png").status_code == 413


def test_each_address_has_its_rate_limit(detector: LivenessDetector) -> None:
    app = create_app(detector, settings=Settings(rate_limit="3 per hour", remembered_frames=0))
    client = app.test_client()
    assert [post(client).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = post(client)
    assert int(refused.headers["Retry-After"]) > 0
    assert told(refused)["message"] == "Too many pictures at once: wait a moment."
    picture = {"picture": (io.BytesIO(LIVE), "f.jpg")}
    elsewhere = client.post("/upload", data=picture, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200
    assert client.get("/healthz").status_code == 200


class Breaks:
    """A face detector with a fault in it."""

    def detect(self, image: object) -> list[Any]:
        raise ZeroDivisionError("the secret of the house")


def test_a_fault_shows_its_request_id_and_nothing_else(
    detector: LivenessDetector, caplog: pytest.LogCaptureFixture
) -> None:
    broken = LivenessDetector(detector.model, faces=Breaks())
    response = post(create_app(broken, settings=Settings()).test_client())
    assert response.status_code == 500
    assert set(told(response)) == {"status", "message", "request_id"}
    assert "secret" not in response.text and "Traceback" not in response.text
    assert told(response)["request_id"] == response.headers["X-Request-Id"]
    assert f"request {response.headers['X-Request-Id']} failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/upload", 405)])
def test_other_errors_are_json_too(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert told(response)["status"] == "error"
    assert told(response)["request_id"] == response.headers["X-Request-Id"]


def test_a_request_leaves_one_line_without_what_it_was_about(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="facelive.example")
    response = post(client)
    (record,) = caplog.records
    line = json.loads(record.getMessage())
    assert line.pop("request_id") == response.headers["X-Request-Id"]
    assert line.pop("duration_ms") > 0
    assert line.pop("bytes_in") > len(LIVE)
    assert line == {"method": "POST", "route": "/upload", "status": 200}


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for response in (client.get("/"), client.get("/static/page.css"), post(client), client.get("/nowhere")):
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy and "unsafe" not in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "camera=(self)" in response.headers["Permissions-Policy"]
        response.close()


def test_health(client: FlaskClient, detector: LivenessDetector) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert told(response)["model"] == detector.model.card.name


def test_upright_by_exif(client: FlaskClient) -> None:
    sideways = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    scene.live().rotate(90, expand=True).save(sideways, "JPEG", quality=95, exif=exif)
    assert told(post(client, sideways.getvalue()))["decision"] == "Real"


def test_a_store_of_ones_own_keeps_the_sessions(detector: LivenessDetector) -> None:
    store = MemoryStore(ttl_s=60, max_sessions=10)
    assert post(create_app(detector, store, settings=Settings()).test_client()).status_code == 200
    assert len(store) == 1


def test_behind_a_proxy_each_client_has_its_own_rate_limit(detector: LivenessDetector) -> None:
    def statuses(settings: Settings) -> list[int]:
        client = create_app(detector, settings=settings).test_client()
        sent = [{"picture": (io.BytesIO(LIVE), "f.jpg")} for _ in range(2)]
        addresses = ["192.0.2.1", "192.0.2.2"]
        answers = [client.post("/upload", data=d, headers={"X-Forwarded-For": a}) for d, a in zip(sent, addresses)]
        return [answer.status_code for answer in answers]

    once = Settings(rate_limit="1 per hour", remembered_frames=0)
    assert statuses(once) == [200, 429]
    assert statuses(replace(once, proxies=1)) == [200, 200]
