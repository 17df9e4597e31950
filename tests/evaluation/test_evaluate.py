"""The whole way on real pictures with a real network: what is counted, listed, resumed and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
from tests.evaluation.conftest import MakePicture

from facelive import LivenessDetector, LivenessModel, log_average, metrics
from facelive.errors import EvaluationError
from facelive.evaluation import Report, Samples, evaluate


def undated(report: Report) -> Dict[str, Any]:
    """The report as JSON without what names the moment and the results file."""
    content: Dict[str, Any] = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    for name in ("started_utc", "results"):
        content["run"].pop(name)
    return content


@pytest.fixture
def report(folder: Path, detector: LivenessDetector, tmp_path: Path) -> Report:
    return evaluate(folder, detector, results=tmp_path / "r.jsonl")


def test_rates_are_what_the_pictures_were_made_to_give(report: Report) -> None:
    assert (report.bona_fide.judged, report.bona_fide.errors) == (12, 2)
    assert [(row.name, row.judged, row.errors) for row in report.species] == [("print", 8, 1), ("replay_phone", 8, 0)]
    assert report.measures["apcer"].value == 1 / 8
    assert report.measures["bpcer"].value == 2 / 12
    assert report.measures["acer"].value == (1 / 8 + 2 / 12) / 2
    assert report.worst_species is not None
    assert report.worst_species.name == "print"
    assert report.bona_fide.interval == metrics.clopper_pearson(2, 12)
    assert sum(report.bona_fide.histogram) == 12


def test_no_error_is_never_said_to_be_none_of_a_hundred(folder: Path, detector: LivenessDetector) -> None:
    (folder / "spoof" / "print" / "0.png").unlink()
    assert evaluate(folder, detector).in_plain_words == (
        "None of 7 print attacks passed, the least tested species here: up to 41 of 100 may.",
        "Of 100 live people, 23 are refused (3 of 13 were).",
    )


def test_rejected_and_unreadable_pictures_are_counted_both_ways_and_listed(report: Report) -> None:
    assert (report.pictures, report.units) == (30, 30)
    assert (report.bona_fide.presented, report.bona_fide.rejected) == (13, 1)
    assert report.bona_fide.rate == 2 / 12
    assert report.bona_fide.non_response == 1 / 13
    assert report.bona_fide.rate_of_presented == 3 / 13
    assert [outcome.sample.path for outcome in report.rejected.shown] == ["live/tiny.png"]
    assert report.reasons == {"face_too_small": 1}
    assert (report.species[0].unreadable, report.species[0].presented) == (1, 8)
    assert [outcome.unreadable for outcome in report.unreadable.shown] == [("spoof/print/broken.jpg",)]
    assert any(note.startswith("Rejected units (1) have no score") for note in report.notes)


def test_the_worst_mistakes_are_listed_by_path(report: Report) -> None:
    assert [outcome.sample.path for outcome in report.accepted.shown] == ["spoof/print/0.png"]
    assert sorted(outcome.sample.path for outcome in report.refused.shown) == ["live/0.png", "live/1.png"]
    scores = [outcome.score for outcome in report.refused.shown]
    assert scores == sorted(scores, key=lambda score: score or 0)


def test_no_error_is_reported_with_the_rule_of_three(report: Report) -> None:
    assert any(note.startswith("replay_phone: no error in 8 does not make the APCER zero") for note in report.notes)


def test_the_report_says_what_it_was_made_with(report: Report) -> None:
    assert report.run["model"] == "mean"
    assert report.run["card"]["limits"] == ("Judges brightness.",)
    assert report.run["runtime"] in ("ai_edge_litert", "tflite_runtime", "tensorflow")
    assert report.threshold == 0.5


def test_workers_change_nothing(folder: Path, detector: LivenessDetector, tmp_path: Path, report: Report) -> None:
    several = evaluate(folder, detector, workers=2, results=tmp_path / "two.jsonl")
    assert undated(several) == undated(report)


def test_the_order_of_outcomes_changes_nothing(
    folder: Path, detector: LivenessDetector, tmp_path: Path, report: Report
) -> None:
    header, *outcomes = (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()
    shuffled = tmp_path / "shuffled.jsonl"
    shuffled.write_text("\n".join([header, *sorted(outcomes, key=hash)]) + "\n", encoding="utf-8")
    assert undated(evaluate(folder, detector, results=shuffled)) == undated(report)


def test_a_half_done_run_goes_on_without_scoring_twice(
    folder: Path, detector: LivenessDetector, tmp_path: Path, report: Report
) -> None:
    lines = (tmp_path / "r.jsonl").read_bytes().splitlines(keepends=True)
    half = tmp_path / "half.jsonl"
    half.write_bytes(b"".join(lines[:14]) + lines[14][:20])
    steps = []
    again = evaluate(folder, detector, results=half, progress=lambda done, total: steps.append((done, total)))
    assert steps[0] == (13, 30)
    assert steps[-1] == (30, 30)
    assert len(steps) == 1 + 17
    assert undated(again) == undated(report)


def test_the_results_of_other_settings_are_refused(folder: Path, model: Path, tmp_path: Path, report: Report) -> None:
    upside_down = LivenessDetector(LivenessModel.load(model, live_class=0), threshold=0.5, faces=None)
    with pytest.raises(EvaluationError, match=r"model_reading was \[1, .* and is now \[0, "):
        evaluate(folder, upside_down, results=tmp_path / "r.jsonl")
    seen_wider = LivenessDetector(LivenessModel.load(model, views={"near": 1.5}), threshold=0.5, faces=None)
    with pytest.raises(EvaluationError, match=r"model_reading was .*'near': 1.0.* and is now .*'near': 1.5"):
        evaluate(folder, seen_wider, results=tmp_path / "r.jsonl")
    searching = LivenessDetector(model, threshold=0.5)
    with pytest.raises(EvaluationError, match=r"faces was .* and is now 'BundledFaceDetector'"):
        evaluate(folder, searching, results=tmp_path / "r.jsonl")
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    with pytest.raises(EvaluationError, match=r"images was .* and is now .*elsewhere"):
        evaluate(elsewhere, LivenessDetector(model, threshold=0.5, faces=None), results=tmp_path / "r.jsonl")
    (folder / "live" / "tiny.png").unlink()
    with pytest.raises(EvaluationError, match=r"holds another run: samples was"):
        evaluate(folder, LivenessDetector(model, threshold=0.5, faces=None), results=tmp_path / "r.jsonl")


def test_another_threshold_asks_for_no_new_scores(folder: Path, model: Path, tmp_path: Path, report: Report) -> None:
    steps = []
    stricter = LivenessDetector(model, threshold=0.75, faces=None)
    again = evaluate(folder, stricter, results=tmp_path / "r.jsonl", progress=lambda done, _: steps.append(done))
    assert steps == [30]
    assert (again.threshold, again.bona_fide.errors) == (0.75, 12)
    with pytest.raises(EvaluationError, match="vote was False and is now True"):
        evaluate(folder, stricter, vote=True, results=tmp_path / "r.jsonl")


def test_nothing_is_written_that_was_not_asked_for(
    folder: Path, detector: LivenessDetector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Report
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    silent = evaluate(folder, detector)
    assert silent.run["results"] is None
    assert undated(silent) == undated(report)
    assert not list(empty.iterdir())


def test_a_recording_is_scored_by_its_vote(tmp_path: Path, detector: LivenessDetector, picture: MakePicture) -> None:
    brightness = [0.9, 0.2, 0.7, 0.6, 0.4, 0.8, 0.3]
    for number, value in enumerate(brightness):
        picture(tmp_path / f"{number}.png", value, seed=number)
    picture(tmp_path / "tiny.png", 0.9, side=16)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    picture(tmp_path / "attack.png", 0.2)
    rows = ["path,label,species,sequence,frame", *(f"{n}.png,live,,walk,{n}" for n in reversed(range(7)))]
    rows += ["tiny.png,live,,walk,5.5", "broken.png,live,,walk,5.6", "attack.png,spoof,print,,"]
    data = tmp_path / "labels.csv"
    data.write_text("\n".join(rows), encoding="utf-8")
    report = evaluate(data, detector, vote=True, results=tmp_path / "r.jsonl")
    scores = [detector.predict(tmp_path / f"{number}.png").score or 0.0 for number in range(7)]
    lines = (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()
    walk = next(json.loads(line) for line in lines if '"walk"' in line)
    assert walk["score"] == log_average(scores[-detector.window :])
    assert (walk["pictures"], walk["rejected"], walk["unreadable"]) == (9, 1, ["broken.png"])
    assert (report.units, report.pictures) == (2, 10)
    assert report.unreadable.total == 1


def test_a_single_frame_is_its_own_vote(
    folder: Path, detector: LivenessDetector, tmp_path: Path, report: Report
) -> None:
    voted = evaluate(folder, detector, vote=True, results=tmp_path / "v.jsonl")
    assert voted.measures == report.measures


def test_a_given_box_is_where_the_face_is(tmp_path: Path, model: Path, picture: MakePicture) -> None:
    from PIL import Image

    left = Image.open(picture(tmp_path / "bright.png", 0.8))
    both = Image.new("RGB", (128, 64))
    both.paste(left, (0, 0))
    both.paste(Image.open(picture(tmp_path / "dark.png", 0.3)), (64, 0))
    both.save(tmp_path / "both.png")
    rows = [
        {"file": "both.png", "label": "live", "box": [0, 0, 64, 64]},
        {"file": "both.png", "label": "spoof", "kind": "print", "box": [64, 0, 128, 64]},
    ]
    data = tmp_path / "labels.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    report = evaluate(data, LivenessDetector(model), results=tmp_path / "r.jsonl")
    assert (report.measures["eer"].value, report.measures["roc_auc"].value) == (0, 1)
    assert report.measures["eer"].threshold == pytest.approx(0.8, abs=0.02)


def test_people_are_resampled_when_they_are_known(
    tmp_path: Path, detector: LivenessDetector, picture: MakePicture
) -> None:
    rows = ["path,label,species,subject"]
    for number in range(24):
        label, dark = ("live", number % 4 == 0) if number % 2 else ("spoof", number % 8 != 0)
        picture(tmp_path / f"{number}.png", 0.3 if dark else 0.7, seed=number)
        rows.append(f"{number}.png,{label},{'print' if label == 'spoof' else ''},person {number // 4}")
    data = tmp_path / "labels.csv"
    data.write_text("\n".join(rows), encoding="utf-8")
    report = evaluate(data, detector, results=tmp_path / "r.jsonl")
    assert report.grouped_by == "subject"
    (printed,) = report.species
    assert printed.groups == 6
    assert printed.grouped is not None
    assert set(report.measures) == {"apcer", "bpcer", "acer", "eer", "bpcer10", "bpcer20", "bpcer100", "roc_auc"}
    assert all(measure.interval is not None for measure in report.measures.values())


def test_people_without_an_error_leave_an_interval_as_wide_as_they_are_few(
    tmp_path: Path, detector: LivenessDetector, picture: MakePicture
) -> None:
    rows = ["path,label,species,subject"]
    for number in range(12):
        picture(tmp_path / f"{number}.png", 0.7 if number % 2 else 0.3, seed=number)
        rows.append(f"{number}.png,{'live,' if number % 2 else 'spoof,print'},person {number // 4}")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    report = evaluate(tmp_path / "labels.csv", detector, results=tmp_path / "r.jsonl")
    assert (report.bona_fide.judged, report.bona_fide.groups, report.bona_fide.errors) == (6, 3, 0)
    assert report.bona_fide.grouped == report.measures["bpcer"].interval == metrics.clopper_pearson(0, 3)
    assert report.species[0].grouped == metrics.clopper_pearson(0, 3)
    widths = [m.interval.high - m.interval.low for m in report.measures.values() if m.interval is not None]
    assert min(widths) > 0
    assert any("no error in 6 from 3 groups does not make the APCER zero" in note for note in report.notes)


def test_one_picture_of_each_is_an_answer_with_wide_intervals(
    tmp_path: Path, detector: LivenessDetector, picture: MakePicture
) -> None:
    picture(tmp_path / "set" / "live" / "a.png", 0.8)
    picture(tmp_path / "set" / "spoof" / "print" / "b.png", 0.2)
    report = evaluate(tmp_path / "set", detector, results=tmp_path / "r.jsonl")
    assert report.bona_fide.interval == pytest.approx((0, 0.975))
    assert report.measures["eer"].value == 0
    assert report.measures["eer"].interval is None


def test_scores_that_are_all_equal_are_called_so(
    tmp_path: Path, detector: LivenessDetector, picture: MakePicture
) -> None:
    for name in ("live/a.png", "live/b.png", "spoof/print/c.png", "spoof/print/d.png"):
        picture(tmp_path / "set" / name, 0.6, seed=1)
    report = evaluate(tmp_path / "set", detector, results=tmp_path / "r.jsonl")
    assert report.measures["roc_auc"].value == 0.5
    assert any("All 4 scores are equal" in note for note in report.notes)


def test_a_class_without_a_single_score_leaves_no_rate_and_says_so(
    tmp_path: Path, detector: LivenessDetector, picture: MakePicture
) -> None:
    picture(tmp_path / "set" / "live" / "a.png", 0.8)
    picture(tmp_path / "set" / "spoof" / "print" / "tiny.png", 0.2, side=16)
    report = evaluate(tmp_path / "set", detector, results=tmp_path / "r.jsonl")
    assert report.measures == {}
    assert report.species[0].rate is None
    assert report.species[0].non_response == 1.0
    assert report.notes[0] == "One class has no score at all, so no rate over both can be given."
    assert report.worst_species is None


def test_an_operating_point_is_chosen_or_its_refusal_noted(
    folder: Path, detector: LivenessDetector, tmp_path: Path
) -> None:
    granted = evaluate(folder, detector, results=tmp_path / "r.jsonl", limit={"max_apcer": 0.4})
    assert granted.operating_point is not None
    assert granted.operating_point.apcer["print"].trials == 8
    refused = evaluate(folder, detector, results=tmp_path / "r.jsonl", limit={"max_apcer": 0.05})
    assert refused.operating_point is None
    assert "8 scores of 'print' cannot show APCER at most 5 %" in refused.notes[0]


def test_sources_are_told_apart(tmp_path: Path, detector: LivenessDetector, picture: MakePicture) -> None:
    rows = ["path,label,species,source"]
    for name, label, value, source in [
        ("a", "live", 0.8, "webcam"),
        ("b", "live", 0.2, "phone"),
        ("c", "spoof", 0.7, "phone"),
    ]:
        picture(tmp_path / f"{name}.png", value)
        rows.append(f"{name}.png,{label},{'print' if label == 'spoof' else ''},{source}")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    report = evaluate(tmp_path / "labels.csv", detector, results=tmp_path / "r.jsonl")
    rates = [(row.name, row.bpcer, row.worst_apcer, row.worst_species) for row in report.sources]
    assert rates == [("webcam", 0.0, None, ""), ("phone", 1.0, 1.0, "print")]


def test_no_worker_is_no_run(folder: Path, detector: LivenessDetector) -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        evaluate(folder, detector, workers=0)


@pytest.mark.parametrize("limit", [{"max_apcr": 0.05}, {"max_apcer": 5}, {"max_apcer": 0.1, "max_bpcer": 0.1}])
def test_a_limit_that_is_none_is_refused_before_anything_is_scored(
    folder: Path, detector: LivenessDetector, tmp_path: Path, limit: Dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="limit is one of max_apcer and max_bpcer with a rate above 0 and below 1"):
        evaluate(folder, detector, results=tmp_path / "r.jsonl", limit=limit)
    assert not (tmp_path / "r.jsonl").exists()


def test_the_shared_pictures_can_be_evaluated_by_their_boxes(model: Path, tmp_path: Path) -> None:
    data = Path(__file__).parents[3] / "shared" / "data" / "liveness.jsonl"
    if not data.exists():
        pytest.skip("../shared/data is not here")
    chosen = Samples(data, where={"source": "Rounakdeepsingh/Face_Anti_Spoofing_System"})
    report = evaluate(chosen, LivenessDetector(model), results=tmp_path / "r.jsonl")
    assert report.unreadable.total == 0
    assert report.pictures == report.units == report.bona_fide.presented + sum(row.presented for row in report.species)
    assert np.isfinite(report.measures["eer"].value)
