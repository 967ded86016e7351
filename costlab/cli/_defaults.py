"""The defaults of options that the user's pyproject.toml sets. The command line wins over them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._defaults import Defaults
from .._narrow import is_list, json_object
from .._spelling import suggestion
from ._files import FILES

# an option that names what to write has no default: a command would write it unasked
_NONE = {"help", "no_defaults", *FILES}
# argparse has no public name for the options that can be repeated
_Append = argparse._AppendAction  # pyright: ignore[reportPrivateUsage]
_NOT_GIVEN = object()  # the default of an option with another one in the file


@dataclass(frozen=True)
class Default:
    """The default of an option: its `action`, what the file says, as the option has it (`value`),
    and what the option had without the file (`own`)."""

    action: argparse.Action
    value: Any
    own: Any


def options_by_name(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The options of a command that can have a default in the file, by their long names."""
    return {
        flag.removeprefix("--"): action
        for action in parser._actions  # argparse has no public way to them
        for flag in action.option_strings
        if flag.startswith("--") and action.dest not in _NONE
    }


def defaults_of(
    file: Defaults, parsers: Mapping[str, argparse.ArgumentParser]
) -> dict[str, list[Default]]:
    """The defaults of each command. A table of a command goes before the table of all.

    Raises DefaultsError for what no option is called, and for a value that an option cannot
    have."""
    options = {command: options_by_name(parser) for command, parser in parsers.items()}
    tables = {key: table for key in options if (table := json_object(file.table.get(key)))}
    of_all = {key: value for key, value in file.table.items() if key not in tables}
    _require_names(file, of_all, tables, options)
    found: dict[str, list[Default]] = {}
    for command, known in options.items():
        given = dict(_given(file, of_all, known, ""))
        given |= dict(_given(file, tables.get(command, {}), known, command))
        found[command] = list(given.values())
    return found


def _require_names(
    file: Defaults,
    of_all: Mapping[str, Any],
    tables: Mapping[str, Mapping[str, Any]],
    options: Mapping[str, Mapping[str, argparse.Action]],
) -> None:
    """Raise DefaultsError for the first name that is neither an option nor a command."""
    every = sorted({name for known in options.values() for name in known})
    for name, value in of_all.items():
        if _spelt(name) not in every:
            is_table = json_object(value) is not None
            kind, known = ("command", options) if is_table else ("option", every)
            raise file.error(f"unknown {kind} {name!r}{suggestion(name, known, 1)}")
    for command, table in tables.items():
        for name in table:
            if _spelt(name) not in options[command]:
                near = suggestion(name, options[command], 1) or f"; see costlab {command} --help"
                raise file.error(f"unknown option {name!r}{near}", command)


def _spelt(name: str) -> str:
    return name.replace("_", "-")


def _given(
    file: Defaults, table: Mapping[str, Any], known: Mapping[str, argparse.Action], command: str
) -> Iterator[tuple[str, Default]]:
    """The defaults in one table of the file, by the name of the argument."""
    for name, value in table.items():
        action = known.get(_spelt(name))
        if action is None:  # another command has it
            continue
        try:
            read = _value(action, value)
        except (ValueError, argparse.ArgumentTypeError) as e:
            raise file.error(f"{name}: {e}", command) from None
        if action.dest == "profile":
            read = file.beside(read, (".device", ".toml"))
        yield action.dest, Default(action, read, action.default)


def _value(action: argparse.Action, value: Any) -> Any:
    """What an option makes of a value. Raises ValueError for one that it cannot have."""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise ValueError("write true or false")
        return value or action.default
    if isinstance(value, bool):
        raise ValueError("this option takes a value, not true or false")
    if isinstance(action, _Append):
        return [_one(action, text) for text in _texts(value)]
    return _one(action, ",".join(_texts(value)))


def _texts(value: Any) -> Sequence[str]:
    """A value as an option takes it, a list and a table as several."""
    if is_list(value):
        return [str(one) for one in value]
    table = json_object(value)
    return [str(value)] if table is None else [f"{key}={one}" for key, one in table.items()]


def _one(action: argparse.Action, text: str) -> Any:
    try:
        read = action.type(text) if callable(action.type) else text
    except (ValueError, argparse.ArgumentTypeError):
        kind = getattr(action.type, "__name__", "value")
        expected = "a whole number" if kind == "int" else "a number"
        raise ValueError(f"{text!r} is not {expected}") from None
    if action.choices is not None and read not in action.choices:
        choices = [str(choice) for choice in action.choices]
        near = suggestion(text, choices, 1)
        raise ValueError(f"unknown {text!r}{near or '; choose ' + ', '.join(choices)}")
    return read


def mark(defaults: Iterable[Default]) -> None:
    """Prepare a parser so that what the command line gives can be told from what it does not."""
    for found in defaults:
        appended = isinstance(found.action, _Append)
        found.action.default = None if appended else _NOT_GIVEN
        found.action.required = False


def fill(args: argparse.Namespace, defaults: Iterable[Default]) -> None:
    """Give the options that the command line left out their defaults, those of the file unless
    `--no-defaults` is there. `args.defaulted` has the names of those of the file."""
    filled: set[str] = set()
    for found in defaults:
        name = found.action.dest
        if getattr(args, name) not in (_NOT_GIVEN, None):
            continue
        # the suffix of a file says more than a default of the format
        own = args.no_defaults or (name == "format" and args.output)
        setattr(args, name, found.own if own else found.value)
        if not own:
            filled.add(name)
    args.defaulted = frozenset(filled)
