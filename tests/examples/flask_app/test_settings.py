"""What an operator sets is taken, and what cannot work is refused before the first request."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import fields

import pytest
from tests.examples.flask_app.scene import ROOT
from tests.examples.flask_app.serving import PATIENCE_S

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

from examples.flask_app import create_app
from examples.flask_app.settings import ConfigurationError, Settings


def test_an_empty_environment_gives_one_worker_with_the_memory_store() -> None:
    settings = Settings.from_environment({})
    assert settings.workers == 1
    assert settings.redis_url == ""


def test_each_setting_has_its_variable() -> None:
    settings = Settings.from_environment(
        {"FACELIVE_MAX_BYTES": "1000", "FACELIVE_RATE_LIMIT": "1 per hour", "FACELIVE_SESSION_TTL_S": " 9 "}
    )
    assert (settings.max_bytes, settings.rate_limit, settings.session_ttl_s) == (1000, "1 per hour", 9)


@pytest.mark.parametrize("value", ["many", "1.5", "-3", "1_000", "１２", "1" * 30, "9" * 11])
@pytest.mark.parametrize("name", [field.name for field in fields(Settings) if isinstance(field.default, int)])
def test_a_number_that_does_not_fit_is_named(name: str, value: str) -> None:
    variable = "WEB_CONCURRENCY" if name == "workers" else f"FACELIVE_{name.upper()}"
    with pytest.raises(ConfigurationError, match=f"{variable} must be a whole number from"):
        Settings.from_environment({variable: value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("FACELIVE_CHALLENGE", "colour"), ("FACELIVE_REDIS_URL", "127.0.0.1:6379"), ("FACELIVE_SCORES", "yes")],
)
def test_a_choice_that_does_not_fit_is_named(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=variable):
        Settings.from_environment({variable: value})


def test_a_redis_url_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfigurationError, match="FACELIVE_REDIS_URL must read like"):
        create_app(settings=Settings(redis_url="redis://host:port/0"))


@pytest.mark.parametrize("limit", ["5 per fortnight", "twenty per second", "3 a minute", ";", "0 per second"])
def test_a_rate_limit_that_would_limit_nothing_or_everything_is_refused(limit: str) -> None:
    with pytest.raises(ConfigurationError, match="FACELIVE_RATE_LIMIT must read like '20 per second"):
        Settings.from_environment({"FACELIVE_RATE_LIMIT": limit})


def test_several_workers_need_a_shared_store() -> None:
    with pytest.raises(ConfigurationError, match="FACELIVE_REDIS_URL"):
        Settings.from_environment({"WEB_CONCURRENCY": "2"})
    assert Settings.from_environment({"WEB_CONCURRENCY": "2", "FACELIVE_REDIS_URL": "redis://host"}).workers == 2


def test_a_forking_server_must_say_that_it_does_not_fork() -> None:
    gunicorn = {"SERVER_SOFTWARE": "gunicorn/23.0.0"}
    with pytest.raises(ConfigurationError, match="WEB_CONCURRENCY=1"):
        Settings.from_environment(gunicorn)
    assert Settings.from_environment({**gunicorn, "WEB_CONCURRENCY": "1"}).workers == 1


def started(*options: str, **environment: str) -> str:
    """What the command says when it does not start."""
    ended = subprocess.run(
        [sys.executable, "-m", "examples.flask_app", *options],
        cwd=ROOT,
        env={**os.environ, "FACELIVE_REDIS_URL": "", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip().splitlines()[-1]


def test_the_command_does_not_start_with_several_workers_and_the_memory_store() -> None:
    assert started(WEB_CONCURRENCY="3").startswith("not started: 3 workers cannot share")


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = started("--port", str(port))
    assert said.startswith(f"not started: cannot listen on 127.0.0.1:{port} (Address already in use)")
    assert started("--port", "70000").endswith("a port is a whole number below 65536")
