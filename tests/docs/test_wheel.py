"""What would be uploaded: wheel and sdist hold what they should, say who they are, and work on their own."""

from __future__ import annotations

import email
import email.message
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import List, Set

import pytest
from tests.docs.pages import ROOT

import facelive

WHEEL, SDIST = f"facelive-{facelive.__version__}-py3-none-any.whl", f"facelive-{facelive.__version__}.tar.gz"
INFO = f"facelive-{facelive.__version__}.dist-info"
HEAVY = {"tensorflow", "tensorflow-cpu", "torch", "opencv-python", "opencv-python-headless", "scikit-learn", "scipy"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both files, as ``python -m build`` makes them: the wheel from the sdist."""
    for package in ("build", "hatchling"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: no wheel was built (pip install -e '.[test]')")
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="session")
def metadata(built: Path) -> email.message.Message:
    with zipfile.ZipFile(built / WHEEL) as wheel:
        return email.message_from_bytes(wheel.read(f"{INFO}/METADATA"))


def library_files() -> Set[str]:
    """What belongs to the library, as git has it or would have it."""
    shown = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "src/facelive"], cwd=ROOT, capture_output=True, text=True
    )
    if shown.returncode:
        pytest.skip("this is no checkout: git cannot list the library's files")
    return {name[len("src/") :] for name in shown.stdout.splitlines() if (ROOT / name).exists()}


def test_two_files_are_built(built: Path) -> None:
    assert sorted(path.name for path in built.iterdir()) == [WHEEL, SDIST]


def test_the_wheel_holds_the_library_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(built / WHEEL) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    about = {f"{INFO}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    assert names == library_files() | about
    assert "facelive/py.typed" in names
    assert not [name for name in names if re.search(r"(^|/)(tests?|examples|docs)/|\.py[co]$", name)]


def test_a_build_elsewhere_from_files_of_another_age_gives_the_same_wheel(built: Path, tmp_path: Path) -> None:
    there = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(ROOT / "src", there / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, there / name)
    for path in there.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    run = subprocess.run(command, cwd=there, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / WHEEL).read_bytes() == (built / WHEEL).read_bytes()


def test_every_network_lies_beside_its_card(built: Path) -> None:
    with zipfile.ZipFile(built / WHEEL) as wheel:
        assets = {name for name in wheel.namelist() if name.startswith("facelive/assets/")}
    for name in facelive.bundled_models():
        assert {f"facelive/assets/{name}.tflite", f"facelive/assets/{name}.json"} <= assets
    assert {"facelive/assets/face_detector.tflite", "facelive/assets/face_detector.json"} <= assets


def test_the_sdist_holds_what_is_needed_to_work_on_it(built: Path) -> None:
    with tarfile.open(built / SDIST) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {f"src/{name}" for name in library_files()} <= names
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "mkdocs.yml", ".ci/run"):
        assert name in names
    for name in ("tests/conftest.py", "docs/index.md", "docs/CITATION.cff", "examples/portrait.jpg"):
        assert name in names


def test_the_metadata_is_complete(metadata: email.message.Message) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("facelive", facelive.__version__)
    assert metadata["Summary"] and metadata["Author"] and metadata["Keywords"]
    assert metadata["Requires-Python"] == ">=3.9"
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")
    assert metadata["Description-Content-Type"] == "text/markdown"
    description = metadata.get_payload(decode=True)
    assert isinstance(description, bytes)
    assert description.decode() == (ROOT / "README.md").read_text(encoding="utf-8")
    classifiers = metadata.get_all("Classifier", [])
    for minor in range(9, 15):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
    assert "Typing :: Typed" in classifiers
    for address in metadata.get_all("Project-URL", []):
        assert re.fullmatch(r"[^,]+, https://\S+", address)


def test_one_runtime_is_required_on_each_platform(metadata: email.message.Message) -> None:
    required = [one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert {re.split(r"[^\w-]", one)[0] for one in required} == {
        "ai-edge-litert",
        "numpy",
        "pillow",
        "tflite-runtime",
        "typing-extensions",
    }
    markers = pytest.importorskip("packaging.requirements", reason="packaging is not installed: no marker was read")
    runtimes = [markers.Requirement(one) for one in required if one.startswith(("ai-edge", "tflite"))]
    for system in ("linux", "darwin", "win32"):
        for minor in range(9, 15):
            here = {"sys_platform": system, "python_version": f"3.{minor}"}
            taken = [one.name for one in runtimes if one.marker.evaluate(here)]
            assert taken == (["tflite-runtime"] if system == "linux" and minor < 11 else ["ai-edge-litert"])


@pytest.fixture(scope="session")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an empty environment into which nothing but the wheel was installed."""
    folder = tmp_path_factory.mktemp("empty")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(scripts / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    probe = [*pip, "download", "--no-deps", "--retries", "0", "--dest", str(folder / "probe"), "typing-extensions"]
    if subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("no package index can be reached: the wheel was not installed into an empty environment")
    run = subprocess.run([*pip, "install", "--no-compile", str(built / WHEEL)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return scripts


def asked(command: List[str], cwd: Path) -> str:
    run = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_the_installed_wheel_judges_a_portrait(installed: Path, portrait_path: Path, tmp_path: Path) -> None:
    command = [str(installed / "facelive"), "check", str(portrait_path), "--json"]
    assert json.loads(asked(command, tmp_path))["verdict"] == "live"


def test_it_brought_only_what_it_runs_on(installed: Path, tmp_path: Path) -> None:
    python = str(installed / "python")
    listed = json.loads(asked([python, "-m", "pip", "list", "--format", "json"], tmp_path))
    assert {"facelive", "numpy", "pillow"} <= {one["name"] for one in listed}
    assert not {one["name"] for one in listed} & HEAVY
    asked([python, "-m", "pip", "check"], tmp_path)
    code = "import facelive, sys; print(facelive.__version__, facelive.__file__)"
    version, file = asked([python, "-I", "-c", code], tmp_path).split(maxsplit=1)
    assert version == facelive.__version__
    assert Path(file).resolve().is_relative_to(installed.parent.resolve())
