"""The deployment recipes, run as the page shows them: a real worker, a real server, a real client."""

from __future__ import annotations

import importlib
import io
import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Iterator, Optional

import pytest
from tests.docs.pages import PAGES, ROOT

RECIPES = ROOT / "docs" / "recipes"

pytestmark = pytest.mark.filterwarnings("default")  # what frameworks warn about each other is not ours to mend


def recipe(name: str, *packages: str) -> Any:
    for package in packages:
        pytest.importorskip(package, reason=f"{package} is not installed: the recipe {name} did not run")
    return importlib.import_module(f"docs.recipes.{name}")


@pytest.fixture
def photo(portrait_path: Path) -> bytes:
    return portrait_path.read_bytes()


def test_every_recipe_is_shown_and_run() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    tests = [Path(__file__), ROOT / "tests" / "examples" / "batch" / "test_frames.py"]
    calls = "".join(test.read_text(encoding="utf-8") for test in tests)
    files = sorted(RECIPES.glob("*.py"))
    assert files
    for file in files:
        assert f'--8<-- "docs/recipes/{file.name}"' in pages
        assert f'recipe("{file.stem}"' in calls


def judged(answer: Any) -> bool:
    return answer["verdict"] in ("live", "spoof") and 0 <= answer["score"] <= 1


class TestFlask:
    @pytest.fixture
    def client(self) -> Any:
        return recipe("flask_app", "flask").app.test_client()

    def test_a_photo_gets_its_verdict(self, client: Any, photo: bytes) -> None:
        answer = client.post("/liveness", data={"picture": (io.BytesIO(photo), "me.jpg")})
        assert answer.status_code == 200 and judged(answer.json)

    def test_what_is_no_picture_is_the_clients_error(self, client: Any) -> None:
        answer = client.post("/liveness", data={"picture": (io.BytesIO(b"a note"), "me.jpg")})
        assert answer.status_code == 400 and "not a picture" in answer.json["error"]

    @pytest.mark.parametrize(
        "form", [{}, {"picture": "data:image/jpeg;base64,/9j/"}, {"photo": (io.BytesIO(b""), "me.jpg")}]
    )
    def test_what_is_no_file_in_the_field_is_said(self, client: Any, form: Any) -> None:
        answer = client.post("/liveness", data=form)
        assert (answer.status_code, answer.json) == (
            400,
            {"error": "send the picture as a file in the field 'picture'"},
        )

    def test_a_large_upload_is_refused(self, client: Any) -> None:
        large = io.BytesIO(bytes(9 * 2**20))
        assert client.post("/liveness", data={"picture": (large, "me.jpg")}).status_code == 413


def test_the_container_serves(tmp_path: Path, photo: bytes) -> None:
    """The container's own command, in a folder that holds what the container holds."""
    for package in ("flask", "gunicorn"):
        pytest.importorskip(package, reason=f"{package} is not installed: the container's command did not run")
    page = (RECIPES.parent / "deployment.md").read_text(encoding="utf-8")
    shown = re.search(r"^CMD (\[.+\])$", page, re.M)
    assert shown
    program, *arguments = json.loads(shown[1])
    assert f"RUN pip install --no-cache-dir facelive {program} flask" in page
    shutil.copy(RECIPES / "flask_app.py", tmp_path / "app.py")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    arguments = [address if argument == "0.0.0.0:8000" else argument for argument in arguments]
    server = subprocess.Popen(
        [sys.executable, "-m", program, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stderr is not None
        for line in server.stderr:
            if "Listening at" in line:
                break
        body = (
            b'--b\r\nContent-Disposition: form-data; name="picture"; filename="me.jpg"\r\n\r\n'
            + photo
            + b"\r\n--b--\r\n"
        )
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        request = urllib.request.Request(f"http://{address}/liveness", body, kind)
        with urllib.request.urlopen(request) as answer:
            assert judged(json.load(answer))
    finally:
        server.terminate()
        server.communicate()
    assert server.returncode == 0


class TestFastAPI:
    @pytest.fixture
    def client(self) -> Any:
        app = recipe("fastapi_app", "fastapi", "httpx").app
        return importlib.import_module("fastapi.testclient").TestClient(app)

    def test_a_photo_gets_its_verdict(self, client: Any, photo: bytes) -> None:
        answer = client.post("/liveness", content=photo)
        assert answer.status_code == 200 and judged(answer.json())

    def test_what_is_no_picture_is_the_clients_error(self, client: Any) -> None:
        assert client.post("/liveness", content=b"a note").status_code == 400
        assert client.post("/liveness", content=bytes(9 * 2**20)).status_code == 413

    def test_a_connection_is_a_stream(self, client: Any, photo: bytes) -> None:
        with client.websocket_connect("/camera") as first, client.websocket_connect("/camera") as second:
            frames = []
            for _ in range(6):
                first.send_bytes(photo)
                frames.append(first.receive_json()["frames"])
            assert frames == [1, 2, 3, 4, 5, 5]
            second.send_bytes(b"a note")
            assert "not a picture" in second.receive_json()["error"]
            second.send_bytes(photo)
            assert second.receive_json()["frames"] == 1

    @pytest.mark.parametrize("text", ["data:image/jpeg;base64,/9j/", "/etc/hostname", ""])
    def test_a_frame_of_text_is_answered_and_no_vote(self, client: Any, photo: bytes, text: str) -> None:
        with client.websocket_connect("/camera") as camera:
            camera.send_text(text)
            answer = camera.receive_json()
            assert set(answer) == {"error"} and "binary frame" in answer["error"]
            assert not text or text not in answer["error"]
            camera.send_bytes(photo)
            assert camera.receive_json()["frames"] == 1

    def test_a_large_frame_is_refused_and_the_camera_goes_on(self, client: Any, photo: bytes) -> None:
        with client.websocket_connect("/camera") as camera:
            camera.send_bytes(bytes(9 * 2**20))
            assert "at most" in camera.receive_json()["error"]
            camera.send_bytes(photo)
            assert camera.receive_json()["frames"] == 1


class TestFastAPILogin:
    @pytest.fixture
    def client(self) -> Any:
        app = recipe("fastapi_login", "fastapi", "httpx").app
        return importlib.import_module("fastapi.testclient").TestClient(app)

    def test_an_accepted_visit_opens_the_route_once(self, client: Any, photo: bytes) -> None:
        answers = []
        with client.websocket_connect("/visit") as visit:
            for _ in range(5):
                visit.send_bytes(photo)
                answers.append(visit.receive_json())
        assert [one["accepted"] for one in answers] == [None, None, None, None, True]
        assert [one["pass"] for one in answers[:4]] == [None] * 4
        key = {"X-Live-Pass": answers[4]["pass"]}
        assert client.get("/account", headers=key).status_code == 200
        assert client.get("/account", headers=key).status_code == 401

    @pytest.mark.parametrize("key", ["", "guessed"])
    def test_without_a_visit_the_route_stays_shut(self, client: Any, key: str) -> None:
        assert client.get("/account", headers={"X-Live-Pass": key}).status_code == 401
        assert client.get("/account").status_code == 401

    @pytest.mark.parametrize("frame", [b"a note", b"", bytes(9 * 2**20)])
    def test_what_is_no_picture_ends_the_visit(self, client: Any, frame: bytes) -> None:
        disconnect = importlib.import_module("starlette.websockets").WebSocketDisconnect
        with client.websocket_connect("/visit") as visit:
            visit.send_bytes(frame)
            with pytest.raises(disconnect):
                visit.receive_json()


class TestDjango:
    @pytest.fixture
    def client(self) -> Any:
        recipe("django_app", "django")
        return importlib.import_module("django.test").Client()

    @staticmethod
    def upload(data: bytes) -> Any:
        return importlib.import_module("django.core.files.uploadedfile").SimpleUploadedFile("me.jpg", data)

    def test_a_photo_gets_its_verdict(self, client: Any, photo: bytes) -> None:
        answer = client.post("/liveness", {"picture": self.upload(photo)})
        assert answer.status_code == 200 and judged(answer.json())

    @pytest.mark.parametrize("data", [b"a note", bytes(9 * 2**20), None])
    def test_what_is_no_picture_is_the_clients_error(self, client: Any, data: Optional[bytes]) -> None:
        answer = client.post("/liveness", {} if data is None else {"picture": self.upload(data)})
        assert answer.status_code == 400 and "picture" in answer.json()["error"]

    def test_text_in_the_field_is_no_picture(self, client: Any) -> None:
        answer = client.post("/liveness", {"picture": "data:image/jpeg;base64,/9j/"})
        assert (answer.status_code, answer.json()["error"]) == (400, "send a 'picture' of at most 8 MiB")

    def test_another_site_cannot_post(self) -> None:
        recipe("django_app", "django")
        stranger = importlib.import_module("django.test").Client(enforce_csrf_checks=True)
        assert stranger.post("/liveness").status_code == 403


@pytest.fixture(scope="module")
def liveness() -> Iterator[Any]:
    """The Celery task, with a worker at its other end."""
    module = recipe("celery_app", "celery")
    start_worker = importlib.import_module("celery.contrib.testing.worker").start_worker
    with start_worker(module.app, perform_ping_check=False, pool="solo"):
        yield module.liveness


class TestCelery:
    def test_a_worker_judges_a_stored_photo(self, liveness: Any, portrait_path: Path) -> None:
        assert judged(liveness.delay(str(portrait_path)).get(timeout=60))

    def test_a_broken_photo_is_an_answer(self, liveness: Any, tmp_path: Path) -> None:
        (tmp_path / "broken.jpg").write_bytes(b"a note")
        assert "not a picture" in liveness.delay(str(tmp_path / "broken.jpg")).get(timeout=60)["error"]

    @pytest.mark.parametrize("odd", [None, 7, ["/etc/hostname"], "", "https://example.org/me.jpg"])
    def test_what_is_no_path_is_an_answer(self, liveness: Any, odd: Any) -> None:
        assert set(liveness.delay(odd).get(timeout=60)) == {"error"}


@pytest.fixture(scope="module")
def watch() -> Iterator[Any]:
    """A client's end of the gRPC method, with a server at the other, on a free port."""
    module = recipe("grpc_server", "grpc")
    grpc = importlib.import_module("grpc")
    server = module.make_server()
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel.stream_stream(module.METHOD, request_serializer=bytes, response_deserializer=json.loads)
    server.stop(None).wait()


class TestGrpc:
    def test_a_call_is_a_stream(self, watch: Any, photo: bytes) -> None:
        answers = list(watch(iter([photo] * 3), timeout=60))
        assert [answer["frames"] for answer in answers] == [1, 2, 3]
        assert next(watch(iter([photo]), timeout=60))["frames"] == 1

    def test_what_is_no_picture_ends_the_call(self, watch: Any) -> None:
        grpc = importlib.import_module("grpc")
        with pytest.raises(grpc.RpcError) as caught:
            next(watch(iter([b"a note"]), timeout=60))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
