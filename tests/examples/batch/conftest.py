"""A local Ray of two workers and a small archive, with a picture for everything that can happen."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from PIL import Image

PICTURES = 60
BROKEN = {"broken/note.jpg", "broken/empty.jpg", "broken/cut.jpg"}
WITHOUT_A_FACE = {"blank/white.png", "blank/böse & grau.png"}


@pytest.fixture(scope="session")
def store() -> Iterator[Optional[str]]:
    """The address of an S3 server that this process and its children are pointed at; none where moto is missing."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask_cors") is None:
        yield None
        return
    server = importlib.import_module("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name, value in (("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "secret"), ("DEFAULT_REGION", "us-east-1")):
            environment.setenv(f"AWS_{name}", value)
        yield f"{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def cluster(store: Optional[str]) -> Iterator[str]:
    """The address of a Ray with two cores: started here, or the one that RAY_ADDRESS names."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: no archive was scored (pip install 'ray[data]')")
    local: dict[str, Any] = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": 2, "include_dashboard": False}
    ray.init(log_to_driver=False, **local)
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, portrait_path: Path) -> Path:
    """60 pictures: 55 of a face, in folders, 2 without one, and 3 that cannot be read."""
    root = tmp_path_factory.mktemp("archive")
    for folder in ("faces/a", "faces/b", "broken", "blank", ".hidden"):
        (root / folder).mkdir(parents=True)
    with Image.open(portrait_path) as portrait:
        small = portrait.resize((192, 192))
    for number in range(PICTURES - len(BROKEN | WITHOUT_A_FACE)):
        small.save(root / "faces" / "ab"[number % 2] / f"{number:03}.jpg", quality=40 + number)
    for name in WITHOUT_A_FACE:
        Image.new("RGB", (160, 120), "white").save(root / name)
    (root / "broken/note.jpg").write_text("not a picture")
    (root / "broken/empty.jpg").touch()
    (root / "broken/cut.jpg").write_bytes((root / "faces/a/000.jpg").read_bytes()[:1500])
    (root / ".hidden/trash.jpg").touch()
    return root
