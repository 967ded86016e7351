"""One command from its arguments to its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ._encoding import print_anywhere
from ._errors import UserError, calls, line_of
from ._output import require_outputs
from ._parser import parse
from ._progress import silence

_NO_TORCH = (
    "this needs torch, which is not installed; without torch, costlab table, memory, compare, "
    "diagram and chart memory show saved traces"
)


def run(argv: Sequence[str] | None) -> int:
    """Parse the arguments and run the command; returns the exit code."""
    print_anywhere()
    args = parse(argv)
    try:
        with silence(args.quiet):
            require_outputs(args)
            return args.run(args) or 0
    except UserError as e:
        if args.traceback:
            print(calls(e), end="", file=sys.stderr)
        print(f"costlab: {line_of(str(e))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except ModuleNotFoundError as e:
        if (e.name or "").partition(".")[0] != "torch":
            raise
        print(f"costlab: {_NO_TORCH}", file=sys.stderr)
        return 2
