"""What is wrong with a command, in one line."""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterable

import contextlib
import re
import traceback

import costlab

from .._text import shown
from ._progress import progress_line


_LONGEST_LINE = 1000  # characters of a message
_KEPT_END = 300  # of which at the end of a longer one
_OPTIONS = {"train": "--mode train"}  # keywords that have another name on the command line


class UserError(ValueError):
    """Bad input; the message is the one line the user sees."""


@contextlib.contextmanager
def errors(about: str = "") -> Generator[None]:
    """Errors of the public functions as the one line that the user reads, which begins with
    `about` and names options as the command line does."""
    try:
        yield
    except UserError:
        raise
    except (ValueError, costlab.TraceError, MemoryError) as e:
        line = (str(e) or type(e).__name__).splitlines()[0]
        raise UserError(about + _with_options(line)) from None
    finally:
        progress_line("")


def line_of(text: str) -> str:
    """A message as the one line that is printed: what acts on a terminal is escaped, and of a long
    one, such as of a file with long names, the middle is left out."""
    line = shown(text)
    if len(line) <= _LONGEST_LINE:
        return line
    return f"{line[: _LONGEST_LINE - _KEPT_END]} ... {line[-_KEPT_END:]}"


def _with_options(text: str):
    """A message of a public function, which names its keywords as `engine` and `engine=dask`, in
    the words of the command line: --engine, --engine dask."""
    return re.sub(
        r"`([a-z_]+)(?:=(\w+))?`",
        lambda found: (
            _OPTIONS.get(found[1], f"--{found[1].replace('_', '-')}")
            + (f" {found[2]}" if found[2] else "")
        ),
        text,
    )


def calls(error: BaseException) -> str:
    """The tracebacks of an error and of those behind it, the first one first, also where messages
    of one line took their place."""
    found: list[BaseException] = []
    following: BaseException | None = error.__context__ or error
    while following is not None and following not in found:
        found.append(following)
        following = following.__cause__ or following.__context__
    return "\n".join("".join(traceback.format_exception(e, chain=False)) for e in reversed(found))


def refuse(args: argparse.Namespace, names: Iterable[str], why: str) -> None:
    """Refuse options that were given where they do nothing: `names` of arguments whose default is
    None or empty. A default of the user's file is passed over instead: nobody gave it here."""
    for name in names:
        if getattr(args, name) in (None, []):
            continue
        if name not in getattr(args, "defaulted", ()):
            raise UserError(f"--{name.replace('_', '-')} {why}")
        setattr(args, name, None)


def default(args: argparse.Namespace, **values: object) -> None:
    """The defaults of options, after those that do nothing were refused."""
    for name, value in values.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
