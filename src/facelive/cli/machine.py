"""On what the measured numbers were measured."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Dict

from facelive import LivenessModel, __version__
from facelive.tflite import runtime_name

__all__ = ["about"]


def about(model: LivenessModel) -> Dict[str, str]:
    """The machine, the versions and the model, each a short text; what is measured elsewhere may differ in all of them.

    Args:
        model: The model that is timed.

    Example:
        >>> sorted(about(LivenessModel.load("default")))
        ['machine', 'model', 'runtime', 'software', 'system']
    """
    card = model.card
    runtime = runtime_name()
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "pillow"))
    return {
        "machine": f"{_processor()}, {_cores()} cores for this process",
        "system": platform.platform(terse=True),
        "software": f"facelive {__version__}, CPython {platform.python_version()}, {versions}",
        "runtime": f"{runtime} {_version_of(runtime)}",
        "model": f"{card.name} {card.version}".strip(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.lower().startswith(("model name", "hardware"))]
    return named[0] if named else platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version_of(module: str) -> str:
    for name in (module, module.replace("_", "-"), f"{module}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "of an unknown version"
