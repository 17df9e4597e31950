"""``facelive models``: what is in the box."""

from __future__ import annotations

import argparse
import json
from typing import Any

from facelive import bundled_models

__all__ = ["add_models_parser"]


def add_models_parser(commands: Any) -> None:
    """Add ``models`` to what ``ArgumentParser.add_subparsers`` returned."""
    parser = commands.add_parser("models", help="list the bundled models")
    parser.add_argument("--json", action="store_true", help="the whole cards")
    parser.set_defaults(run=_models)


def _models(options: argparse.Namespace) -> int:
    cards = bundled_models()
    if options.json:
        print(json.dumps({name: card.to_dict() for name, card in cards.items()}, indent=2))
    else:
        for name, card in cards.items():
            print(f"{name:<14}{card.version:<8}{card.description}")
    return 0
