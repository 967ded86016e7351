"""What the commands' own functions take."""

from __future__ import annotations

import argparse
from typing import Protocol


class Commands(Protocol):
    """Where a command registers itself: what `add_subparsers` of argparse gives."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:
        """The parser of one command, with its line of help."""
        ...
