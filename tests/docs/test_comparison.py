"""The figures that README.md and the site show are those in docs/measured, and new ones there reach every place."""

from __future__ import annotations

import re

import pytest
from docs import bars, comparison, speed, tables
from examples.training.measure import MSU, SCENES
from tests.docs.pages import ROOT

LAB = {"live": 9, "attacks": 9, "auc": 0.5, "eer": 0.5, "apcer": 0.25, "bpcer": 0.125}


def test_the_readme_shows_the_table_of_today() -> None:
    assert comparison.comparison_table() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_site_shows_the_tables_and_plots_of_today() -> None:
    shown: dict[str, str] = {}
    for module in (comparison, bars, speed):
        module.write(shown.__setitem__)
    assert len(shown) == 13
    for name, text in shown.items():
        assert (ROOT / "docs" / "images" / name).read_text(encoding="utf-8") == text, name


def test_new_figures_reach_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {
        MSU: {**LAB, "apcer_by_species": {"papermask": 0.75}},
        SCENES[1]: LAB,
        "tamletan/ComputerVision": {**LAB, "auc": 0.375},
        "judged/by us alone": {**LAB, "auc": 1.0},
    }
    even = {"at": [0.25, 0.75], "apcer": [0.5, 0.25], "bpcer": [0.0, 0.5]}
    found = {"sources": sources, "vote": LAB, "thresholds": {"some room": even}}
    monkeypatch.setattr(tables, "measured", lambda name: found)
    assert bars.threshold_curves() == {"some room": even}
    assert "some room" in bars.threshold_slider()
    assert all(plot() for plot in (bars.groups_plot, bars.species_plot, bars.conditions_plot, bars.light_plot))
    rows = [re.findall(r"[^|*]+", line) for line in comparison.comparison_table().splitlines()[2:]]
    ours = {row[0].strip(): row[1].strip() for row in ([cell for cell in row if cell.strip()] for row in rows)}
    assert ours == {
        "webcam scenes: AUC": "0.500",
        "MSU-MFSD: AUC": "0.500",
        "MSU-MFSD: attacks that pass / live refused": "25.0\u00a0% / 12.5\u00a0%",
        "tight crops: AUC": "0.375",
        "paper masks that pass": "75.0\u00a0%",
    }


def test_what_was_not_measured_is_said() -> None:
    assert [part({}) for part in (comparison.scenes, comparison.others, comparison.masks)] == [None] * 3
    assert "Not measured yet" in bars.bars("nothing", ["one"], [("row", [None])])


def test_a_bar_is_as_long_as_its_share() -> None:
    drawn = bars.bars("two", ["one"], [("all", [0.4]), ("half", [0.2])])
    whole, half = (float(wide) for wide in re.findall(r'<rect[^>]* width="([0-9.]+)"', drawn))
    assert half == pytest.approx(whole / 2, abs=0.1)


def test_the_moving_picture_is_small_and_tells_four_visits() -> None:
    from PIL import Image

    path = ROOT / "docs" / "images" / "visits.webp"
    assert path.stat().st_size < 400_000
    with Image.open(path) as film:
        assert film.n_frames >= 4 and film.size == (640, 360)
