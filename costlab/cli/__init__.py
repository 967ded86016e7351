"""The command line: one file a command, in the groups of `costlab.cli._parser`.

The package imports nothing of costlab but what it needs to end well: Ctrl-C while the rest is
imported is one line, as it is later."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ._signals import Terminated, terminable

_INTERRUPTED = 130  # the exit code of a command that Ctrl-C ended, as shells have it


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (2 with one line on stderr for bad input)."""
    try:
        with terminable():
            from ._run import run

            return run(argv)
    except KeyboardInterrupt as stop:
        word = "terminated" if isinstance(stop, Terminated) else "interrupted"
        print(f"\rcostlab: {'; '.join((word, *stop.args))}", file=sys.stderr)
        return stop.exit_code if isinstance(stop, Terminated) else _INTERRUPTED
