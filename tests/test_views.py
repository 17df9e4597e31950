"""A model of two views: each input gets the view of its name, wherever the face lies."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from tests.scene import FACE, NETWORKS, BoxInMind, frame

from facelive import FaceBox, LivenessDetector, LivenessModel, ModelCard, ModelError

VIEWS = {"near": 1.5, "wide": 3.0}
FILE = NETWORKS / "two_views.tflite"  # a quarter of the near view's mean, three quarters of the wide one's


def two_views(**fields: Any) -> LivenessModel:
    return LivenessModel.load(FILE, **{"live_class": 1, "value_range": (0, 1), "views": VIEWS, **fields})


@pytest.mark.parametrize("views", [VIEWS, dict(reversed(VIEWS.items()))], ids=["near first", "wide first"])
def test_each_input_gets_the_view_of_its_name(views: dict[str, float]) -> None:
    model = two_views(views=views)
    crops = np.zeros((3, 2, 32, 32, 3), np.uint8)
    crops[:, list(views).index("near")] = 204
    assert model.score(crops).tolist() == pytest.approx([0.2] * 3, abs=1e-4)


def test_what_lies_around_the_face_reaches_the_wide_view_alone() -> None:
    picture = frame(0.2)
    near = FaceBox(FACE.center[0] - 113, FACE.center[1] - 113, FACE.center[0] + 113, FACE.center[1] + 113)
    x0, y0, x1, y1 = map(int, near.edges)
    picture[y0:y1, x0:x1] = frame(0.8)[y0:y1, x0:x1]
    seen = two_views().crops(picture, FACE.edges) / 255
    assert seen[0].mean() == pytest.approx(0.8, abs=0.02)
    assert 0.2 < seen[1].mean() < 0.6


@pytest.mark.parametrize(
    "face",
    [FACE, FaceBox(-40, 100, 80, 220), FaceBox(540, 380, 660, 500), FaceBox(100, 20, 520, 460)],
    ids=["middle", "left edge", "corner", "wide view larger than the picture"],
)
def test_an_even_picture_scores_its_light_wherever_the_face_is(face: FaceBox) -> None:
    for faces in (BoxInMind((face,)), None):
        result = LivenessDetector(two_views(), faces=faces).predict(frame(0.7))
        assert result.score == pytest.approx(0.7, abs=0.02)


def test_batches_and_pickles_agree_with_single_pictures() -> None:
    detector = LivenessDetector(two_views(), faces=BoxInMind())
    pictures = [frame(light) for light in (0.3, 0.7, 0.5)]
    alone = [detector.predict(picture).score for picture in pictures]
    copy = pickle.loads(pickle.dumps(detector))
    assert [result.score for result in copy.predict_batch(pictures)] == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize(
    ("file", "views", "message"),
    [
        ("two_views", {}, "has 2 inputs and 1 outputs, but its card has the views near"),
        ("two_views", {"wide": 3.0}, "has 2 inputs and 1 outputs, but its card has the views wide"),
        ("sigmoid", VIEWS, "has 1 inputs and 1 outputs, but its card has the views near, wide"),
        ("two_inputs", VIEWS, "has the inputs .*, but its card has the views near, wide"),
    ],
)
def test_views_and_inputs_that_disagree_name_both(file: str, views: dict[str, float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        LivenessModel.load(NETWORKS / f"{file}.tflite", live_class=1, views=views)


@pytest.mark.parametrize("views", [{"far": 2.0}, {"near": 0.0}, {"near": True}, {"near": "wide"}, ["near"], 3])
def test_a_card_with_other_views_is_refused(views: Any) -> None:
    with pytest.raises(ModelError, match="model card"):
        ModelCard("mine", live_class=1, views=views)


def test_another_crop_scale_changes_the_near_view() -> None:
    card = ModelCard("mine", live_class=1, views=VIEWS)
    assert (card.crop_scale, card.changed(crop_scale=2).views) == (1.5, {"near": 2.0, "wide": 3.0})
    assert ModelCard("mine", live_class=1, crop_scale=2.7).views == {"near": 2.7}
