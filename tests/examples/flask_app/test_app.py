"""The wire contract: what a client sends, what it is told, and what it is refused with."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from tests.examples.flask_app import scene
from tests.examples.flask_app.serving import PATIENCE_S

from facelive import Guidance, LivenessDetector, QualityPolicy, Reason, SessionReason

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app import create_app
from examples.flask_app.answers import GUIDANCE_WORDS, REFUSAL_WORDS
from examples.flask_app.settings import Settings
from examples.flask_app.stores import MemoryStore, State
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    return LivenessDetector(quality=QualityPolicy(multiple_faces="reject"))


@pytest.fixture
def app(detector: LivenessDetector) -> Flask:
    limits = Settings(
        rate_limit="1000 per second", max_bytes=2**20, max_pixels=2_000_000, remembered_frames=0, tries=1000
    )
    return create_app(detector, settings=limits)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


LIVE = scene.jpeg(scene.live())
ATTACK = scene.jpeg(scene.attack())
OVAL = "0.275,0.1,0.725,0.9"


def post(client: FlaskClient, picture: bytes = LIVE, *, kind: str = "image/jpeg", **fields: str) -> TestResponse:
    return client.post("/upload", data={"picture": (io.BytesIO(picture), "f.jpg", kind), **fields})


def told(response: TestResponse) -> dict[str, Any]:
    answer: dict[str, Any] = response.get_json()
    return answer


def visit(client: FlaskClient, *pictures: bytes, **fields: str) -> list[dict[str, Any]]:
    return [told(post(client, picture, **fields)) for picture in pictures]


def tens(detector: LivenessDetector) -> str:
    """What a visit of the live picture ends with: its score in tens of per cent."""
    score = detector.predict(LIVE).score
    assert score is not None
    return f"{round(10 * score)}0% Real"


def test_the_origins_keys_say_real_only_once_the_visit_is_accepted(
    client: FlaskClient, detector: LivenessDetector
) -> None:
    answers = visit(client, *[LIVE] * 5)
    assert [answer["decision"] for answer in answers] == ["Fake"] * 4 + ["Real"]
    assert [answer["percentage"] for answer in answers] == ["0% Real"] * 4 + [tens(detector)]
    assert {answer["status"] for answer in answers} == {"success"}
    assert [answer["message"] for answer in answers] == ["Still looking: hold still."] * 4 + ["This is a live face."]


def test_one_decision_after_a_full_window_ends_the_visit(client: FlaskClient) -> None:
    answers = visit(client, *[LIVE] * 6)
    assert [answer["verdict"] for answer in answers] == ["rejected"] * 4 + ["live", "rejected"]
    assert [answer["is_live"] for answer in answers] == [False] * 4 + [True, False]
    assert [answer["done"] for answer in answers] == [False] * 4 + [True, False]
    assert [answer["progress"] for answer in answers] == [0.2, 0.4, 0.6, 0.8, 1, 0.2]
    assert len({answer["session"] for answer in answers[:5]}) == 1
    assert answers[5]["session"] != answers[4]["session"], "what comes after the end is another visit"


def test_a_screen_is_refused(client: FlaskClient) -> None:
    (answer,) = visit(client, ATTACK)
    assert (answer["done"], answer["decision"], answer["verdict"], answer["reason"]) == (
        True,
        "Fake",
        "spoof",
        "not_live",
    )
    assert answer["message"] == "This looks like a picture of a face."


@pytest.mark.parametrize("live", range(1, 5))
def test_live_frames_do_not_vouch_for_the_picture_that_is_swapped_in(client: FlaskClient, live: int) -> None:
    answers = visit(client, *[LIVE] * live, *[ATTACK] * (5 - live))
    assert [answer["is_live"] for answer in answers] == [False] * 5
    assert answers[live]["done"] and answers[live]["decision"] == "Fake"


def test_strangers_get_tens_and_no_scores(client: FlaskClient) -> None:
    keys = {"status", "message", "decision", "percentage", "verdict", "is_live", "done", "reason", "guidance"}
    for answer in visit(client, LIVE, LIVE, scene.jpeg(scene.nobody()), ATTACK):
        assert set(answer) == keys | {"progress", "screen", "digits", "tries_left", "session"}
        assert answer["percentage"] is None or re.fullmatch(r"(\d0|100|0)% Real", answer["percentage"])


def test_who_leaves_a_visit_early_has_learned_nothing_of_how_it_goes(client: FlaskClient) -> None:
    """Otherwise a picture could be tried in many visits, none of which ends and counts."""
    other = scene.jpeg(Image.blend(scene.live(), scene.attack(), 0.3))
    first, second = ({**visit(client, picture, session="x")[0], "session": ""} for picture in (LIVE, other))
    assert first == second


def test_exact_scores_are_told_on_demand_only(detector: LivenessDetector) -> None:
    client = create_app(detector, settings=Settings(scores=1, remembered_frames=0)).test_client()
    answers = visit(client, LIVE, LIVE)
    expected = detector.predict(LIVE)
    assert expected.face is not None
    for frames, answer in enumerate(answers, start=1):
        assert answer["scores"]["score"] == answer["scores"]["vote"] == pytest.approx(expected.score, abs=1e-6)
        assert answer["scores"]["threshold"] == detector.threshold
        assert answer["scores"]["face"]["box_px"] == pytest.approx(expected.face.edges, abs=0.1)
        assert answer["scores"]["frames"] == frames
    assert answers[0]["percentage"] == tens(detector)


def test_the_face_of_a_large_picture_is_told_in_its_own_pixels(detector: LivenessDetector) -> None:
    client = create_app(detector, settings=Settings(scores=1)).test_client()
    pictures = []
    for size in ((640, 480), (2560, 1920)):
        file = io.BytesIO()
        scene.live().resize(size).save(file, "JPEG", quality=50)
        pictures.append(file.getvalue())
    small, large = (answer["scores"]["face"]["box_px"] for answer in visit(client, *pictures))
    assert large == pytest.approx([4 * edge for edge in small], abs=40)


@pytest.mark.parametrize(
    ("picture", "guidance"),
    [
        (scene.nobody(), "face_the_camera"),
        (scene.two(), "one_person_only"),
        (scene.darkness(), "more_light"),
        (Image.new("RGB", scene.SIZE), "more_light"),
        (scene.far(), "come_closer"),
        (scene.aside(), "move_left"),
        (scene.aside().transpose(Image.Transpose.FLIP_LEFT_RIGHT), "move_right"),
        (scene.live().transform(scene.SIZE, Image.Transform.AFFINE, (1, 0, 0, 0, 1, 150)), "move_down"),
    ],
    ids=["empty", "two", "dark", "black", "far", "left", "right", "up"],
)
def test_a_face_that_is_not_in_its_place_is_guided_there(
    client: FlaskClient, picture: Image.Image, guidance: str
) -> None:
    (answer,) = visit(client, scene.jpeg(picture), oval=OVAL)
    assert (answer["guidance"], answer["progress"], answer["done"]) == (guidance, 0, False)
    assert answer["message"] == GUIDANCE_WORDS[guidance]
    assert visit(client, LIVE, oval=OVAL)[0]["progress"] == 0.2, "the visit begins with the first face in its place"


def test_a_face_may_be_too_close(client: FlaskClient) -> None:
    (answer,) = visit(client, LIVE, oval="0.4,0.3,0.6,0.7")
    assert answer["guidance"] == "move_back"


@pytest.mark.parametrize("oval", ["1", "a,b,c,d", "0,0,0,0", "nan,0,1,1", "0.9,0,0.1,1", "0,0,1,1,1", "-1e9,0,1e9,1"])
def test_an_oval_that_is_none_is_the_clients_error(client: FlaskClient, oval: str) -> None:
    response = post(client, oval=oval)
    assert response.status_code == 400
    assert "oval" in told(response)["message"]


@pytest.mark.parametrize(
    ("picture", "reason"), [(scene.nobody(), Reason.NO_FACE), (scene.darkness(), Reason.TOO_DARK)], ids=str
)
def test_a_frame_without_a_usable_face_says_why(client: FlaskClient, picture: Image.Image, reason: Reason) -> None:
    post(client)
    response = post(client, scene.jpeg(picture))
    answer = told(response)
    assert response.status_code == 422
    assert (answer["status"], answer["reason"]) == ("error", reason.value)
    assert answer["message"] == GUIDANCE_WORDS[answer["guidance"]]
    assert (answer["decision"], answer["percentage"], answer["is_live"], answer["progress"]) == (
        "Fake",
        None,
        False,
        0.2,
    )


def test_everything_that_can_be_said_has_words() -> None:
    assert {guidance.value for guidance in Guidance} <= set(GUIDANCE_WORDS)
    assert set(REFUSAL_WORDS) == set(SessionReason)


def test_three_tries_then_another_way_in(detector: LivenessDetector) -> None:
    client = create_app(detector, settings=Settings(remembered_frames=0)).test_client()
    assert [answer["tries_left"] for answer in visit(client, *[ATTACK] * 3)] == [2, 1, 0]
    refused = client.post("/session")
    assert (refused.status_code, told(refused)["reason"]) == (429, "no_more_tries")
    assert "other way in" in told(refused)["message"]
    for late in (post(client), post(client, ATTACK), post(client, scene.jpeg(scene.nobody()))):
        assert late.status_code == 429
        assert set(told(late)) == {"status", "message", "reason", "request_id"}, "any answer helps with the next attack"
        assert told(late)["reason"] == "no_more_tries"
    elsewhere = client.post("/session", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200


def test_an_accepted_visit_forgives_the_tries_before_it(detector: LivenessDetector) -> None:
    client = create_app(detector, settings=Settings(remembered_frames=0)).test_client()
    visit(client, ATTACK, ATTACK)
    assert visit(client, *[LIVE] * 5)[-1]["is_live"]
    assert visit(client, ATTACK)[0]["tries_left"] == 2


def test_visits_side_by_side_are_no_more_tries(detector: LivenessDetector) -> None:
    client = create_app(detector, settings=Settings(remembered_frames=0, rate_limit="100 per second")).test_client(
        use_cookies=False
    )
    sessions = [told(client.post("/session"))["session"] for _ in range(5)]
    for session in sessions:
        visit(client, *[LIVE] * 4, session=session)
    ends = [visit(client, ATTACK, session=session)[0] for session in sessions]
    assert [end["reason"] for end in ends] == ["not_live"] * 3 + ["no_more_tries"] * 2


def test_an_account_has_its_tries_wherever_it_is_entered_from_and_hears_of_the_end(detector: LivenessDetector) -> None:
    heard: list[tuple[str | None, bool]] = []
    app = create_app(
        detector,
        settings=Settings(remembered_frames=0),
        account=lambda: request.headers.get("X-Account"),
        decided=lambda account, accepted: heard.append((account, accepted)),
    )
    client = app.test_client(use_cookies=False)

    def attacked(number: int, account: str) -> dict[str, Any]:
        where = {"REMOTE_ADDR": f"192.0.2.{number}"}
        data = {"picture": (io.BytesIO(ATTACK), "f.jpg")}
        return told(client.post("/upload", data=data, headers={"X-Account": account}, environ_base=where))

    assert [attacked(number, "ann")["tries_left"] for number in range(3)] == [2, 1, 0]
    assert attacked(4, "ann")["reason"] == "no_more_tries"
    assert attacked(5, "bob")["tries_left"] == 2
    assert heard == [("ann", False)] * 3 + [("bob", False)]


def test_half_a_character_in_an_accounts_name_is_a_name(detector: LivenessDetector) -> None:
    client = create_app(detector, settings=Settings(), account=lambda: "\ud800").test_client()
    assert client.post("/session").status_code == 200


def test_a_picture_that_was_judged_is_refused_in_every_session(detector: LivenessDetector) -> None:
    client = create_app(detector, settings=Settings()).test_client(use_cookies=False)
    first = post(client)
    assert first.status_code == 200
    for session in (told(first)["session"], ""):
        again = post(client, session=session)
        assert (again.status_code, told(again)["reason"]) == (409, "repeated_frame")
    changed = told(post(client, LIVE + b"\0", session=told(first)["session"]))
    assert changed["progress"] == 0.4, "the visit goes on"
    dark = scene.jpeg(Image.new("RGB", scene.SIZE))
    assert [post(client, dark).status_code for _ in range(2)] == [422, 422], "a covered camera may say so again"


def test_a_form_that_cannot_be_read_opens_nothing(client: FlaskClient) -> None:
    opened = client.post("/session", data=b"--x\r\n[]--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert opened.status_code == 400
    assert client.post("/session").status_code == 200


ENDED = {"accepted": True, "reason": None, "vote": 1.0, "frames": 5}


@pytest.mark.parametrize(
    "damage", [{"kind": ["off"]}, {"kind": {}}, {"visit": []}, {"visit": 7}, {"ended": ENDED}], ids=str
)
def test_a_damaged_or_ended_state_begins_anew_and_accepts_nobody(
    detector: LivenessDetector, damage: dict[str, Any]
) -> None:
    store = MemoryStore(ttl_s=60, max_sessions=10)
    kept = dict(detector.session().state) | {"decision": damage.get("ended")}
    session, _ = store.change(None, lambda _, now_ms: (None, {"kind": "off", "visit": kept, **damage}))
    client = create_app(detector, store, settings=Settings(remembered_frames=0)).test_client(use_cookies=False)
    (answer,) = visit(client, LIVE, session=session)
    assert (answer["done"], answer["is_live"], answer["progress"]) == (False, False, 0.2)


def test_a_visit_takes_no_longer_than_allowed(detector: LivenessDetector) -> None:
    now = 1000.0
    store = MemoryStore(ttl_s=60, max_sessions=10, clock=lambda: now)
    client = create_app(detector, store, settings=Settings(remembered_frames=0)).test_client()
    visit(client, LIVE, LIVE)
    now += 20.5
    (answer,) = visit(client, LIVE)
    assert (answer["done"], answer["reason"], answer["message"]) == (True, "timed_out", "That took too long.")


@pytest.mark.parametrize("damage", [{"version": 99}, {"window": 7}, {"scores": "x"}, {"scores": [2]}, {}])
def test_a_state_that_does_not_fit_is_a_new_visit(detector: LivenessDetector, damage: dict[str, Any]) -> None:
    store = MemoryStore(ttl_s=60, max_sessions=10)
    client = create_app(detector, store, settings=Settings(remembered_frames=0)).test_client()
    session = visit(client, LIVE, LIVE)[-1]["session"]

    def break_(state: State, now_ms: float) -> tuple[None, State]:
        assert state is not None
        return None, {"kind": "?", "visit": {**state["visit"], **damage}} if damage else {"nothing": 1}

    store.change(session, break_)
    (answer,) = visit(client, LIVE)
    assert (answer["progress"], answer["session"], answer["done"]) == (0.2, session, False)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "no picture"),
        ({"other": (io.BytesIO(LIVE), "f.jpg")}, "no picture"),
        ({"picture": "just text"}, "no picture"),
        ({"picture": (io.BytesIO(b""), "f.jpg")}, "no picture"),
        ({"picture": (io.BytesIO(b"\x89PNG\r\n\x1a\n but not really"), "f.png")}, "cannot be read"),
        ({"picture": (io.BytesIO(LIVE[:4000]), "f.jpg")}, "cannot be read"),
        ({"picture": (io.BytesIO(LIVE[:3]), "f.jpg")}, "cannot be read"),
    ],
    ids=["nothing", "another field", "text", "empty", "not a picture", "cut short", "hardly begun"],
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
    gif = io.BytesIO()
    Image.new("1", (8, 8)).save(gif, "GIF")
    for data in (b"\0\0\0\x18ftypheic", b"<svg/>", b"GIF89a", gif.getvalue(), b"RIFF1234WAVE", b"hello"):
        refused = post(client, data)
        assert refused.status_code == 415
        assert told(refused)["message"] == "The file is no picture that is read here: send JPEG, PNG or WebP."


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_is_taken(client: FlaskClient, kind: str) -> None:
    file = io.BytesIO()
    scene.live().save(file, kind)
    assert post(client, file.getvalue()).status_code == 200


def test_an_upload_or_a_picture_that_is_too_large(client: FlaskClient) -> None:
    kind = "multipart/form-data; boundary=between"
    assert client.post("/upload", data=b"\0" * (2**20 + 1), content_type=kind).status_code == 413
    file = io.BytesIO()
    Image.new("1", (1500, 1500)).save(file, "PNG")
    response = post(client, file.getvalue(), kind="image/png")
    assert response.status_code == 413
    assert "1500x1500" in told(response)["message"]
    bomb = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(bomb, "PNG")
    assert post(client, bomb.getvalue(), kind="image/png").status_code == 413


def test_each_address_has_its_rate_limit(detector: LivenessDetector) -> None:
    app = create_app(detector, settings=Settings(rate_limit="3 per hour", remembered_frames=0))
    client = app.test_client()
    assert [post(client).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = post(client)
    assert int(refused.headers["Retry-After"]) > 0
    assert told(refused)["message"] == "Too many requests at once: wait a moment."
    assert client.post("/session").status_code == client.get("/").status_code == 429, "one budget for all routes"
    picture = {"picture": (io.BytesIO(LIVE), "f.jpg")}
    elsewhere = client.post("/upload", data=picture, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200
    assert client.get("/healthz").status_code == 200


class Breaks:
    """A face detector with a fault in it."""

    def detect(self, image: object) -> list[Any]:
        raise ZeroDivisionError("the secret of the house")


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "192.0.2.2", False),
        ("", "", True),
        ("192.0.2.1:50001", "192.0.2.1:50002", True),
        ("192.0.2.1:50001", "192.0.2.2:50001", False),
        ("[2001:db8:1:2::1]:50001", "2001:db8:1:2::9", True),
        ("[2001:db8:1:2::1]:50001", "[2001:db8:1:3::1]:50001", False),
    ],
)
def test_addresses_of_one_household_count_together(
    detector: LivenessDetector, one: str, other: str, together: bool
) -> None:
    client = create_app(detector, settings=Settings(rate_limit="1 per hour")).test_client()
    assert client.post("/session", environ_base={"REMOTE_ADDR": one}).status_code == 200
    second = client.post("/session", environ_base={"REMOTE_ADDR": other})
    assert (second.status_code == 429) is together


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "http://localhost:8080"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 403),
    ],
)
def test_another_sites_page_can_do_nothing_here(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/session", headers=headers).status_code == status
    assert client.delete("/session", headers=headers).status_code == status
    assert client.get("/healthz", headers=headers).status_code == 200


def test_the_cookie_of_https_can_be_set_by_no_other_host(client: FlaskClient) -> None:
    (plain,) = client.post("/session").headers.getlist("Set-Cookie")
    (secure,) = client.post("/session", base_url="https://localhost").headers.getlist("Set-Cookie")
    assert plain.startswith("facelive_session=") and "Secure" not in plain
    assert secure.startswith("__Host-facelive_session=") and "Secure" in secure and "Path=/" in secure
    assert "Domain" not in secure


class Waits:
    """A face detector that is slow."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Semaphore(0), threading.Event()

    def detect(self, image: object) -> list[Any]:
        self.entered.release()
        assert self.go.wait(PATIENCE_S)
        return []


def test_so_many_pictures_are_judged_at_once_and_no_more(
    detector: LivenessDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("examples.flask_app.uploads._WAIT_S", 0.2)
    faces = Waits()
    app = create_app(LivenessDetector(detector.model, faces=faces), settings=Settings(decodes=2))
    with ThreadPoolExecutor(2) as threads:
        busy = [threads.submit(lambda: post(app.test_client()).status_code) for _ in range(2)]
        for _ in range(2):
            assert faces.entered.acquire(timeout=PATIENCE_S)
        refused = post(app.test_client())
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        faces.go.set()
        assert [one.result() for one in busy] == [422, 422]
    assert post(app.test_client()).status_code == 422


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
    assert "decision" not in line
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
    assert told(post(client, sideways.getvalue()))["progress"] == 0.2


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
