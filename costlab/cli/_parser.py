"""The parser of the command line: commands by question, each with an example."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from .._version import __version__
from ._options import add_messages


@dataclass(frozen=True)
class Group:
    """Commands that answer a `question`; `word` is what they do."""

    word: str
    question: str
    commands: tuple[str, ...]


GROUPS = (
    Group("count", "what does a model cost?", ("table", "memory", "compare", "verify", "list")),
    Group(
        "explain",
        "where does the cost come from, and what do papers say?",
        ("audit", "study", "claims", "results", "bottleneck", "head", "aux"),
    ),
    Group(
        "change",
        "what does a change cost or save?",
        ("diff", "sweep", "factorize", "grid", "check"),
    ),
    Group("measure", "how long does it take on this device?", ("trace", "roofline")),
    Group("publish", "how do I show it?", ("chart", "diagram", "report", "export")),
)
COMMANDS = tuple(name for group in GROUPS for name in group.commands)


class Parser(argparse.ArgumentParser):
    """Errors in one line, with the command to ask for help. `summary`: what a command does;
    `example`: a command line that its help ends with."""

    summary = example = ""

    def error(self, message: str) -> NoReturn:
        m = re.match(r"argument COMMAND: invalid choice: '(.*?)'", message)
        if m:
            near = difflib.get_close_matches(m[1], COMMANDS, 3)
            message = f"unknown command {m[1]!r}; " + (
                f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(COMMANDS)}"
            )
        else:
            message += f"; see {self.prog} --help"
        self.exit(2, f"costlab: {message}\n")


class _Commands:
    """Where the commands register themselves; `parsers` has the parser of each."""

    def __init__(self, parser: Parser) -> None:
        # usage and help of the whole are written by `_overview`
        self._sub = parser.add_subparsers(
            dest="command",
            required=True,
            metavar="COMMAND",
            prog="costlab",
            help=argparse.SUPPRESS,
            parser_class=Parser,
        )
        self.parsers: dict[str, Parser] = {}

    def add_parser(self, name: str, *, help: str, example: str) -> argparse.ArgumentParser:
        """The parser of one command."""
        parser = self._sub.add_parser(
            name,
            description=f"{help[0].upper()}{help[1:]}.",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.summary, parser.example = help, example
        self.parsers[name] = parser
        return parser


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments of a command line. Ends the process, with one line, where it is wrong."""
    parser, commands = parsers()
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        command = commands[args.command]
        command.exit(2, f"costlab: {_unknown(unknown, command)} see {command.prog} --help\n")
    return args


def _unknown(words: Sequence[str], parser: Parser) -> str:
    """What a command does not take, and the option that is most like it."""
    word = next((w for w in words if w.startswith("-")), None)
    if word is None:
        return f"unexpected argument {words[0]!r};"
    option = word.partition("=")[0]
    known = [flag for action in parser._actions for flag in action.option_strings]
    near = difflib.get_close_matches(option, known, 1)
    return f"unknown option {option};{f' did you mean {near[0]}?' if near else ''}"


def parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the command line, and that of each command."""
    parser = Parser(
        prog="costlab",
        usage="costlab [--help] [--version] COMMAND ...",
        description="What a neural network costs, and why.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"costlab {__version__}")
    commands = _Commands(parser)
    for name in COMMANDS:
        import_module(f"costlab.cli.{name}").add(commands)
        add_messages(commands.parsers[name])
    parser.epilog = "\n".join(_overview(commands.parsers))
    return parser, commands.parsers


def _overview(parsers: dict[str, Parser]) -> Iterator[str]:
    """The commands by group, with an example of the first of each."""
    width = max(map(len, COMMANDS))
    for group in GROUPS:
        yield f"{group.word}: {group.question}"
        for name in group.commands:
            yield f"  {name:{width}}  {parsers[name].summary}"
        yield f"  example: {parsers[group.commands[0]].example}\n"
    yield "costlab COMMAND --help shows the options of a command."
