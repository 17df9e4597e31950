"""The description at /openapi.json says what the running app does, errors included."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.digits import speech
from tests.examples.flask_app.serving import ask, form, free_port, serving, upload

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)
pytest.importorskip("waitress", reason="waitress is not installed: pip install -r examples/flask_app/requirements.txt")

from examples.flask_app import create_app
from examples.flask_app.answers import GUIDANCE_WORDS
from examples.flask_app.settings import Settings

from facelive import Reason, SessionReason

CONFIG = Path(__file__).with_name("schemathesis.toml")
DESCRIPTION: dict[str, Any] = json.loads(
    (scene.ROOT / "examples" / "flask_app" / "static" / "openapi.json").read_text(encoding="utf-8")
)
SCHEMAS = DESCRIPTION["components"]["schemas"]


@pytest.mark.parametrize(
    ("challenge", "options"),
    [
        ("off", ["--max-time", "20"]),
        ("light+digits", ["--max-time", "10", "--include-path-regex", "upload|session|digits"]),
    ],
)
def test_what_schemathesis_sends_is_answered_as_described(challenge: str, options: list[str], tmp_path: Path) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("Schemathesis is not installed: pip install --group browser")
    port = free_port()
    with serving(port, {"FACELIVE_CHALLENGE": challenge, "FACELIVE_REMEMBERED_FRAMES": "1000"}):
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", "--no-color"]
        command += ["--max-examples", "20", "--seed", "1", *options, f"http://127.0.0.1:{port}/openapi.json"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "failed" not in run.stdout


def test_every_route_is_described_and_no_other() -> None:
    app = create_app(settings=Settings())
    routes = {
        (rule.rule, method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    described = {(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    assert described == routes
    with app.test_client().get("/openapi.json") as response:
        assert response.get_json() == DESCRIPTION


def test_every_reason_is_described() -> None:
    never = {Reason.UNREADABLE.value, SessionReason.FRAME_BELOW_FLOOR.value}  # answered by 400; told as not_live
    reasons = {reason.value for reason in (*Reason, *SessionReason)} - never
    assert set(SCHEMAS["Answer"]["properties"]["reason"]["enum"]) == reasons | {"no_more_tries", None}
    assert set(SCHEMAS["Guidance"]["enum"]) == {*GUIDANCE_WORDS, None}


@pytest.mark.parametrize(("challenge", "scores"), [("off", "1"), ("turn", "0"), ("light", "0"), ("digits", "0")])
def test_answers_and_refusals_are_as_described(challenge: str, scores: str) -> None:
    rs = pytest.importorskip("jsonschema_rs", reason="Schemathesis is not installed: pip install 'facelive[examples]'")

    def holds(name: str, answer: dict[str, Any]) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]}
        rs.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, answer)

    environment = {"FACELIVE_CHALLENGE": challenge, "FACELIVE_SCORES": scores, "FACELIVE_TRIES": "1"}
    with serving(environment={**environment, "FACELIVE_REMEMBERED_FRAMES": "1000"}) as port:
        session = ask(port, "POST", "/session").json
        holds("Session", session)
        assert session["challenge"] == challenge
        picture = scene.jpeg(scene.live())
        judged = upload(port, picture, session=session["session"], oval="0.275,0.1,0.725,0.9")
        assert judged.status == 200
        holds("Answer", judged.json)
        assert (judged.json["screen"] is not None) is (challenge == "light")
        assert ("scores" in judged.json) is (scores == "1")
        assert (judged.json["digits"] is not None) is (challenge == "digits")
        if challenge == "digits":
            sent = {"name": "sound", "nonce": judged.json["digits"]["nonce"], "session": session["session"]}
            holds("Refusal", ask(port, "POST", "/digits", *form(speech.wav([0] * 16_000), **sent)).json)
            holds("Error", ask(port, "POST", "/digits", *form(b"no sound", **sent)).json)
            holds("Heard", ask(port, "POST", "/digits", *form(speech.wav(speech.tone()), **sent)).json)
            holds("Refusal", ask(port, "POST", "/digits", *form(speech.wav(speech.tone()), **sent)).json)
        repeated = upload(port, picture, session=session["session"])
        assert repeated.status == 409
        holds("Refusal", repeated.json)
        holds("Answer", upload(port, scene.jpeg(scene.nobody()), session=session["session"]).json)
        ended = upload(port, scene.jpeg(scene.attack()), session=session["session"]).json
        holds("Answer", ended)
        assert (ended["done"], ended["tries_left"]) == (True, 0)
        refused = ask(port, "POST", "/session")
        assert refused.status == 429
        holds("Refusal", refused.json)
        holds("Error", upload(port, b"no picture").json)
        holds("Done", ask(port, "DELETE", "/session").json)
        holds("Health", ask(port, "GET", "/healthz").json)
