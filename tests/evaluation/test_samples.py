from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from facelive.errors import EvaluationError
from facelive.evaluation import Sample, Samples


def write_csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_folder_names_classes_species_and_recordings(tmp_path: Path) -> None:
    for name in (
        "Live/anna.jpg",
        "Live/walk/10.jpg",
        "Live/walk/2.jpg",
        "Live/walk/1.jpg",
        "SPOOF/print/a.PNG",
        "SPOOF/replay/clip/1.jpg",
        "SPOOF/loose.jpg",
        "Live/notes.txt",
        "Live/.hidden.jpg",
        "Live/Thumbs.db",
        "Live/zoe.heic",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    samples = list(Samples(tmp_path))
    assert [(sample.path, sample.label, sample.species, sample.sequence) for sample in samples] == [
        ("Live/anna.jpg", "live", "", ""),
        ("Live/zoe.heic", "live", "", ""),
        ("Live/walk/1.jpg", "live", "", "Live/walk"),
        ("Live/walk/2.jpg", "live", "", "Live/walk"),
        ("Live/walk/10.jpg", "live", "", "Live/walk"),
        ("SPOOF/loose.jpg", "spoof", "unnamed", ""),
        ("SPOOF/print/a.PNG", "spoof", "print", ""),
        ("SPOOF/replay/clip/1.jpg", "spoof", "replay", "SPOOF/replay/clip"),
    ]


def test_a_csv_may_come_from_a_spreadsheet(tmp_path: Path) -> None:
    data = tmp_path / "labels.csv"
    text = (
        '\ufeffPath; LABEL ;Species;subject;box\r\na.jpg;Live;;Anna;\r\n\r\n"b;c.jpg";SPOOF;print;;10, 20, 30, 45\r\n'
    )
    data.write_bytes(text.encode())
    assert list(Samples(data)) == [
        Sample("a.jpg", "live", subject="Anna"),
        Sample("b;c.jpg", "spoof", "print", box=(10.0, 20.0, 30.0, 45.0)),
    ]


def test_a_jsonl_may_use_other_names_and_more_fields(tmp_path: Path) -> None:
    data = tmp_path / "labels.jsonl"
    rows: List[Dict[str, Any]] = [
        {
            "file": "a.jpg",
            "label": "live",
            "kind": "bona_fide",
            "subject": 7,
            "sequence": 3,
            "frame": 0,
            "split": "val",
        },
        {"file": "b.jpg", "label": "spoof", "kind": "print", "box": [1, 2, 3.5, 4], "split": "train", "width": 9},
    ]
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert list(Samples(data)) == [
        Sample("a.jpg", "live", subject="7", sequence="3", frame=0.0),
        Sample("b.jpg", "spoof", "print", box=(1.0, 2.0, 3.5, 4.0)),
    ]
    assert [sample.path for sample in Samples(data, where={"split": "train"})] == ["b.jpg"]


def test_a_columns_own_name_goes_before_its_other_name(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "labels.csv", "path,label,species,kind,file", "a.jpg,spoof,print,jpeg,b.jpg")
    (sample,) = Samples(data)
    assert (sample.path, sample.species) == ("a.jpg", "print")


def test_pictures_lie_beside_the_file_or_in_images_or_where_told(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "labels.csv", "path,label", "a.jpg,live", "b.jpg,spoof")
    assert Samples(data).images == tmp_path
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").touch()
    assert Samples(data).images == tmp_path / "images"
    (tmp_path / "a.jpg").touch()
    assert Samples(data).images == tmp_path
    assert Samples(data, images=tmp_path / "elsewhere").images == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["path,label", "a.jpg,live", "b.jpg,real"], r"labels.csv, line 3: label 'real' is neither live nor spoof"),
        (["path,label", "a.jpg,1"], r"line 2: label '1' is neither live nor spoof"),
        (["path,label", ",live"], r"line 2: the path is empty"),
        (["path,species", "a.jpg,print"], r"line 2: the column 'label' is missing; there are path, species"),
        (["name,label", "a.jpg,live"], r"line 2: the column 'path' is missing; there are name, label"),
        (["path,label", "a.jpg,live,print"], r"line 2: 3 fields, but the header names 2"),
        (["path,label", '"a\nb.jpg",live', "c.jpg"], r"line 4: 1 fields, but the header names 2"),
        (["path,label,frame", "a.jpg,live,first"], r"line 2: frame 'first' is not a number"),
        (["path,label,box", "a.jpg,live,1 2 3"], r"line 2: box '1 2 3' is not x0, y0, x1, y1"),
        (["path,label,box", "a.jpg,live,9 2 3 4"], r"line 2: box '9 2 3 4' is not x0, y0, x1, y1"),
        (["path,label,frame", "a.jpg,live,nan"], r"line 2: frame 'nan' is not a number"),
        (["path,label", "a\0.jpg,live"], r"line 2: "),
        (["path,label,box", "a.jpg,live,nan 2 3 4"], r"line 2: box 'nan 2 3 4' is not x0, y0, x1, y1"),
        (["path,label", "a.jpg,live", "b.jpg,LIVE"], r"labels.csv has no spoof picture: both classes are needed"),
        (["path,label"], r"labels.csv has no live picture"),
        ([""], r"labels.csv is empty: its first line must name the columns"),
        (["path,label,path", "a.jpg,live,b.jpg"], r"labels.csv has two columns 'path': keep one"),
        (
            ["path,label", "a.jpg,live", "b.jpg,spoof", "./a.jpg,live"],
            r"line 4: './a.jpg' is listed already \(.*line 2\)",
        ),
    ],
)
def test_a_bad_csv_is_answered_with_its_line(tmp_path: Path, lines: List[str], message: str) -> None:
    data = write_csv(tmp_path / "labels.csv", *lines)
    with pytest.raises(EvaluationError, match=message):
        Samples(data).units(vote=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"path": "a.jpg", "label": "live"}\n{"path": "b.jpg"', r"labels.jsonl, line 2: this is not JSON"),
        ('["a.jpg", "live"]', r"line 1: a row is a JSON object"),
        ("[" * 100_000, r"labels.jsonl, line 1: this is not JSON"),
        ('{"path": "a.jpg", "label": null}', r"line 1: label None is neither live nor spoof"),
        ('{"path": "a.jpg", "label": "live", "box": 7}', r"line 1: box 7 is not x0, y0, x1, y1"),
        (
            '{"path": "a.jpg", "label": "live", "box": [0, 0, 9, 1' + "0" * 400 + "]}",
            r"line 1: box \[0, .* is not x0, y0,",
        ),
        ('{"path": "a.jpg", "label": "live", "box": [0, 0, 9, 1' + "0" * 5000 + "]}", r"line 1: this is not JSON"),
        ('{"path": "a.jpg", "label": "live", "box": [1, 2, 3, "x"]}', r"line 1: box .* is not x0, y0, x1, y1"),
    ],
)
def test_a_bad_jsonl_is_answered_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    data = tmp_path / "labels.jsonl"
    data.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=message):
        Samples(data).units(vote=False)


def test_two_faces_of_one_picture_are_two_samples(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "l.csv", "path,label,box", "a.jpg,live,0 0 9 9", "a.jpg,spoof,9 9 20 20")
    assert len(Samples(data).units(vote=False)) == 2


def test_a_folder_without_a_class_is_refused(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "fake").mkdir()
    with pytest.raises(EvaluationError, match=r"it has no spoof/, but fake, live"):
        list(Samples(tmp_path))
    (tmp_path / "spoof").mkdir()
    with pytest.raises(EvaluationError, match="has a live folder without a picture in it"):
        list(Samples(tmp_path))


def test_what_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="there is no file or folder"):
        list(Samples(tmp_path / "none.csv"))
    picture = tmp_path / "labels.csv"
    picture.write_bytes(b"\xff\xd8\xff\xe0" * 9)
    with pytest.raises(EvaluationError, match="labels.csv is not UTF-8 text"):
        list(Samples(picture))


def test_choosing_by_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "labels.csv", "path,label", "a.jpg,live")
    with pytest.raises(EvaluationError, match=r"line 2: there is no column 'split' to choose by"):
        list(Samples(data, where={"split": "val"}))
    other = write_csv(tmp_path / "other.csv", "path,label,split", "a.jpg,live,train", "b.jpg,spoof,train")
    with pytest.raises(EvaluationError, match="other.csv has no live picture with split=val"):
        Samples(other, where={"split": "val"}).units(vote=False)


def test_recordings_are_units_in_the_order_of_their_frames(tmp_path: Path) -> None:
    data = write_csv(
        tmp_path / "labels.csv",
        "path,label,species,sequence,frame",
        *("b10.jpg,spoof,print,s,10", "b2.jpg,spoof,print,s,2", "alone.jpg,live,,,", "other.jpg,live,,,"),
    )
    units = list(Samples(data).units(vote=True))
    assert [[sample.path for sample in unit] for unit in units] == [
        ["b2.jpg", "b10.jpg"],
        ["alone.jpg"],
        ["other.jpg"],
    ]


def test_a_torn_or_twofold_recording_cannot_vote(tmp_path: Path) -> None:
    header = "path,label,species,sequence"
    torn = write_csv(tmp_path / "torn.csv", header, "a,live,,s", "b,spoof,print,t", "c,live,,s")
    assert len(Samples(torn).units(vote=False)) == 3
    with pytest.raises(EvaluationError, match="the rows of sequence 's' must stand together"):
        Samples(torn).units(vote=True)
    twofold = write_csv(tmp_path / "twofold.csv", header, "a,live,,s", "b,spoof,print,s")
    with pytest.raises(EvaluationError, match="sequence 's' is labelled in two ways"):
        Samples(twofold).units(vote=True)


def test_the_fingerprint_sees_every_field(tmp_path: Path) -> None:
    rows = ["a.jpg,live,", "b.jpg,spoof,print", "b.jpg,spoof,mask", "c.jpg,spoof,print"]
    prints = set()
    for number, row in enumerate(rows[1:]):
        data = write_csv(tmp_path / f"{number}.csv", "path,label,species", rows[0], row)
        prints.add(Samples(data).fingerprint)
    assert len(prints) == 3


def test_a_path_that_is_too_long_for_any_file_is_a_row_like_any_other(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "labels.csv", "path,label", "x" * 5000 + ",live", "b.jpg,spoof")
    assert len(list(Samples(data))) == 2


def test_links_that_lead_back_up_are_refused_before_they_are_followed_for_ever(tmp_path: Path) -> None:
    for name in ("live/a.jpg", "spoof/print/b.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    try:
        for name in ("one", "two"):
            (tmp_path / "live" / name).symlink_to(tmp_path / "live", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    with pytest.raises(EvaluationError, match="a link to a folder that it lies in"):
        Samples(tmp_path)


def test_a_link_to_another_folder_is_followed(tmp_path: Path) -> None:
    for name in ("set/live", "set/spoof/print", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("elsewhere/a.jpg", "set/spoof/print/b.jpg"):
        (tmp_path / name).touch()
    try:
        (tmp_path / "set" / "live" / "here").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert [sample.path for sample in Samples(tmp_path / "set")] == ["live/here/a.jpg", "spoof/print/b.jpg"]
