"""``facelive bench``: what each step costs on this machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any, Dict

from facelive import LivenessModel, __version__
from facelive.bench import measure, print_table
from facelive.tflite import runtime_name

__all__ = ["add_bench_parser"]


def add_bench_parser(commands: Any) -> None:
    """Add ``bench`` to what ``ArgumentParser.add_subparsers`` returned."""
    parser = commands.add_parser("bench", help="time every step on this machine, in at most 20 seconds")
    parser.add_argument("--model", default="default", help="a bundled model's name or the path of a .tflite file")
    parser.add_argument(
        "--repeats", type=int, default=50, metavar="N", help="rounds a line, as far as time allows (50)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, first the machine")
    parser.set_defaults(run=_bench)


def _bench(options: argparse.Namespace) -> int:
    model = LivenessModel.load(options.model)
    here = _about(model)
    costs = measure(model, repeats=options.repeats)
    if options.json:
        print(json.dumps(here), flush=True)
        for cost in costs:
            print(json.dumps(cost.to_dict()), flush=True)
    else:
        for name, value in here.items():
            print(f"{name:<10}{value}")
        print()
        print_table(costs)
    return 0


def _about(model: LivenessModel) -> Dict[str, str]:
    """The machine, the versions and the model, each a short text: with any of them the numbers change."""
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
