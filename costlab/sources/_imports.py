"""What an import error means: which module is missing, and who imports it."""

from __future__ import annotations

import importlib.metadata
import os
import traceback

from .._extras import install, installed
from .._spelling import suggestion
from ._model import first_line


def import_failure(spec: str, package: str, cause: ImportError) -> str:
    """One line for a model whose code cannot be imported. `package`: what the source needs."""
    name = cause.name
    if not isinstance(cause, ModuleNotFoundError) or not name:
        return f"importing {spec} failed: {first_line(cause)}{_importer(cause)}"
    top = name.partition(".")[0]
    if top == "torch" and not installed("torch"):
        raise cause  # without torch the command line has a line of its own
    if package and not installed(package):
        top = package  # which brings what else is missing
    if top == package:
        return f"{spec} needs {top}, which is not installed here; {install(top)}"
    if name != top and installed(top):
        return f"{spec} needs {name}, which {_version(top)} does not have{_importer(cause)}"
    near = suggestion(name, _beside(cause))
    return f"{spec} needs {name}, which is not installed here{_importer(cause)}{near}"


def root_cause(error: BaseException) -> ImportError | None:
    """The import error that an error reports, however deep: a library's lazy import wraps it. What
    was tried before the module that is missing (`try: import a` `except ImportError: import b`) is
    none of it."""
    found, following = None, error
    while following is not None:
        found = following if isinstance(following, ImportError) else found
        named = isinstance(following, ModuleNotFoundError) and following.name
        following = following.__cause__ or (None if named else following.__context__)
    return found


def _frame(error: BaseException):
    """Where the import statement is: the innermost frame of a file."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if os.path.isfile(f.filename) and not f.filename.startswith(_HERE)]
    return own[-1] if own else None


_HERE = os.path.dirname(os.path.abspath(__file__))


def _importer(error: BaseException) -> str:
    frame = _frame(error)
    return f" (imported by {os.path.relpath(frame.filename)}, line {frame.lineno})" if frame else ""


def _beside(error: BaseException) -> list[str]:
    """Names of the modules beside the file that imports."""
    frame = _frame(error)
    if frame is None:
        return []
    entries = os.listdir(os.path.dirname(os.path.abspath(frame.filename)))
    return [os.path.splitext(e)[0] for e in entries if e.endswith(".py")]


def _version(top: str) -> str:
    try:
        return f"{top} {importlib.metadata.version(top)}"
    except importlib.metadata.PackageNotFoundError:
        return top
