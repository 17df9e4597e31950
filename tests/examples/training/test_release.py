from __future__ import annotations

import importlib.util
from pathlib import Path

from examples.training.config import CONFIGS
from examples.training.release import steps


def test_every_step_is_a_command_that_needs_only_what_came_before(tmp_path: Path) -> None:
    made: set[str] = set()
    for result, command in steps(tmp_path, tmp_path / "teacher.tflite"):
        assert importlib.util.find_spec(f"examples.training.{command[0]}")
        target = {"batches": 1, "train": command.index("--run") + 1 if "--run" in command else 0}.get(command[0])
        inputs = [word for place, word in enumerate(command) if word.startswith(str(tmp_path)) and place != target]
        needed = {word for word in inputs if command[command.index(word) - 1] not in ("--out", "--own", "--record")}
        assert needed <= made, f"{command[0]} needs {needed - made}"
        made |= {str(result), str(result.parent)}


def test_every_training_is_a_config_with_fields_that_are_there(tmp_path: Path) -> None:
    trained = [command for _, command in steps(tmp_path, Path()) if command[0] == "train"]
    assert trained
    for command in trained:
        changes = command[command.index("--set") + 1 :] if "--set" in command else []
        assert CONFIGS[command[1]].changed(changes).samples > 0
