"""The whole corpus in a process with limits, as ``tests/hostile/feed.py`` says; and what single files are about."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.hostile import models, pictures

import facelive.model_files
from facelive import ImageError, LivenessDetector, ModelCard, ModelError
from facelive.images import read_image
from facelive.tflite.format import check_tflite

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits for a process to set itself")
def test_nothing_but_typed_errors_within_bounds_and_nothing_is_live() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.hostile.feed"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1_800,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2_000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["broken"] == 0
    assert summary["counts"]["cut short: ImageError"] > 300
    assert summary["counts"]["portrait: live"] >= 6  # the portrait itself, which is a live face


COSTLY = {
    "jpeg-many-comments": "segments",
    "jpeg-many-exif": "segments",
    "jpeg-many-scans": "scans",
    "png-many-chunks": "chunks",
    "gif-many-comments": "blocks",
    "gif-long-comment": "blocks",
    "tiff-many-strips": "strips",
    "bmp-run-length": "run-length",
    "bmp-delta": "run-length",
}


def test_files_that_keep_a_decoder_busy_are_refused_for_that() -> None:
    seen = set()
    for name, content in pictures.bombs():
        if name in COSTLY:
            seen.add(name)
            with pytest.raises(ImageError, match=COSTLY[name]):
                read_image(content)
    assert seen == set(COSTLY)


@pytest.mark.parametrize("name", ["jpeg-huge-exif", "png-overlapping-exif"])
def test_exif_that_unfolds_to_gigabytes_is_left_out(name: str) -> None:
    content = dict(pictures.bombs())[name]
    assert read_image(content).pixels.shape == (16, 24, 3)
    with Image.open(io.BytesIO(content)) as opened:  # the program's own opening, which is its own risk
        assert read_image(opened).pixels.shape == (16, 24, 3)


def test_a_model_whose_tables_share_their_parts_is_not_walked_for_hours() -> None:
    with pytest.raises(ModelError, match="its parts are shared"):
        check_tflite(models.shared_parts())


def test_an_operator_that_lost_its_output_is_refused() -> None:
    """Two bytes that a long fuzz run found: some runs of the runtime survived them, the next one did not."""
    content = bytearray((models.NETWORKS / "one_at_a_time.tflite").read_bytes())
    content[473], content[644] = 9, 160
    with pytest.raises(ModelError, match="an operator without output"):
        check_tflite(bytes(content))


def test_an_operator_that_lost_its_inputs_is_refused() -> None:
    """Found by fuzzing too: the runtime looks at inputs that are not there, and may or may not survive it."""
    content = bytearray((models.NETWORKS / "two_inputs.tflite").read_bytes())
    content[736] = 0
    with pytest.raises(ModelError, match="an operator without input"):
        check_tflite(bytes(content))


@pytest.mark.parametrize("path", sorted(models.NETWORKS.glob("*.tflite")), ids=lambda path: path.stem)
def test_honest_models_share_nothing(path: Path) -> None:
    check_tflite(path.read_bytes())


def test_a_card_that_is_refused_says_why(tmp_path: Path) -> None:
    reasons = {
        "two-megabytes": "more than 1048576 bytes",
        "huge-integer": "wrong type",
        "endless-name": "name of 1 to 200",
        "sha256-is-a-number": "sha256 that is no text",
        "nested-objects-300": "at most 20 levels",
        "range-beyond-float32": "value_range",
        "live_class-is-true": "live_class",
    }
    cards = dict(models.cards())
    for name, reason in reasons.items():
        (tmp_path / "card.json").write_bytes(cards[name])
        with pytest.raises(ModelError, match=reason):
            ModelCard.from_json(tmp_path / "card.json")


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet", "custom"])
def test_a_bundled_file_that_was_tampered_with_is_not_loaded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit of one weight, in a copy of the library's own files."""
    shutil.copytree(Path(facelive.model_files.__file__).parent / "assets", tmp_path / "assets")
    file = tmp_path / "assets" / f"{name}.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    monkeypatch.setattr(facelive.model_files, "_ASSETS", tmp_path / "assets")
    with pytest.raises(ModelError, match="has sha256 [0-9a-f]{64}, but its card says"):
        LivenessDetector(name)
