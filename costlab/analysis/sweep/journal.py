"""The file that takes each outcome as it comes, and gives those of an earlier run.

A line of JSON an outcome: `configuration`, `result`, `reason`, and costlab's version."""

from __future__ import annotations

import json
import os
from typing import TextIO

from ..._version import __version__
from .result import Configuration, Outcome

MADE_OF = "made of"  # of a configuration: versions of the code that it was run with
_BEGINS = '{"configuration": '


class JournalError(ValueError):
    """A journal that cannot be read or written; the message is one line."""


def key(configuration: Configuration) -> str:
    """What a configuration is known by."""
    return json.dumps(configuration, sort_keys=True, default=str)


def key_without_versions(configuration: Configuration) -> str:
    """What a configuration is known by, whatever code it is run with."""
    return key({k: v for k, v in configuration.items() if k != MADE_OF})


class Journal:
    """A journal that is written to; `close` it. Raises JournalError where it cannot be written."""

    def __init__(self, path: str):
        self._stream = _append(path)

    def write(self, outcome: Outcome) -> None:
        """Add a line, on the disk when this returns."""
        line = {
            "configuration": outcome.configuration,
            "result": outcome.result,
            "reason": outcome.reason,
            "costlab": __version__,
        }
        self._stream.write(json.dumps(line, default=str) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _append(path: str) -> TextIO:
    """The file, open at its end; a last line that was cut short is cut off."""
    try:
        stream = open(path, "a+", encoding="utf-8")  # noqa: SIM115 `Journal.close` closes it
        stream.seek(0)
        text = stream.read()
        if text and not text.endswith("\n"):
            stream.truncate(len(text[: text.rfind("\n") + 1].encode()))
        stream.seek(0, os.SEEK_END)
        return stream
    except OSError as e:
        raise JournalError(f"cannot write {path}: {e.strerror}") from None


def read(path: str) -> dict[str, Outcome]:
    """The outcomes in a journal by `key`; a last line that was cut short is not one.

    Raises JournalError for a file that cannot be read, or is no journal."""
    try:
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as e:
        why = e.strerror if isinstance(e, OSError) else "not UTF-8 text"
        raise JournalError(f"cannot read {path}: {why}") from None
    found = {}
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        outcome = _outcome(line)
        if outcome is not None:
            found[key(outcome.configuration)] = outcome
        elif i < len(lines) - 1 or not _is_cut_short(line):
            raise JournalError(
                f"{path}, line {i + 1}: no line of a sweep; name another file with --journal"
            )
    return found


def _outcome(line: str) -> Outcome | None:
    """The outcome of a line; None for anything else."""
    try:
        doc = json.loads(line)
        return Outcome(doc["configuration"], doc["result"], doc["reason"])
    except (ValueError, KeyError, TypeError):
        return None


def _is_cut_short(line: str) -> bool:
    """Whether a line may be the beginning of one of a journal."""
    return line.startswith(_BEGINS) or _BEGINS.startswith(line)
