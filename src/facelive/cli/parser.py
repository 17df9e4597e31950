"""What the command line understands, and what it suggests after a typing mistake."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from typing import Any, List, NoReturn, Optional, Sequence

from facelive import __version__, bundled_models
from facelive.cli.bench import add_bench_parser
from facelive.cli.check import add_check_parser
from facelive.cli.evaluate import add_evaluate_parser

__all__ = ["make_parser"]


def make_parser() -> argparse.ArgumentParser:
    """The parser of ``facelive``; what it returns has ``run``, a function of itself, or ``None`` for no command."""
    parser = _Parser(prog="facelive", description="Tells a live face from a picture of one.")
    parser.add_argument("-V", "--version", action="version", version=f"facelive {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for add in (add_check_parser, _add_models_parser, add_evaluate_parser, add_bench_parser):
        add(commands)
    parser.commands = list(commands.choices)  # those of the commands have none
    return parser


def _add_models_parser(commands: Any) -> None:
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


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints name what was meant."""

    commands: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        words: List[str] = list(sys.argv[1:] if args is None else args)
        if self.commands and words and not words[0].startswith("-") and words[0] not in self.commands:
            meant = _nearest(words[0], self.commands)
            self.error(f"there is no command {words[0]!r}; {meant or 'to judge a picture: facelive check PICTURE'}")
        parsed, rest = super().parse_known_args(words, namespace)
        for word in rest:
            meant = _nearest(word.split("=")[0], list(self._option_string_actions)) if word.startswith("-") else None
            if meant:
                self.error(f"there is no option {word}; {meant}")
        return parsed, rest

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stderr).write(message)  # argparse would leave a full disk unsaid

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, in one line; argparse would print the usage first."""
        help_is_there = "" if message.endswith("?") else f"; {self.prog} --help says more"
        self.exit(2, f"{self.prog}: {message}{help_is_there}\n")


def _nearest(word: str, known: Sequence[str]) -> Optional[str]:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else None
