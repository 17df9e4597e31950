"""Every Python block of README.md and docs/ runs, page by page, and prints what the page says it prints."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import re
import shutil
from pathlib import Path
from typing import Any, Dict

import pytest
from tests.docs.pages import PAGES, ROOT, Snippet, snippets


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the pages speak of: a photo, a recording, a model of one's own, labelled pictures."""
    portrait = ROOT / "examples" / "portrait.jpg"
    for name in (
        "photo.jpg",
        "examples/portrait.jpg",
        *(f"frames/{number}.jpg" for number in range(5)),
        *(f"pictures/live/{number}.jpg" for number in range(3)),
        *(f"pictures/spoof/print/{number}.jpg" for number in range(3)),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(portrait, tmp_path / name)
    shutil.copy(ROOT / "tests" / "networks" / "sigmoid.tflite", tmp_path / "mine.tflite")
    if importlib.util.find_spec("cv2") is not None:
        _film(portrait, tmp_path / "talk.avi")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _film(picture: Path, path: Path) -> None:
    cv2: Any = importlib.import_module("cv2")
    frame = cv2.imread(str(picture))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, frame.shape[1::-1])
    for _ in range(6):
        writer.write(frame)
    writer.release()


PYTHON = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_runs(page: Path, desk: Path) -> None:
    namespace: Dict[str, Any] = {"__name__": "__main__"}
    left_out = [
        f"line {snippet.line} needs {package}"
        for snippet in snippets(page)
        for package in _run(snippet, page, namespace)
    ]
    if left_out:
        pytest.skip(f"all but these ran: {', '.join(left_out)}, which is not installed")


def _run(snippet: Snippet, page: Path, namespace: Dict[str, Any]) -> list[str]:
    """Run a snippet unless a package is missing; return the missing ones."""
    missing = [package for package in snippet.needs if importlib.util.find_spec(package) is None]
    if not missing:
        printed = io.StringIO()
        code = "\n" * (snippet.line - 1) + snippet.code  # so that a traceback names the page's own line
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(page), "exec"), namespace)
        if snippet.output is not None:
            pattern = ".*?".join(map(re.escape, snippet.output.split("…")))
            assert re.fullmatch(pattern, printed.getvalue(), re.S), (
                f"{page.name}, line {snippet.line} prints\n{printed.getvalue()}"
            )
    return missing


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_is_missed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = len(re.findall(r"^\s*(?:```|~~~)\s*(?:python|py|pycon)\b", text, re.M))
    assert shown == len(list(snippets(page))), "a Python block is indented or fenced in another way"
