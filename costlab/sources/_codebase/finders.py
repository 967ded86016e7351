"""What Python's import system asks: finders for `sys.meta_path`, and a loader of source files."""

from __future__ import annotations

import functools
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from .codebase import Codebase


class Finder:
    """An entry of `sys.meta_path`: finds by `search(name, path)` and reports names to `found`."""

    def __init__(
        self,
        search: Callable[[str, Sequence[str] | None], ModuleSpec | None],
        found: Callable[[str], None],
    ):
        self._search, self._found = search, found

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = self._search(name, path)
        if spec is not None:
            self._found(name)
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles the source as it is now: a cached .pyc knows changes by the second only."""

    def __init__(self, codebase: Codebase, name: str, path: str):
        super().__init__(name, path)
        self._codebase = codebase

    def path_stats(self, path: str) -> NoReturn:
        raise OSError  # no time stamp, no cache

    def get_data(self, path: str) -> bytes:
        data = super().get_data(path)
        self._codebase.loaded(path, data)
        return data

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self._codebase.builtins
        super().exec_module(module)


def has_code_elsewhere(name: str) -> bool:
    """Whether Python's own finders have a package or module with code."""
    for finder in sys.meta_path:
        if isinstance(finder, Finder) or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec(name, None)
        if spec is not None and spec.origin is not None:
            return True
    return False


def search(codebase: Codebase, name: str, places: Sequence[str]) -> ModuleSpec | None:
    """A module, a package or a namespace package in `places`, to be loaded by the codebase."""
    portions: list[str] = []
    source: Any = functools.partial(Loader, codebase)
    loaders = (
        (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
        (source, importlib.machinery.SOURCE_SUFFIXES),
    )
    for folder in places:
        spec = importlib.machinery.FileFinder(folder, *loaders).find_spec(name)
        if spec is not None and spec.loader is not None:
            return spec
        portions += spec.submodule_search_locations or () if spec else ()
    if not portions:
        return None
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = portions
    return spec
