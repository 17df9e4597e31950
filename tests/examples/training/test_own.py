"""A folder becomes a model: the public-domain portrait filmed again, and simulated attacks with it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.attacks.spoofs import mirror, present
from PIL import Image

from facelive import LivenessDetector
from facelive.errors import EvaluationError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytest.importorskip("keras", reason="training needs Keras: pip install -r examples/training/requirements.txt")
pytest.importorskip("torch", reason="training needs PyTorch: pip install -r examples/training/requirements.txt")
pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's and PyTorch's own, not ours

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def folder(portrait: Picture, face_box: Box, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen people's pictures, as far as the folders say: live, printed and replayed, and one that is no picture."""
    root = tmp_path_factory.mktemp("own") / "mine"
    x0, y0, x1, y1 = (edge / 2 for edge in face_box)
    small, box = np.asarray(Image.fromarray(portrait).resize((256, 256))), (x0, y0, x1, y1)
    for number in range(14):
        for species in ("live", "print", "screen"):
            rng = np.random.default_rng([number, len(species)])
            live = species == "live"
            made = mirror(small, box, rng) if live else present(small, box, rng, species=species)
            place = root / ("live" if live else f"spoof/{species}") / f"person{number}"
            place.mkdir(parents=True)
            Image.fromarray(made.image).save(place / "one.png")
    (root / "live" / "broken.jpg").write_bytes(b"no picture")
    return root


def test_a_folder_becomes_a_model_that_the_library_runs(
    folder: Path, imagenet: Path, tmp_path: Path, portrait: Picture, face_box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    from examples.training.config import CONFIGS
    from examples.training.own import train_own

    config = replace(CONFIGS["custom"], batch=16, samples=96)
    out = tmp_path / "mymodel"
    found = train_own(folder, out, minutes=5, config=config, imagenet=imagenet, examples=256, workers=1)
    assert found["live"] > 0
    assert found["attacks"] > 0
    assert "unreadable: 1" in capsys.readouterr().out
    card = json.loads((tmp_path / "mymodel.json").read_text(encoding="utf-8"))
    assert card["measured"] == found
    assert card["training"]["teachers"] == []
    result = LivenessDetector(tmp_path / "mymodel.tflite").predict(portrait)
    assert result.score is not None
    assert 0 <= result.score <= 1


def test_nobody_is_learnt_from_and_measured_on(folder: Path, tmp_path: Path) -> None:
    from examples.training.data import load_rows
    from examples.training.own import gather

    counted = gather(folder, tmp_path / "work")
    assert counted["none", "unreadable"] == 1
    rows = load_rows(tmp_path / "work")
    assert len(rows) == sum(counted.values()) - counted["none", "unreadable"] - counted["none", "no face"]
    assert len({(row.subject, row.split) for row in rows}) == len({row.subject for row in rows}) == 14
    assert {row.kind for row in rows} == {"bona_fide", "print", "screen"}
    for row in rows:
        with Image.open(tmp_path / "work" / row.file) as picture:
            assert picture.size == row.size
        assert row.trainable


def test_a_folder_of_one_class_is_refused(portrait_path: Path, tmp_path: Path) -> None:
    from examples.training.own import gather

    (tmp_path / "mine" / "live").mkdir(parents=True)
    (tmp_path / "mine" / "live" / "one.jpg").write_bytes(portrait_path.read_bytes())
    with pytest.raises(EvaluationError, match="spoof"):
        gather(tmp_path / "mine", tmp_path / "work")


def test_too_few_pictures_are_refused_before_anything_is_trained(portrait_path: Path, tmp_path: Path) -> None:
    from examples.training.own import gather

    for place in ("live", "spoof/print"):
        (tmp_path / "mine" / place).mkdir(parents=True)
        (tmp_path / "mine" / place / "one.jpg").write_bytes(portrait_path.read_bytes())
    with pytest.raises(ValueError, match="add more people"):
        gather(tmp_path / "mine", tmp_path / "work")
