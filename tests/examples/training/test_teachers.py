from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.attacks.spoofs import SPECIES, mirror, present
from examples.training.teachers import FEATURES, LIMIT, NAMES, ask

TEACHERS = Path(__file__).parents[4] / "shared" / "teachers"
OWN = Path(__file__).parents[3] / "src" / "facelive" / "assets" / "mobilenet.tflite"

for package in ("onnx", "onnxruntime", "cv2"):
    pytest.importorskip(package, reason=f"teachers need {package}: pip install -r examples/training/requirements.txt")
if not (TEACHERS / "minifas128.onnx").exists():
    pytest.skip("the open models are not beside the repository", allow_module_level=True)

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


def test_every_teacher_answers_with_a_logit_of_live(portrait: Picture, face_box: Box) -> None:
    answers, features = ask(TEACHERS, OWN, portrait, face_box)
    assert (answers.shape, features.shape) == ((len(NAMES),), (FEATURES,))
    assert np.abs(answers).max() <= LIMIT
    again, _ = ask(TEACHERS, OWN, portrait, face_box)
    assert np.array_equal(answers, again)


def test_together_they_think_less_of_attacks_than_of_mirrors(portrait: Picture, face_box: Box) -> None:
    def mean(species: str) -> float:
        said = []
        for seed in range(6):
            rng = np.random.default_rng(seed)
            real = species == "mirror"
            made = mirror(portrait, face_box, rng) if real else present(portrait, face_box, rng, species=species)
            said.append(ask(TEACHERS, OWN, made.image, made.box)[0].mean())
        return float(np.mean(said))

    assert all(mean(species) < mean("mirror") for species in SPECIES)


@pytest.mark.parametrize("box", [(0.0, 0.0, 40.0, 60.0), (470.0, 450.0, 520.0, 515.0), (-9.0, -9.0, 530.0, 530.0)])
def test_a_face_at_the_edge_is_looked_at_too(portrait: Picture, box: Box) -> None:
    assert np.isfinite(ask(TEACHERS, OWN, portrait, box)[0]).all()
