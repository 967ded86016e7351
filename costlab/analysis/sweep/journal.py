"""The file that takes each outcome as it comes, and gives those of an earlier run.

A line of JSON an outcome: `configuration`, `result`, `reason`, and costlab's version."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import IO, Self

from ..._narrow import json_object
from ..._packed import MOST_VALUES
from ..._text import shown
from ..._version import __version__
from .lock import locked
from .result import Configuration, Outcome

MADE_OF = "made of"  # of a configuration: versions of the code that it was run with
MOST_BYTES = 256 * 2**20  # of a journal: the outcomes of more than 200,000 configurations
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
    """A journal that this sweep alone writes, until it is closed; a context manager.

    `outcomes`: those that were in it when it was opened, by `key`. Raises JournalError for a file
    that is no journal, that cannot be read or written, that another sweep is writing, and that has
    more than `MOST_BYTES` or `MOST_VALUES`; `write` for one that would have more bytes, which it
    leaves as it was."""

    def __init__(self, path: str):
        self._path = path
        self._file = self._open()
        try:
            if not locked(self._file):
                raise JournalError(
                    f"another sweep is writing {shown(path)}; wait until it has ended, or name "
                    "another file with `journal`"
                )
            self.outcomes = self._read()
        except BaseException:
            self._file.close()
            raise

    def write(self, outcome: Outcome) -> None:
        """Add a line, on the disk when this returns. Where it cannot be written nothing of it
        stays."""
        line = {
            "configuration": outcome.configuration,
            "result": outcome.result,
            "reason": outcome.reason,
            "costlab": __version__,
        }
        data = json.dumps(line, default=str).encode() + b"\n"
        if self._size() + len(data) > MOST_BYTES:
            raise self._too_large(f"{MOST_BYTES >> 20} MiB")
        self._append(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> IO[bytes]:
        try:
            file = open(self._path, "ab+", buffering=0)  # noqa: SIM115 `close` closes it
        except OSError as e:
            raise self._cannot("write", e) from None
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise JournalError(
                f"cannot write {shown(self._path)}: a journal is a file that can be read again"
            )
        return file

    def _read(self) -> dict[str, Outcome]:
        """The outcomes in the file by `key`. A last line that was cut short is cut off, and one
        that is whole is ended."""
        *lines, last = self._text().split("\n")
        if _is_cut_short(last):
            self._cut_off(len(last.encode()))
        elif last.strip():
            lines.append(last)
        found = [self._outcome_of(i, line) for i, line in enumerate(lines, 1) if line.strip()]
        if lines and lines[-1] is last:
            self._append(b"\n")
        return {key(outcome.configuration): outcome for outcome in found}

    def _text(self) -> str:
        if self._size() > MOST_BYTES:
            raise self._too_large(f"{MOST_BYTES >> 20} MiB")
        try:
            self._file.seek(0)
            data = self._file.read()
            if max(map(data.count, b",[{")) > MOST_VALUES:
                raise self._too_large(f"{MOST_VALUES:,} values")
            return data.decode()
        except UnicodeDecodeError:
            raise JournalError(f"cannot read {shown(self._path)}: not UTF-8 text") from None
        except OSError as e:
            raise self._cannot("read", e) from None

    def _outcome_of(self, number: int, line: str) -> Outcome:
        outcome = _outcome(line)
        if outcome is None:
            raise JournalError(
                f"{shown(self._path)}, line {number}: not a line of a sweep journal; give another "
                "file with `journal`"
            )
        return outcome

    def _cut_off(self, length: int) -> None:
        """Cut bytes off the end."""
        try:
            self._file.truncate(self._size() - length)
        except OSError as e:
            raise self._cannot("write", e) from None

    def _append(self, line: bytes) -> None:
        end = self._size()
        left = memoryview(line)
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as e:
            with contextlib.suppress(OSError):
                self._file.truncate(end)
            raise self._cannot("write", e) from None

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _too_large(self, limit: str) -> JournalError:
        return JournalError(
            f"{shown(self._path)}: a journal holds {limit} at most; name another file with "
            "`journal`"
        )

    def _cannot(self, what: str, e: OSError) -> JournalError:
        return JournalError(f"cannot {what} {shown(self._path)}: {e.strerror}")


def _outcome(line: str) -> Outcome | None:
    """The outcome of a line; None for anything else."""
    try:
        doc = json.loads(line)
        configuration, result, reason = doc["configuration"], doc["result"], doc["reason"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    known, counted = json_object(configuration), json_object(result)
    if known is None or (counted is None and result is not None) or not isinstance(reason, str):
        return None
    return Outcome(known, counted, reason)


def _is_cut_short(line: str) -> bool:
    """Whether a last line is the beginning of one, also with the zeros that a file system may leave
    where the machine stopped."""
    if not line or _outcome(line) is not None:
        return False
    begun = line.rstrip("\0")
    return begun.startswith(_BEGINS) or _BEGINS.startswith(begun)
