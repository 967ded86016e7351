"""The command line: one file a command, in the groups of `costlab.cli._parser`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ._errors import UserError, calls
from ._output import require_outputs
from ._parser import COMMANDS as COMMANDS
from ._parser import parse
from ._parser import parsers as parsers
from ._progress import silence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (2 with one line on stderr for bad input)."""
    args = parse(argv)
    try:
        with silence(args.quiet):
            require_outputs(args)
            return args.run(args) or 0
    except UserError as e:
        if args.traceback:
            print(calls(e), end="", file=sys.stderr)
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
