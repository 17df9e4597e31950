"""What an operator sets is taken, and what cannot work is refused before the first request."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.examples.flask_app.scene import ROOT

pytest.importorskip(
    "flask_limiter", reason="Flask-Limiter is not installed: pip install -r examples/flask_app/requirements.txt"
)

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


@pytest.mark.parametrize("value", ["many", "1.5", "0", "-3"])
def test_a_number_that_does_not_fit_is_named(value: str) -> None:
    with pytest.raises(ConfigurationError, match="FACELIVE_MAX_PIXELS must be"):
        Settings.from_environment({"FACELIVE_MAX_PIXELS": value})


@pytest.mark.parametrize("limit", ["5 per fortnight", "twenty per second", "3 a minute", ";"])
def test_a_rate_limit_that_would_limit_nothing_is_refused(limit: str) -> None:
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


def test_the_command_does_not_start_with_several_workers_and_the_memory_store() -> None:
    environment = {**os.environ, "WEB_CONCURRENCY": "3"}
    environment.pop("FACELIVE_REDIS_URL", None)
    ended = subprocess.run(
        [sys.executable, "-m", "examples.flask_app"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert "3 workers cannot share" in ended.stderr
    assert "Traceback" not in ended.stderr
