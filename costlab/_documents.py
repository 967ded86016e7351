"""Text files that people and other programs write: TOML, YAML, JSON and CSV, one reader each.

What a reader raises is of the class that its caller names, a ValueError; the message is one line
with the file and, where the format tells it, the place. Nothing in a file is run, and no other file
is opened."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tomllib
from itertools import zip_longest
from typing import Any

from ._narrow import StrPath
from ._text import shown

MOST_BYTES = 16 * 2**20  # of a file; decoded it takes less than 1 GB
# a key of TOML in 200 parts; its parser takes the square of their number
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){200}""")


def beside(folder: str, name: str, suffixes: tuple[str, ...]) -> str:
    """A file that a document in `folder` names, or anything else that it may name there: what is a
    file in the folder, or has a suffix of one, is a path from it."""
    path = os.path.join(folder, name)
    return path if name.endswith(suffixes) or os.path.isfile(path) else name


def read_text(path: StrPath, error: type[ValueError]) -> str:
    """A file's text, which is UTF-8. Raises `error` where it cannot be read, is larger than
    `MOST_BYTES`, or is no text."""
    name = shown(os.fspath(path))
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as e:  # ValueError: a NUL in the name
        raise error(f"cannot read {name}: {getattr(e, 'strerror', None) or e}") from None
    if len(data) > MOST_BYTES:
        raise error(f"cannot read {name}: it holds more than {MOST_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise error(f"cannot read {name}: not UTF-8 text (line {line})") from None


def toml(path: StrPath, text: str, error: type[ValueError]) -> dict[str, Any]:
    """The table that a TOML text holds. Raises `error`."""
    name = shown(os.fspath(path))
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise error(f"{name}, line {line}: a key has more than 200 parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{name}: values are nested too deep") from None
    except ValueError as e:  # also a number of thousands of digits, which no TOML error says
        end = f"at line {len(text.splitlines())}, the end"
        raise error(f"{name}: {shown(str(e)).replace('at end of document', end)}") from None


def yaml(path: StrPath, text: str, error: type[ValueError]) -> Any:
    """The value that a YAML text holds; tags that make objects are refused. Raises `error`, and
    ModuleNotFoundError without pyyaml."""
    import yaml as reader

    name = shown(os.fspath(path))
    try:
        return reader.safe_load(text)
    except reader.MarkedYAMLError as e:
        line = f", line {e.problem_mark.line + 1}" if e.problem_mark else ""
        raise error(f"{name}{line}: {shown(e.problem or 'not YAML')}") from None
    except reader.YAMLError as e:  # a character that YAML does not allow
        raise error(f"{name}: {shown(str(e).splitlines()[0])}") from None
    except RecursionError:
        raise error(f"{name}: values are nested too deep") from None
    except ValueError as e:  # a date that is none, a number of thousands of digits
        raise error(f"{name}: {shown(str(e))}") from None


def json_value(path: StrPath, text: str, error: type[ValueError], wrong: str) -> Any:
    """The value that a JSON text holds. Raises `error`, which says that the file is `wrong`, such
    as "not a config.json"."""
    try:
        return json.loads(text)
    except RecursionError:
        why = "values are nested too deep"
    except json.JSONDecodeError as e:
        why = f"{e.msg} at line {e.lineno}"
    except ValueError as e:  # a number of thousands of digits
        why = str(e)
    raise error(f"{shown(os.fspath(path))} is {wrong}: {why}")


def csv_rows(path: StrPath, text: str, error: type[ValueError]) -> list[dict[str, str]]:
    """The rows of a CSV text below its header, each with every column; lines that begin with # are
    comments. Raises `error`, also for a row that has more cells than the header."""
    name = shown(os.fspath(path))
    lines = (line for line in io.StringIO(text, newline="") if not line.startswith("#"))
    reader = csv.reader(lines)
    rows: list[dict[str, str]] = []
    try:
        header: list[str] = next(reader, [""])
        for cells in filter(None, reader):
            if any(cells[len(header) :]):
                raise error(
                    f"{name}, row {len(rows) + 1}: it has {len(cells)} cells, and the header "
                    f"{len(header)}; write a cell with a comma in quotes"
                )
            rows.append(dict(zip_longest(header, cells[: len(header)], fillvalue="")))
    except csv.Error as e:
        raise error(f"{name}, row {len(rows) + 1}: {e}") from None
    return rows
