"""Whose code a file is: the user's, a library's, or none of a model. Needs no torch."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from importlib.util import find_spec

_COSTLAB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ZOO = os.path.join(_COSTLAB, "zoo")
_STANDARD = tuple({f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")})
INSTALLED = re.compile(r".*[\\/](?:site|dist)-packages[\\/](.+)")


def _folder_of_torch() -> str:
    found = find_spec("torch")
    return os.path.dirname(found.origin) if found is not None and found.origin else os.devnull


_TORCH = _folder_of_torch()


def is_code(file: str) -> bool:
    """Whether a file may be of a model's code: it is a file, and not torch's, Python's or
    costlab's own."""
    if file.startswith("<"):
        return False
    if is_of(file, _COSTLAB):
        return is_of(file, ZOO)
    installed = INSTALLED.fullmatch(file)
    if installed is not None:
        return not re.match(r"torch[\\/]", installed[1])
    return not (is_of(file, _TORCH) or file.startswith(_STANDARD))


def is_of(file: str, folder: str) -> bool:
    """Whether a file is in a folder or below."""
    return file.startswith(folder + os.sep)


def users_line(error: BaseException) -> str:
    """The innermost line of the user's own code that an error went through, as "net.py:12"; ""
    where it went through libraries alone."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if is_code(f.filename) and not _is_library(f.filename)]
    return f"{_near_path(own[-1].filename)}:{own[-1].lineno}" if own else ""


def _is_library(file: str) -> bool:
    return INSTALLED.fullmatch(file) is not None or is_of(file, _COSTLAB)


def _near_path(file: str) -> str:
    """The path of a file from the current folder, where it is in there."""
    path = os.path.relpath(file)
    return file if path.startswith(os.pardir) else path
