"""The module that a file or a name is, with the codebase that it belongs to."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType

from .codebase import Codebase
from .places import SHARED, locate, root_of

_last: tuple[str, Codebase, ModuleType] | None = None


def module_of_file(path: str) -> tuple[Codebase, ModuleType]:
    """The module that a file is, with its codebase: a file of a package as part of that, any other
    with the files beside it."""
    path = os.path.abspath(path)
    place = locate(path)

    def load(codebase: Codebase) -> ModuleType:
        if place.in_package:
            return codebase.load(place.module)
        name = f"_costlab_{place.module}" if place.module in SHARED else place.module
        return codebase.load(name, path)

    return _reused(path, lambda: Codebase(place.folders, place.late, place.within), load)


def module_of_name(name: str) -> tuple[Codebase | None, ModuleType]:
    """A module by its name, from the working folder or `sys.path`, with its codebase; None for a
    library's."""
    root = root_of(name.partition(".")[0])
    if root is None:
        return None, importlib.import_module(name)
    folders = list(dict.fromkeys((root, os.getcwd())))
    return _reused(f"{root}:{name}", lambda: Codebase(folders), lambda c: c.load(name))


def _reused(
    key: str, create: Callable[[], Codebase], load: Callable[[Codebase], ModuleType]
) -> tuple[Codebase, ModuleType]:
    """What was loaded last where that is unchanged, otherwise loaded now. No more than one is
    kept: what another codebase registers in a library would stand in its place."""
    global _last
    if _last is None or _last[0] != key or _last[1].changed:
        _last = None
        codebase = create()
        _last = key, codebase, load(codebase)
    return _last[1], _last[2]
