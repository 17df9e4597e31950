"""Two servers share one Redis; it is killed and comes back, and nobody is accepted by mistake."""

from __future__ import annotations

import shutil

import pytest
from tests.examples.flask_app import scene
from tests.examples.flask_app.serving import ask, free_port, redis_server, serving, upload

for module in ("flask_limiter", "waitress", "redis"):
    pytest.importorskip(module, reason=f"{module} is not installed: pip install -r examples/flask_app/requirements.txt")
if not shutil.which("redis-server"):
    pytest.skip("redis-server is not installed: apt-get install redis-server", allow_module_level=True)

LIVE = scene.jpeg(scene.live())


def test_several_workers_keep_one_vote_and_lose_it_safely() -> None:
    redis_port = free_port()
    environment = {"FACELIVE_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0", "WEB_CONCURRENCY": "2"}
    with serving(environment=environment) as one, serving(environment=environment) as other:
        with redis_server(redis_port):
            assert ask(one, "GET", "/healthz").status == 200
            session, steps, verdicts = None, [], []
            for turn in range(5):
                answer = upload((one, other)[turn % 2], LIVE, session=session).json
                session = answer["session"]
                steps.append(answer["progress"])
                verdicts.append(answer["verdict"])
            assert steps == [0.2, 0.4, 0.6, 0.8, 1]
            assert verdicts == ["rejected"] * 4 + ["live"]
            session = upload(one, LIVE).json["session"]

        for port in (one, other):
            refused = upload(port, LIVE, session=session)
            assert refused.status == 503
            assert refused.headers["Retry-After"] == "2"
            assert set(refused.json) == {"status", "message", "request_id"}
            assert ask(port, "GET", "/healthz").status == 503
            assert ask(port, "DELETE", "/session", headers={"Cookie": f"facelive_session={session}"}).status == 503

        with redis_server(redis_port):
            after = upload(one, LIVE, session=session)
            assert after.status == 200
            assert after.json["progress"] == 0.2, "what Redis lost starts anew"
            assert after.json["verdict"] == "rejected"
            assert after.json["session"] != session
            assert upload(other, LIVE, session=after.json["session"]).json["progress"] == 0.4
