"""The wire: digits asked for beside frames, sounds answered, and everything that is no answer refused in a sentence."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.digits import speech
from tests.examples.flask_app.digits.test_sound import REFUSED, SILENT
from tests.examples.flask_app.serving import form

from facelive import LivenessDetector, QualityPolicy

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app import create_app
from examples.flask_app.digits.recogniser import NETWORK, Recogniser
from examples.flask_app.settings import Settings
from examples.flask_app.stores import MemoryStore
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

LIVE, ATTACK = scene.jpeg(scene.live()), scene.jpeg(scene.attack())
MADE_UP = {
    "a whistle": speech.tone(),
    "mains hum": sum(speech.tone(hertz=100.0 * number) / (4 * number) for number in range(1, 8)),
    "noise": speech.hiss(),
    "a click": np.eye(1, 48_000, 24_000)[0],
    "a made-up voice": speech.vowels(4, seed=1),
    "a longer made-up voice": speech.vowels(6, seed=2),
}


@pytest.fixture(scope="module")
def detector() -> LivenessDetector:
    return LivenessDetector(quality=QualityPolicy(multiple_faces="reject"))


def client(detector: LivenessDetector, challenge: str = "digits", store: MemoryStore | None = None) -> FlaskClient:
    limits = Settings(
        rate_limit="1000 per second", remembered_frames=0, tries=1000, visit_s=600, challenge=challenge, scores=0
    )
    return create_app(detector, store, settings=limits).test_client()


def frame(client: FlaskClient, picture: bytes = LIVE, **fields: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(
        "/upload", data={"picture": (io.BytesIO(picture), "f.jpg"), **fields}
    ).get_json()
    return answer


def say(client: FlaskClient, sound: bytes, nonce: str, *, session: str | None = None) -> TestResponse:
    body, headers = form(sound, name="sound", nonce=nonce, session=session)
    return client.post("/digits", data=body, headers=headers)


def asked(client: FlaskClient) -> tuple[list[int], str]:
    """Begin a visit; the digits that it asks for, and their nonce."""
    told = frame(client)["digits"]
    return [int(digit) for digit in told["say"].split()], told["nonce"]


def ended(client: FlaskClient, picture: bytes = LIVE, most: int = 8) -> dict[str, Any]:
    """Send frames until the visit ends, ``most`` at most; the last answer."""
    for _ in range(most):
        answer = frame(client, picture)
        if answer["done"]:
            break
    return answer


def one_wrong(digits: Sequence[int]) -> list[int]:
    return [*digits[:2], (digits[2] + 5) % 10, digits[3]]


def test_the_network_is_small_and_its_card_is_its_own() -> None:
    assert NETWORK.stat().st_size < 300_000
    card = json.loads(NETWORK.with_suffix(".json").read_text(encoding="utf-8"))
    assert {"sha256", "least_lead", "licence", "limits", "measured", "training"} <= set(card)


@pytest.mark.parametrize("name", MADE_UP)
def test_made_up_sounds_say_no_digits(name: str) -> None:
    samples = np.asarray(MADE_UP[name], np.float32)
    recogniser = Recogniser()
    answers = recogniser.answers(samples)
    assert answers.shape == (-(-(1 + (len(samples) - 400) // 160) // 4), 11)
    assert np.exp(answers).sum(axis=1) == pytest.approx(1, abs=1e-4)
    random = np.random.default_rng(0)
    assert not any(recogniser.said(samples, random.integers(0, 10, 4).tolist()) for _ in range(20))


def test_right_digits_and_live_frames_are_accepted(detector: LivenessDetector) -> None:
    visitor = client(detector)
    digits, nonce = asked(visitor)
    heard = say(visitor, speech.wav(speech.understood(digits)), nonce)
    assert (heard.status_code, heard.get_json()["digits"]) == (200, None)
    assert heard.get_json()["message"] == "Thank you: hold still."
    assert ended(visitor)["is_live"]


def test_recordings_are_told_apart() -> None:
    """The network has learnt from these speakers: docs/laboratory-sessions.md measures others."""
    random, recogniser = np.random.default_rng(1), Recogniser()
    right = wrong = 0
    for speaker in speech.SPEAKERS * 10:
        digits = random.integers(0, 10, 4).tolist()
        samples = speech.said(digits, speaker=speaker, number=int(random.integers(17)))
        right += recogniser.said(samples, digits)
        wrong += recogniser.said(samples, one_wrong(digits))
    assert right >= 36 and wrong <= 3, "of sixty"


def test_one_wrong_digit_twice_is_refused(detector: LivenessDetector) -> None:
    visitor = client(detector)
    digits, nonce = asked(visitor)
    again = say(visitor, speech.wav(speech.said(one_wrong(digits))), nonce).get_json()
    assert again["message"] == "That was not understood: say these digits."
    assert again["digits"]["nonce"] != nonce
    others = [int(digit) for digit in again["digits"]["say"].split()]
    last = say(visitor, speech.wav(speech.said(one_wrong(others))), again["digits"]["nonce"])
    assert last.get_json()["digits"] is None
    answer = ended(visitor)
    assert (answer["is_live"], answer["reason"]) == (False, "challenge_failed")


def test_who_is_not_understood_may_say_others(detector: LivenessDetector) -> None:
    visitor = client(detector)
    _, nonce = asked(visitor)
    again = say(visitor, speech.wav(speech.hiss()), nonce).get_json()["digits"]
    digits = [int(digit) for digit in again["say"].split()]
    assert say(visitor, speech.wav(speech.understood(digits)), again["nonce"]).status_code == 200
    assert ended(visitor)["is_live"]


def test_right_digits_do_not_vouch_for_a_picture(detector: LivenessDetector) -> None:
    visitor = client(detector)
    digits, nonce = asked(visitor)
    assert say(visitor, speech.wav(speech.understood(digits)), nonce).status_code == 200
    answer = ended(visitor, ATTACK)
    assert (answer["is_live"], answer["reason"]) == (False, "not_live")


def test_live_frames_without_a_sound_end_in_no_acceptance(detector: LivenessDetector) -> None:
    visitor = client(detector)
    answers = [frame(visitor) for _ in range(10)]
    assert not any(answer["done"] or answer["is_live"] for answer in answers)
    assert {answer["guidance"] for answer in answers} == {"say_the_digits"}
    assert {answer["message"] for answer in answers} == {"Say these digits aloud, one after the other."}
    assert len({answer["digits"]["nonce"] for answer in answers}) == 1


@pytest.mark.parametrize("name", MADE_UP)
def test_noise_and_other_sounds_are_not_the_digits(detector: LivenessDetector, name: str) -> None:
    visitor = client(detector)
    _, nonce = asked(visitor)
    for _ in range(2):
        told = say(visitor, speech.wav(MADE_UP[name]), nonce)
        assert told.status_code == 200
        nonce = (told.get_json()["digits"] or {}).get("nonce", "")
    answer = ended(visitor)
    assert (answer["is_live"], answer["reason"]) == (False, "challenge_failed")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_is_refused_and_may_be_sent_again(detector: LivenessDetector, name: str) -> None:
    visitor = client(detector)
    _, nonce = asked(visitor)
    content, sentence = REFUSED[name]
    refused = say(visitor, content, nonce)
    assert (refused.status_code, refused.get_json()["message"]) == (400, sentence)
    assert frame(visitor)["digits"]["nonce"] == nonce, "the same digits are waited for"
    assert not ended(visitor)["done"]


@pytest.mark.parametrize("name", SILENT)
def test_silence_may_be_followed_by_the_same_digits(detector: LivenessDetector, name: str) -> None:
    visitor = client(detector)
    _, nonce = asked(visitor)
    refused = say(visitor, speech.wav(SILENT[name]), nonce)
    assert (refused.status_code, refused.get_json()["reason"]) == (422, "nothing_heard")
    assert refused.get_json()["message"].startswith("Nothing was heard: see that the microphone is on")
    assert frame(visitor)["digits"]["nonce"] == nonce
    assert not ended(visitor)["done"]


def test_a_form_without_a_sound_is_refused(detector: LivenessDetector) -> None:
    visitor = client(detector)
    _, nonce = asked(visitor)
    for data in (
        {"nonce": nonce},
        {"nonce": nonce, "sound": "4071"},
        {"nonce": nonce, "picture": (io.BytesIO(b"x"), "x")},
    ):
        refused = visitor.post("/digits", data=data, content_type="multipart/form-data")
        assert (refused.status_code, refused.get_json()["message"]) == (
            400,
            "The form has no sound: send a file in the field 'sound'.",
        )
    for kind in ("application/json", "audio/wav", "application/x-www-form-urlencoded", ""):
        assert visitor.post("/digits", data=b"{}", content_type=kind).status_code == 415


def test_only_the_nonce_on_the_screen_counts_and_only_once(detector: LivenessDetector) -> None:
    sound = speech.wav(speech.hiss())
    visitor, other = client(detector), client(detector)
    _, nonce = asked(visitor)
    _, of_another = asked(other)
    for wrong in ("", "x", of_another, nonce.upper() + "x", "é" * 100_000, "\0"):
        refused = say(visitor, sound, wrong)
        assert (refused.status_code, refused.get_json()["reason"]) == (409, "not_asked")
        assert refused.get_json()["message"] == "These digits are not asked for now: say those on the screen."
    new = say(visitor, sound, nonce).get_json()["digits"]["nonce"]
    assert say(visitor, sound, nonce).status_code == 409, "used"
    assert say(visitor, sound, new).get_json()["digits"] is None
    assert say(visitor, sound, new).status_code == 409, "no more are asked for"
    assert ended(visitor)["reason"] == "challenge_failed"
    assert say(visitor, sound, new).status_code == 409, "the visit is over"


def test_a_sound_without_a_visit_opens_none(detector: LivenessDetector) -> None:
    store = MemoryStore(ttl_s=60, max_sessions=10)
    visitor = client(detector, store=store)
    for session in ("", "x", "A" * 32):
        assert say(visitor, speech.wav(speech.tone()), "x", session=session).status_code == 409
    assert len(store) == 0
    for challenge in ("off", "turn", "light"):
        assert say(client(detector, challenge), speech.wav(speech.tone()), "x").status_code == 409


def test_digits_are_not_told_before_a_face_is_in_its_place(detector: LivenessDetector) -> None:
    visitor = client(detector)
    opened = visitor.post("/session").get_json()
    assert opened["challenge"] == "digits" and "say" not in json.dumps(opened)
    for picture in (scene.nobody(), scene.far()):
        assert frame(visitor, scene.jpeg(picture), oval="0.275,0.1,0.725,0.9")["digits"] is None
    assert frame(visitor, oval="0.275,0.1,0.725,0.9")["digits"] is not None


@pytest.mark.parametrize(
    ("challenge", "flashing", "speaking", "kind"),
    [
        ("digits", "yes", "yes", "digits"),
        ("digits", "no", "no", "turn"),
        ("turn+digits", "yes", "yes", "turn+digits"),
        ("turn+digits", "yes", "no", "turn"),
        ("light+digits", "no", "yes", "turn+digits"),
        ("light+digits", "yes", "no", "light"),
        ("light+digits", "no", "no", "turn"),
        ("light", "yes", "no", "light"),
        ("off", "no", "no", "off"),
    ],
)
def test_who_will_not_speak_gets_another_challenge(
    detector: LivenessDetector, challenge: str, flashing: str, speaking: str, kind: str
) -> None:
    visitor = client(detector, challenge)
    opened = visitor.post("/session", data={"flashing": flashing, "speaking": speaking}).get_json()
    assert opened["challenge"] == kind
    told = frame(visitor)
    assert (told["digits"] is not None) is (kind == "digits")
    assert (told["screen"] is not None) is kind.startswith("light")
    assert visitor.post("/session", data={"speaking": "maybe"}).status_code == 400


def test_nothing_of_a_sound_is_kept_or_logged(
    detector: LivenessDetector, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    store = MemoryStore(ttl_s=60, max_sessions=10)
    visitor = client(detector, store=store)
    told = frame(visitor)["digits"]
    session = frame(visitor)["session"]
    caplog.clear()
    assert say(visitor, speech.wav(speech.tone(7.5)), told["nonce"]).status_code == 200
    kept = json.dumps(store.read(session))
    assert len(kept) < 1000 and "RIFF" not in kept
    (line,) = [record.getMessage() for record in caplog.records if record.name == "facelive.example"]
    assert set(json.loads(line)) == {"request_id", "method", "route", "status", "bytes_in", "duration_ms"}
    assert told["nonce"] not in caplog.text and told["say"] not in caplog.text
    assert list(tmp_path.iterdir()) == [], "and no file was made meanwhile"


@pytest.mark.parametrize(("challenge", "microphone"), [("off", "()"), ("turn", "()"), ("light+digits", "(self)")])
def test_the_microphone_is_lent_to_the_page_only_where_it_is_needed(
    detector: LivenessDetector, challenge: str, microphone: str
) -> None:
    with client(detector, challenge).get("/") as page:
        assert f"microphone={microphone}" in page.headers["Permissions-Policy"]
