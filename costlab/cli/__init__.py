"""The command line: one file a command, in `COMMANDS`."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from .._version import __version__
from ._errors import UserError
from ._output import require_outputs

COMMANDS = (
    "table",
    "audit",
    "claims",
    "results",
    "compare",
    "diff",
    "check",
    "factorize",
    "grid",
    "bottleneck",
    "head",
    "aux",
    "chart",
    "diagram",
    "report",
    "memory",
    "roofline",
    "sweep",
    "trace",
    "export",
    "verify",
    "list",
)


class _Parser(argparse.ArgumentParser):
    """Errors in one line, with the command to ask for help."""

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (2 with one line on stderr for bad input)."""
    args = _parser().parse_args(argv)
    try:
        require_outputs(args)
        return args.run(args) or 0
    except UserError as e:
        print(f"costlab: {e}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except ModuleNotFoundError as e:
        if (e.name or "").partition(".")[0] != "torch":
            raise
        print(f"costlab: {_NO_TORCH}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        resumes = f"; {_RESUMES}" if getattr(args, "journal", None) else ""
        print(f"\rcostlab: interrupted{resumes}", file=sys.stderr)
        return 130


_NO_TORCH = (
    "this needs torch, which is not installed; of a saved trace costlab table, memory, compare, "
    "diagram and chart memory do without"
)
_RESUMES = "what is done is in the journal, and the same command goes on"


def _parser() -> argparse.ArgumentParser:
    """The parser of the command line, with every command."""
    parser = _Parser(prog="costlab", description="What a neural network costs, and why.")
    parser.add_argument("--version", action="version", version=f"costlab {__version__}")
    sub = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"costlab.cli.{name}").add(sub)
    return parser
