"""A table of a pyproject.toml as it was written, with the errors that name its lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._spelling import suggestion
from .errors import CheckError
from .places import Places

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_KINDS = {
    str: "a string",
    list: "a list of strings",
    dict: "a table",
    bool: "true or false",
    int: "an integer",
    float: "a number",
}


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a kind of `_KINDS`; TOML's true is no number, and 2 is one like 2.0."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


@dataclass(frozen=True)
class Table:
    """A table as it was written; `title` names it in errors, `index` is that of its model."""

    path: str
    doc: Mapping[str, Any]
    title: str
    places: Places = field(repr=False)
    index: int | None = None

    def error(self, key: str, message: str, line: int = 0) -> CheckError:
        """An error that says where the key stands."""
        line = line or self.places.key(key, self.index)
        return CheckError(f"{self.path}:{line}: {self.title}: {message}")

    def require_keys(self, kinds: Mapping[str, type]) -> None:
        """Raise CheckError for the first key that is unknown, or of another type."""
        for key, value in self.doc.items():
            if key not in kinds:
                raise self.error(key, f"unknown key {key!r}{known(key, kinds)}")
            if not _is(value, kinds[key]):
                raise self.error(key, f"{key} is {_KINDS[kinds[key]]}")

    def one_of(self, key: str, choices: Iterable[str], default: str) -> str:
        """A text out of some. Raises CheckError for another one."""
        value = self.doc.get(key, default)
        if value not in (*choices, default):
            raise self.error(key, f"unknown {key} {value!r}{known(value, choices)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts. Raises CheckError for another one."""
        values = self.doc.get(key, [])
        if not all(isinstance(v, str) for v in values):
            raise self.error(key, f"{key} is a list of strings")
        return tuple(values)

    def share(self, text: str, line: int) -> float:
        """A tolerance as a share. Raises CheckError for what is not a percentage."""
        found = _PERCENT.fullmatch(text.strip())
        if not found:
            raise self.error(
                "tolerance", f'tolerance {text!r} is not a percentage such as "2%"', line
            )
        return float(found[1]) / 100


def known(name: str, names: Iterable[str]) -> str:
    """What a name that is none of some `names` could have been."""
    return suggestion(name, names, 1) or f"; there are {', '.join(names)}"
