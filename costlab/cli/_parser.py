"""The parser of the command line: commands by question, each with an example."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

from .._defaults import DefaultsError, read_defaults
from .._spelling import suggestion
from .._version import __version__
from ._defaults import Default, defaults_of, fill, mark
from ._errors import UserError, line_of
from ._extras import require
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
    Group(
        "measure",
        "how long does it take on this device?",
        ("trace", "roofline", "calibrate", "doctor"),
    ),
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
            near = suggestion(m[1], COMMANDS) or f"; there are {', '.join(COMMANDS)}"
            message = f"unknown command {m[1]!r}{near}"
        else:
            message += f"; see {self.prog} --help"
        self.exit(2, f"costlab: {message}\n")


class _Whole(Parser):
    """The parser of the command line. Its help lists the commands by question (`_overview`), and
    argparse's own list, which completion reads, is left out of it."""

    commands: argparse.Action

    def format_help(self) -> str:
        self.commands.help = argparse.SUPPRESS
        try:
            return super().format_help()
        finally:
            self.commands.help = None


class _PrintCompletion(argparse.Action):
    """Print the completion for a shell, by shtab, and end."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        try:
            require("completion", str(option_string))
        except UserError as e:
            parser.exit(2, f"costlab: {e}\n")
        import shtab

        print(shtab.complete(parser, values))
        parser.exit(0)


class _Commands:
    """Where the commands register themselves; `parsers` has the parser of each."""

    def __init__(self, parser: _Whole) -> None:
        self._sub = parser.add_subparsers(
            dest="command",
            required=True,
            metavar="COMMAND",
            prog="costlab",
            parser_class=Parser,
        )
        parser.commands = self._sub
        self.parsers: dict[str, Parser] = {}

    def add_parser(self, name: str, *, help: str, example: str) -> argparse.ArgumentParser:
        """The parser of one command."""
        parser = self._sub.add_parser(
            name,
            help=help,
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
    wrong, defaults = _defaults(commands)
    for found in defaults.values():
        mark(found)
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        command = commands[args.command]
        command.exit(2, f"costlab: {_unknown(unknown, command)} see {command.prog} --help\n")
    if wrong and not args.no_defaults:
        parser.exit(2, f"costlab: {line_of(wrong)}\n")
    fill(args, defaults.get(args.command, ()))
    return args


def _defaults(commands: Mapping[str, Parser]) -> tuple[str, Mapping[str, Sequence[Default]]]:
    """The defaults of each command in the user's file, and what is wrong with that file: help and
    `--no-defaults` do without it."""
    try:
        return "", defaults_of(read_defaults(), commands)
    except DefaultsError as e:
        return str(e), {}


def _unknown(words: Sequence[str], parser: Parser) -> str:
    """What a command does not take, and the option that is most like it."""
    word = next((w for w in words if w.startswith("-")), None)
    if word is None:
        return f"unexpected argument {words[0]!r};"
    option = word.partition("=")[0]
    known = [flag for action in parser._actions for flag in action.option_strings]
    return f"unknown option {option}{suggestion(option, known, 1) or ';'}"


def parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the command line, and that of each command."""
    parser = _Whole(
        prog="costlab",
        usage="costlab [--help] [--version] [--print-completion SHELL] COMMAND ...",
        description="What a neural network costs, and why.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"costlab {__version__}")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="print the completion of commands and options for a shell, and exit",
    )
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
