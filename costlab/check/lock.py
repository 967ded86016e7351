"""The lock file: what each model cost when `costlab check --update` was last run.

TOML, a table a model and a line a figure, exact values with the unit people read beside them:

    version = 1
    costlab = "0.1.0"
    torch = "2.13.0"

    [model.backbone]
    model = "nets/backbone.py:build"
    inputs = ["1x3x224x224:float32"]
    macs = 1582671872  # 1.58G
    time = 0.0032  # 3.200 ms
    measured-on = "NVIDIA H100 80GB HBM3, fp32, contiguous"

    [model.backbone.blocks]
    "layer1.0" = { activations = 602112, macs = 231211008, params = 75008 }

Models and blocks are in alphabetical order, and nothing in it says when it was written: two
branches that change different models merge.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import _documents
from .._narrow import is_list, json_object
from .._version import __version__
from ..analysis.limits import QUANTITIES, spell
from ..trace.files import write_file
from .errors import CheckError

VERSION = 1
_HEAD = "# What relative limits are judged against. `costlab check --update` writes it."
_FACTS = ("model", "inputs", "arguments", "measured-on")
_MEND = "run `costlab check --update` to write it again"


@dataclass(frozen=True)
class Entry:
    """What one model cost.

    Attributes:
        model: as pyproject.toml names it.
        inputs: shape and dtype of each.
        arguments: of the factory and other options, as text; "" for none.
        figures: by block ("" for the whole model) and quantity, in the quantity's unit.
        measured_on: device, dtype and layout of `time`; "" where there is none.
    """

    model: str
    inputs: tuple[str, ...]
    arguments: str
    figures: Mapping[str, Mapping[str, float]] = field(repr=False)
    measured_on: str = ""

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks that have figures."""
        return tuple(block for block in self.figures if block)

    def figure(self, quantity: str, block: str = "") -> float | None:
        """A quantity of a block; None where it was not recorded."""
        return self.figures.get(block, {}).get(quantity)


@dataclass(frozen=True)
class Lock:
    """A lock file. `versions` of costlab and torch that wrote it."""

    entries: Mapping[str, Entry]
    versions: Mapping[str, str]


def read_lock(path: str) -> Lock | None:
    """Read a lock file; None where there is none. Raises CheckError for anything else."""
    if not os.path.exists(path):
        return None
    text = _documents.read_text(path, CheckError)
    try:
        doc = _documents.toml(path, text, CheckError)
    except CheckError as e:
        raise CheckError(f"{e}; {_MEND}") from None
    version = doc.get("version")
    if version != VERSION:
        raise CheckError(f"{path} has version {version}, this costlab reads {VERSION}; {_MEND}")
    versions = {key: str(doc.get(key, "")) for key in ("costlab", "torch")}
    models = json_object(doc.get("model", {}))
    if models is None:
        raise CheckError(f"{path}: model is not a table; {_MEND}")
    return Lock({name: _entry(path, name, table) for name, table in models.items()}, versions)


def _entry(path: str, name: str, table: object) -> Entry:
    doc = json_object(table)
    if doc is None:
        raise CheckError(f"{path}: [model.{_key(name)}] is not a table; {_MEND}")
    inputs, blocks = doc.get("inputs", []), json_object(doc.get("blocks", {}))
    if not is_list(inputs) or blocks is None:
        raise CheckError(f"{path}: [model.{_key(name)}] is damaged; {_MEND}")
    whole = {key: value for key, value in doc.items() if key not in (*_FACTS, "blocks")}
    figures = {"": whole, **blocks}
    return Entry(
        str(doc.get("model", "")),
        tuple(map(str, inputs)),
        str(doc.get("arguments", "")),
        {block: _figures(path, name, block, values) for block, values in figures.items()},
        str(doc.get("measured-on", "")),
    )


def _figures(path: str, name: str, block: str, values: object) -> dict[str, float]:
    """The figures of a block. Raises CheckError for what is not a number of a quantity."""
    doc = json_object(values)
    for key, value in ({"": None} if doc is None else doc).items():
        if key not in QUANTITIES or isinstance(value, bool) or not isinstance(value, (int, float)):
            where = ".".join(filter(None, (block, key)))
            raise CheckError(f"{path}: [model.{_key(name)}] {where} is not a number; {_MEND}")
    return dict(doc or {})


def write_lock(path: str, entries: Mapping[str, Entry], before: Lock | None) -> bool:
    """Write a lock file, beside and renamed; False where it holds these entries already, and is
    left as it is. Raises CheckError where it cannot be written."""
    if before is not None and before.entries == entries:
        return False
    from importlib.metadata import version

    text = lock_text(Lock(entries, {"costlab": __version__, "torch": version("torch")}))
    try:
        write_file(path, text.encode())
    except OSError as e:
        raise CheckError(f"cannot write {path}: {e.strerror}") from None
    return True


def lock_text(lock: Lock) -> str:
    """A lock file's text."""
    versions = [f"{name} = {_text(version)}" for name, version in sorted(lock.versions.items())]
    lines = [_HEAD, f"version = {VERSION}", *versions]
    for name, entry in sorted(lock.entries.items()):
        lines += ["", *_entry_lines(name, entry)]
    return "\n".join(lines) + "\n"


def _entry_lines(name: str, entry: Entry) -> Iterable[str]:
    """The table of a model, and that of its blocks."""
    yield f"[model.{_key(name)}]"
    yield f"model = {_text(entry.model)}"
    yield f"inputs = [{', '.join(map(_text, entry.inputs))}]"
    if entry.arguments:
        yield f"arguments = {_text(entry.arguments)}"
    for quantity, value in sorted(entry.figures.get("", {}).items()):
        yield f"{quantity} = {value!r}{_for_people(quantity, value)}"
    if entry.measured_on:
        yield f"measured-on = {_text(entry.measured_on)}"
    if entry.blocks:
        yield ""
        yield f"[model.{_key(name)}.blocks]"
    for block in sorted(entry.blocks, key=_natural):
        figures = sorted(entry.figures[block].items())
        yield f"{_key(block)} = {{ {', '.join(f'{key} = {value!r}' for key, value in figures)} }}"


def _for_people(quantity: str, value: float) -> str:
    """A comment with the value in a unit, where that says more than the value."""
    spelled = spell(value, QUANTITIES[quantity].unit)
    return "" if spelled == str(value) else f"  # {spelled}"


def _natural(block: str) -> list[tuple[int, str]]:
    """Orders layer.2 before layer.10."""
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in block.split(".")]


def _key(name: str) -> str:
    """A key, quoted where TOML needs it."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for the control character that JSON leaves."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def spell_arguments(arguments: Mapping[str, Any]) -> str:
    """Arguments in one line: depth=2, norm='batch'."""
    return ", ".join(f"{name}={value!r}" for name, value in sorted(arguments.items()))
