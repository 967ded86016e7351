"""What the commands' own functions take."""

from __future__ import annotations

import argparse
from typing import Any, Protocol


class Commands(Protocol):
    """Where a command registers itself (`costlab.cli._parser`)."""

    def add_parser(self, name: str, *, help: str, example: str) -> argparse.ArgumentParser:
        """The parser of one command, with its line of help and the example that its help ends
        with."""
        ...


class Options(Protocol):
    """Where options are declared: a parser, or a group of its options."""

    def add_argument(self, *flags: str, **settings: Any) -> argparse.Action:
        """Declare one option."""
        ...
