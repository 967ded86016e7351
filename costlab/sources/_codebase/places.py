"""Where a user's code lies: the folders of a package, of a project and of a library."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder

# never imported again: a second copy of these would not work with the first
SHARED = sys.stdlib_module_names | {"__main__", "costlab", "numpy", "torch"}
_LIBRARIES = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Place:
    """A file as a module.

    `module` is its dotted name, `in_package` whether a package is around it. `folders`, `late` and
    `within` are those of its `Codebase`."""

    module: str
    in_package: bool
    folders: tuple[str, ...]
    late: tuple[str, ...]
    within: tuple[str, ...]


def locate(path: str) -> Place:
    """The module that a file (an absolute path) is, and where what it imports is searched."""
    here, base = os.path.split(path)
    stem = os.path.splitext(base)[0]
    packages = _packages(here, _relative_depth(path))
    names = [os.path.basename(p) for p in reversed(packages)]
    if stem != "__init__":
        names.append(stem)
    root = os.path.dirname(packages[-1]) if packages else here
    within = tuple(_ancestors(here))
    around = (f for f in (_project(within), os.getcwd()) if f and f in within)
    folders = tuple(dict.fromkeys((root, *around)))
    return Place(".".join(names), bool(packages), folders, (here,) if packages else (), within)


def root_of(top: str) -> str | None:
    """The folder that a user's own package or module is in; None for a library."""
    if top in SHARED:
        return None
    spec = PathFinder.find_spec(top, [os.getcwd(), *sys.path])
    if spec is None:
        with contextlib.suppress(ValueError, ImportError):  # a module without a spec
            spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or [spec.origin or ""])
    if not places or not os.path.exists(places[0]):
        return None
    if any(part in _LIBRARIES for part in places[0].split(os.sep)):
        return None
    return os.path.dirname(os.path.abspath(places[0]))


def _packages(here: str, depth: int) -> list[str]:
    """The package that a folder is, and those around it, innermost first; at least `depth`."""
    found: list[str] = []
    while os.path.exists(os.path.join(here, "__init__.py")) or len(found) < depth:
        found.append(here)
        if here == os.path.dirname(here):
            break
        here = os.path.dirname(here)
    return found


def _relative_depth(path: str) -> int:
    """How many folders up a file's relative imports go; what cannot be read says so on import."""
    try:
        with open(path, "rb") as f:
            tree = ast.parse(f.read())
    except (OSError, SyntaxError, ValueError):
        return 0
    return max((n.level for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)), default=0)


def _ancestors(folder: str) -> list[str]:
    """A folder and those that it lies in, innermost first."""
    found = [folder]
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        found.append(folder)
    return found


def _project(ancestors: Sequence[str]) -> str | None:
    """The top of the checkout or project that a file is in."""
    marks = (".git", ".hg", "pyproject.toml", "setup.py")
    return next(
        (f for f in ancestors if any(os.path.exists(os.path.join(f, m)) for m in marks)), None
    )
