"""``facelive bench``: what each step costs on this machine."""

from __future__ import annotations

import argparse
import json
from typing import Any

from facelive import LivenessModel
from facelive.bench import measure, print_table
from facelive.cli.machine import about

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
    here = about(model)
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
