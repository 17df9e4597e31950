"""A local Ray of two workers and a small archive, with a picture for everything that can happen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PICTURES = 60
BROKEN = {"broken/note.jpg", "broken/empty.jpg", "broken/cut.jpg"}
WITHOUT_A_FACE = {"blank/white.png", "blank/böse & grau.png"}


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
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
