from __future__ import annotations

from pathlib import Path

from examples.training.sheet import main
from PIL import Image


def test_the_command_writes_a_sheet(portrait_path: Path, tmp_path: Path) -> None:
    assert main(["--portrait", str(portrait_path), "--out", str(tmp_path / "sheet.jpg"), "--seed", "3"]) == 0
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.size == (6 * 160, 3 * 160)
