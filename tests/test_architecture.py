"""The house as docs/architecture.md draws it: imports point down, rooms stay small, the door is sorted."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import facelive

SOURCE = Path(facelive.__file__).parent

LAYERS = {
    "errors": 0,
    "boxes": 0,
    "forks": 0,
    "words": 0,
    "tflite": 1,
    "images": 1,
    "drawing": 1,
    "results": 1,
    "guidance": 1,
    "crops": 1,
    "quality": 1,
    "voting": 1,
    "pool": 1,
    "metrics": 1,
    "cards": 1,
    "model_files": 2,
    "models": 2,
    "faces": 2,
    "face_network": 2,
    "frames": 2,
    "streams": 2,
    "challenges": 2,
    "session_results": 2,
    "sessions": 2,
    "detector": 3,
    "evaluation": 3,
    "bench": 3,
    "cli": 4,
    "__main__": 4,
    "__init__": 4,
}


def module_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The facelive modules a file imports at its top level or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "facelive":
            # `from facelive import metrics` names a module, `from facelive import LivenessDetector` opens the door.
            names = node.module.split(".")[1:2] or [alias.name for alias in node.names]
            found.update(name if name in LAYERS else "__init__" for name in names)
        elif isinstance(node, ast.Import):
            found.update(alias.name.split(".")[1] for alias in node.names if alias.name.startswith("facelive."))
    return found


FILES = sorted(SOURCE.rglob("*.py"))
ROOMS = [path for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    own = module_of(path)
    upward = {name for name in imports(path) if LAYERS[name] > LAYERS[own]}
    assert not upward, f"{own} (layer {LAYERS[own]}) imports {upward}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_rooms_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


def test_one_module_starts_processes_that_work() -> None:
    assert [path.name for path in FILES if "ProcessPoolExecutor(" in path.read_text(encoding="utf-8")] == ["pool.py"]


def test_the_map_draws_the_tree_and_its_layers_as_they_are() -> None:
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = page.partition("src/facelive/\n")[2].partition("```")[0]
    drawn = {name for line in tree.splitlines() for name in re.split(" {2,}", line.strip())[0].split()}
    assert drawn == {path.name + "/" if path.is_dir() else path.stem for path in ROOMS}
    rows = re.findall(r"^\| (\d) \| (.*?) \|", page, re.MULTILINE)
    named = {name.rstrip("/"): int(layer) for layer, names in rows for name in re.findall("`(.*?)`", names)}
    assert named == LAYERS


def test_what_the_map_says_is_where_it_says() -> None:
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    answers = re.findall(r"^\| .*\? \| (.*) \|$", page, re.MULTILINE)
    places: list[tuple[str, str]] = []
    for answer in answers:
        for names, place in re.findall(r"((?:`[\w.]+`(?:, | and )?)+) in `([\w/]+)`", answer):
            places += [(name.rpartition(".")[2], place) for name in re.findall(r"`([\w.]+)`", names)]
    assert len(places) >= len(answers)
    for name, place in places:
        path = SOURCE / place / "__init__.py" if (SOURCE / place).is_dir() else SOURCE / f"{place}.py"
        assert re.search(rf"^ *def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE), (name, place)


def test_the_door_is_sorted_and_open() -> None:
    assert facelive.__all__ == sorted(facelive.__all__)
    for name in facelive.__all__:
        assert getattr(facelive, name).__doc__, f"{name} has no docstring"


def test_importing_the_library_loads_no_runtime_and_nothing_heavy() -> None:
    code = "import sys, facelive; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    roots = {name.split(".")[0] for name in loaded}
    heavy = {
        "tensorflow",
        "keras",
        "cv2",
        "ai_edge_litert",
        "tflite_runtime",
        "scipy",
        "sklearn",
        "matplotlib",
        "argparse",
    }
    assert not roots & heavy
