"""Defaults of the command line in the user's pyproject.toml: where they are, and what they say."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import _documents
from ._narrow import json_object

TABLE = "tool.costlab.defaults"
_FILE = "pyproject.toml"


class DefaultsError(ValueError):
    """A file of defaults that cannot be used; the message names it."""


@dataclass(frozen=True)
class Defaults:
    """The table `[tool.costlab.defaults]` of the file at `path`, as it was written; "" and nothing
    where there is none."""

    path: str = ""
    table: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def where(self) -> str:
        """The path from the working directory."""
        return os.path.relpath(self.path) if self.path else ""

    def beside(self, name: str, suffixes: tuple[str, ...]) -> str:
        """A file that a default names, or anything else: see `_documents.beside`."""
        return _documents.beside(os.path.dirname(self.where), name, suffixes)

    def error(self, message: str, command: str = "") -> DefaultsError:
        """An error in the table of a command, or in the one for all commands."""
        table = f"{TABLE}.{command}" if command else TABLE
        return DefaultsError(f"{self.where}: [{table}]: {message}")


def read_defaults(folder: str | os.PathLike[str] = ".") -> Defaults:
    """The defaults that hold in a folder: those of the nearest pyproject.toml, in it or above it,
    that has any.

    Raises DefaultsError for a file with defaults that cannot be read."""
    start = Path(folder).absolute()
    for path in (place / _FILE for place in (start, *start.parents)):
        table = _table(path)
        if table is not None:
            return Defaults(str(path), table)
    return Defaults()


def _table(path: Path) -> dict[str, Any] | None:
    """The table of a file; None where it has none. A file without the word costlab is not ours to
    find fault with."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if b"costlab" not in data or b"defaults" not in data:
        return None
    where = os.path.relpath(path)
    text = _documents.read_text(where, DefaultsError)
    found: Any = _documents.toml(where, text, DefaultsError)
    *outside, last = TABLE.split(".")
    for name in outside:
        found = (json_object(found) or {}).get(name)
    table = (json_object(found) or {}).get(last)
    if table is not None and json_object(table) is None:
        raise DefaultsError(f"{where}: {TABLE} is a table: write [{TABLE}]")
    return json_object(table)
