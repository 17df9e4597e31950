from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from facelive import LivenessModel, ModelCard, ModelError, bundled_models

NETWORKS = Path(__file__).parent / "networks"
ASSETS = Path(__file__).parent.parent / "src" / "facelive" / "assets"


def grey(*values: int, size: int = 32) -> npt.NDArray[np.uint8]:
    return np.stack([np.full((size, size, 3), value, np.uint8) for value in values])


def own(name: str, **options: Any) -> LivenessModel:
    return LivenessModel.load(NETWORKS / f"{name}.tflite", **{"live_class": 1, "value_range": (0, 1), **options})


class TestReadingTheOutput:
    """Each network answers from the mean of its input, so the right score is known."""

    def test_one_output_is_the_probability_of_class_one(self) -> None:
        assert own("sigmoid").score(grey(51)).tolist() == pytest.approx([0.2], abs=1e-4)

    def test_polarity_turns_it_round(self) -> None:
        assert own("sigmoid", live_class=0).score(grey(51)).tolist() == pytest.approx([0.8], abs=1e-4)

    @pytest.mark.parametrize(("live_class", "score"), [(0, 0.2), (1, 0.8)])
    def test_two_outputs_are_chosen_by_index(self, live_class: int, score: float) -> None:
        assert own("two_class", live_class=live_class).score(grey(51)).tolist() == pytest.approx([score], abs=1e-4)

    def test_one_logit_goes_through_the_sigmoid(self) -> None:
        expected = 1 / (1 + np.exp(-(4 * 0.2 - 2)))
        assert own("logit", output="logits").score(grey(51)).tolist() == pytest.approx([expected], abs=1e-4)
        turned = own("logit", output="logits", live_class=0).score(grey(51))
        assert turned.tolist() == pytest.approx([1 - expected], abs=1e-4)

    def test_three_logits_go_through_softmax(self) -> None:
        crop = np.zeros((1, 32, 32, 3), np.uint8)
        crop[..., 1] = 255
        expected = np.e / (np.e + 2)
        assert own("three_logits", output="logits").score(crop).tolist() == pytest.approx([expected], abs=1e-4)

    def test_value_range_is_what_the_network_sees(self) -> None:
        assert own("logit", output="logits", value_range=(-1, 1)).score(grey(255)).tolist() == pytest.approx(
            own("logit", output="logits", value_range=(0, 1)).score(grey(255)).tolist(), abs=1e-4
        )
        with pytest.raises(ModelError, match="no probability"):
            own("sigmoid", value_range=(-1, 1)).score(grey(0))

    def test_logits_read_as_probabilities_are_noticed(self) -> None:
        with pytest.raises(ModelError, match="say output='logits'"):
            own("logit").score(grey(0))

    def test_a_batch_equals_its_pictures(self) -> None:
        model = own("sigmoid")
        values = (0, 40, 128, 255)
        singles = [model.score(grey(value))[0] for value in values]
        assert model.score(grey(*values)).tolist() == pytest.approx(singles, abs=1e-4)


class TestBringYourOwn:
    def test_without_card_or_polarity_nothing_is_guessed(self) -> None:
        with pytest.raises(ModelError, match="say live_class=0 or 1"):
            LivenessModel.load(NETWORKS / "sigmoid.tflite")

    def test_the_card_beside_the_file_is_read(self, tmp_path: Path) -> None:
        shutil.copy(NETWORKS / "sigmoid.tflite", tmp_path / "mine.tflite")
        card = {"name": "mine", "input_size": 32, "value_range": [0, 1], "live_class": 0, "a_later_key": True}
        (tmp_path / "mine.json").write_text(json.dumps(card))
        assert LivenessModel.load(tmp_path / "mine.tflite").score(grey(51)).tolist() == pytest.approx([0.8], abs=1e-4)
        assert LivenessModel.load(tmp_path / "mine.tflite", live_class=1).card.live_class == 1

    def test_the_input_size_is_read_from_the_file(self) -> None:
        assert own("size_64").card.input_size == 64

    @pytest.mark.parametrize(
        ("name", "card", "message"),
        [
            ("size_64", {}, r"takes input \(1, 64, 64, 3\), but its card says \(1, 32, 32, 3\)"),
            ("grey", {}, r"takes input \(1, 32, 32, 1\), but its card says \(1, 32, 32, 3\)"),
            ("sigmoid", {"sha256": "ab" * 32}, "has sha256 [0-9a-f]{64}, but its card says abab"),
            ("two_class", {"live_class": 2}, "has 2 outputs, but its card says live is 2"),
            ("sigmoid", {"live_class": 2}, "has 1 outputs, but its card says live is 2"),
            ("two_inputs", {}, "has 2 inputs"),
            ("integers", {}, "takes int32: convert it with float32"),
        ],
    )
    def test_file_and_card_that_disagree_name_both_values(self, name: str, card: dict[str, Any], message: str) -> None:
        with pytest.raises(ModelError, match=message):
            own(name, **{"input_size": 32, **card})

    def test_a_missing_file(self) -> None:
        with pytest.raises(ModelError, match="cannot read the model file 'none.tflite'"):
            LivenessModel.load("none.tflite")

    def test_a_picture_is_no_model(self, portrait_path: Path) -> None:
        with pytest.raises(ModelError, match="not a TFLite file"):
            LivenessModel.load(portrait_path, live_class=1)

    def test_an_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(ModelError, match="no bundled model 'mobilenet_v9': choose from default, "):
            LivenessModel.load("mobilenet_v9")


class TestCards:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("input_size", 0),
            ("input_size", "128"),
            ("crop_scale", -1.0),
            ("crop_scale", float("nan")),
            ("value_range", (1, 1)),
            ("value_range", (0, float("inf"))),
            ("value_range", (0, 1, 2)),
            ("value_range", None),
            ("output", "softmax"),
            ("live_class", -1),
            ("threshold", 1.5),
            ("threshold", None),
        ],
    )
    def test_values_out_of_range_are_refused(self, field: str, value: Any) -> None:
        with pytest.raises(ModelError, match="model card"):
            ModelCard(**{"name": "mine", "live_class": 1, field: value})

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "{", '{"version": "1"}', '{"name": "polarity unsaid"}', "[" * 100_000, '"name"', '{"name": "\xff"}'],
    )
    def test_broken_card_files(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "card.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(ModelError):
            ModelCard.from_json(tmp_path / "card.json")

    def test_a_card_handed_in_instead_of_its_path_is_not_repeated_in_the_error(self) -> None:
        with pytest.raises(ModelError, match="cannot read the model card") as caught:
            ModelCard.from_json('{"name": "mine", "limits": "' + "secret" * 1000 + '"}')
        assert len(str(caught.value)) < 200

    def test_a_card_survives_its_json(self, tmp_path: Path) -> None:
        card = ModelCard("mine", live_class=0, value_range=(0, 255), limits=("no masks",), measured={"auc": 0.9})
        (tmp_path / "card.json").write_text(json.dumps(card.to_dict()))
        assert ModelCard.from_json(tmp_path / "card.json").to_dict() == card.to_dict()


class TestPickling:
    def test_a_model_pickles_as_its_name_and_card(self) -> None:
        model = own("sigmoid")
        data = pickle.dumps(model)
        assert len(data) < 2000
        assert pickle.loads(data).score(grey(51)).tolist() == model.score(grey(51)).tolist()

    def test_a_bundled_model_pickles_without_this_machines_paths(self) -> None:
        model = LivenessModel.load()
        data = pickle.dumps(pickle.loads(pickle.dumps(model)))
        assert str(ASSETS).encode() not in data
        crop = np.full((1, len(model.card.views), 128, 128, 3), 90, np.uint8)
        assert pickle.loads(data).score(crop).tolist() == model.score(crop).tolist()

    def test_a_file_that_changed_meanwhile_is_noticed(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.tflite"
        shutil.copy(NETWORKS / "sigmoid.tflite", file)
        data = pickle.dumps(LivenessModel.load(file, live_class=1))
        shutil.copy(NETWORKS / "logit.tflite", file)
        with pytest.raises(ModelError, match="sha256"):
            pickle.loads(data)

    def test_a_closed_model_says_so(self) -> None:
        model = own("sigmoid")
        model.close()
        with pytest.raises(ModelError, match="closed"):
            model.score(grey(0))


@pytest.mark.parametrize("name", sorted(bundled_models()))
class TestBundled:
    def test_the_card_vouches_for_the_file(self, name: str) -> None:
        card = bundled_models()[name]
        assert card.sha256 == hashlib.sha256((ASSETS / f"{name}.tflite").read_bytes()).hexdigest()
        assert (card.name, card.input_size) == (name, 128)
        assert card.licence and card.description and card.limits and card.training and card.measured

    def test_it_scores_in_batches_as_alone(self, name: str) -> None:
        model = LivenessModel.load(name)
        shape = (5, len(model.card.views), 128, 128, 3)
        crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        singles = [model.score(crop[np.newaxis])[0] for crop in crops]
        assert model.score(crops).tolist() == pytest.approx(singles, abs=1e-4)


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((2, 64, 64, 3), np.uint8),
        np.zeros((0, 32, 32, 3), np.uint8),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((1, 32, 32, 1), np.uint8),
        np.zeros((1, 32, 32, 3), np.float32),
    ],
)
def test_what_is_no_crop_is_refused_and_leaves_no_trace(crops: npt.NDArray[Any]) -> None:
    model = own("sigmoid")
    with pytest.raises(ValueError, match=r"crops are uint8 \(N, 32, 32, 3\)"):
        model.score(crops)
    assert model.score(grey(51, 102)).tolist() == pytest.approx([0.2, 0.4], abs=1e-4)


def test_a_model_with_a_relative_path_is_found_again_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(NETWORKS / "sigmoid.tflite", tmp_path / "own.tflite")
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(LivenessModel.load("own.tflite", live_class=1))
    monkeypatch.chdir("/")
    assert pickle.loads(content).card.name == "own"


def test_logits_of_a_file_that_ends_in_a_sigmoid_are_refused() -> None:
    with pytest.raises(ModelError, match="ends in a sigmoid, so it gives no logits"):
        own("ends_in_sigmoid", output="logits")


@pytest.mark.parametrize("name", ["model.onnx", "MODEL.PT", "no_such", "", 3])
def test_what_is_no_tflite_file_gets_a_sentence(name: Any) -> None:
    with pytest.raises(ModelError, match="no TFLite file|no bundled model|is no model"):
        LivenessModel.load(name)


def test_a_model_loads_from_its_bytes_and_under_an_upper_case_suffix(tmp_path: Path) -> None:
    content = (NETWORKS / "sigmoid.tflite").read_bytes()
    (tmp_path / "MINE.TFLITE").write_bytes(content)
    for source in (content, tmp_path / "MINE.TFLITE", str(tmp_path / "MINE.TFLITE")):
        model = LivenessModel.load(source, live_class=1, value_range=(0, 1))
        assert pickle.loads(pickle.dumps(model)).score(grey(51)).tolist() == pytest.approx([0.2], abs=1e-4)


def test_a_card_may_have_a_byte_order_mark_and_an_upper_case_hash(tmp_path: Path) -> None:
    content = (NETWORKS / "sigmoid.tflite").read_bytes()
    (tmp_path / "mine.tflite").write_bytes(content)
    card = {"name": "mine", "live_class": 1, "input_size": 32, "sha256": hashlib.sha256(content).hexdigest().upper()}
    (tmp_path / "mine.json").write_text(json.dumps(card), encoding="utf-8-sig")
    assert LivenessModel.load(tmp_path / "mine.tflite").card.sha256 == card["sha256"].lower()  # type: ignore[attr-defined]


@pytest.mark.parametrize("field", ["threshold", "crop_scale", "input_size", "live_class", "value_range"])
def test_true_is_no_number_in_a_card(field: str) -> None:
    values: Any = {"name": "mine", "live_class": 1, field: (False, True) if field == "value_range" else True}
    with pytest.raises(ModelError, match="model card"):
        ModelCard(**values)


def test_a_threshold_that_accepts_everything_is_refused() -> None:
    with pytest.raises(ModelError, match="would accept every attack"):
        ModelCard("mine", live_class=1, threshold=0)
