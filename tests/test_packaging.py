"""What pip is told: floors that can be met, and nobody's needs listed twice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

import pytest

requirements = pytest.importorskip(
    "packaging.requirements", reason="packaging is not installed: no requirement was read"
)

ROOT = Path(__file__).parents[1]
MINORS = range(9, 15)


@pytest.fixture(scope="module")
def project() -> Dict[str, Any]:
    for name in ("tomllib", "tomli"):
        try:
            read: Any = __import__(name)
        except ModuleNotFoundError:
            continue
        table: Dict[str, Any] = read.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return table
    pytest.skip("neither tomllib nor tomli is here: pyproject.toml was not read")


def lists(project: Dict[str, Any]) -> Iterator[List[Any]]:
    yield project["project"]["dependencies"]
    yield from project["project"]["optional-dependencies"].values()
    yield from project["dependency-groups"].values()


def test_no_package_is_listed_twice(project: Dict[str, Any]) -> None:
    """In several lists; within one, several lines may stand for several Pythons."""
    seen: Set[str] = set()
    for one in lists(project):
        names = {requirements.Requirement(line).name for line in one if isinstance(line, str)} - {
            "numpy",
            "tflite-runtime",
        }
        assert not names & seen
        seen |= names


def test_groups_include_groups_that_exist(project: Dict[str, Any]) -> None:
    groups = project["dependency-groups"]
    for lines in groups.values():
        assert {line["include-group"] for line in lines if isinstance(line, dict)} <= set(groups)


@pytest.mark.parametrize("minor", MINORS)
def test_each_python_has_one_floor_for_each_package(project: Dict[str, Any], minor: int) -> None:
    here = {"sys_platform": "linux", "python_version": f"3.{minor}"}
    floors = [
        parsed.name
        for parsed in map(requirements.Requirement, project["project"]["dependencies"])
        if (parsed.marker is None or parsed.marker.evaluate(here)) and str(parsed.specifier).startswith(">=")
    ]
    assert len(floors) == len(set(floors)) == 4


def test_every_example_says_what_it_needs() -> None:
    for readme in (ROOT / "examples").glob("*/README.md"):
        listed = readme.with_name("requirements.txt").read_text(encoding="utf-8").splitlines()
        for line in listed:
            if line and not line.startswith(("#", "-")):
                requirements.Requirement(line)
        command = f"examples/{readme.parent.name}/requirements.txt"
        assert re.search(rf"pip install .*{re.escape(command)}", readme.read_text(encoding="utf-8"))
