"""The modules of one project, and when they are in `sys.modules`."""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .finders import Finder, Loader, has_code_elsewhere, search
from .places import SHARED

_ACTIVE: list[Codebase] = []


class Codebase:
    """The modules of one project.

    `folders` are searched before `sys.path`, `late` after it; a folder of `within`, those that the
    model's file lies in, is found by its own name after both."""

    def __init__(
        self, folders: Sequence[str], late: Sequence[str] = (), within: Sequence[str] = ()
    ):
        self.folders, self.late, self.within = list(folders), list(late), list(within)
        self._modules: dict[str, ModuleType] = {}
        self._names: set[str] = set()  # every module that was found here
        self._files: dict[str, str] = {}  # file -> digest of what was loaded
        self._path: list[str] = []  # what the code itself puts on `sys.path`
        self._python_path: list[str] = []  # `sys.path` without that
        self.builtins: dict[str, Any] = {**vars(builtins), "__import__": self._import}

    @property
    def version(self) -> str:
        """A digest of the files that were loaded so far."""
        return hashlib.sha256("".join(sorted(self._files.values())).encode()).hexdigest()[:16]

    @property
    def changed(self) -> bool:
        """Whether a file is not what it was when it was loaded."""
        return any(_digest(file) != was for file, was in self._files.items())

    def loaded(self, file: str, data: bytes) -> None:
        """Note what a file held when it was loaded."""
        self._files[file] = hashlib.sha256(data).hexdigest()

    @contextlib.contextmanager
    def active(self) -> Generator[None]:
        """Imports resolve in this codebase; `sys.modules` and `sys.path` are put back after."""
        if _ACTIVE and _ACTIVE[-1] is self:
            yield
            return
        from ...trace.patches import LOCK  # the tracer's: `sys.modules` too is one for all threads

        with LOCK:
            path, entries = sys.path, list(sys.path)
            self._python_path = [p for p in entries if p and p != os.getcwd()]
            sys.path = [*self._path, *self._python_path]
            hidden = {name: sys.modules.pop(name) for name in self._homonyms()}
            sys.modules.update(self._modules)
            first, last = Finder(self._first, _note_found), Finder(self._last, _note_found)
            sys.meta_path.insert(0, first)
            sys.meta_path.append(last)
            _ACTIVE.append(self)
            try:
                yield
            finally:
                _ACTIVE.pop()
                sys.meta_path[:] = [f for f in sys.meta_path if f not in (first, last)]
                self._path = self._added()
                sys.path = path
                sys.path[:] = entries
                for name in self._names & sys.modules.keys():
                    self._modules[name] = sys.modules.pop(name)
                sys.modules.update(hidden)

    def load(self, name: str, file: str | None = None) -> ModuleType:
        """Import a module by name, or from a file that is in no package."""
        with self.active():
            if file is None:
                return importlib.import_module(name)
            spec = importlib.util.spec_from_file_location(
                name, file, loader=Loader(self, name, file)
            )
            if spec is None or spec.loader is None:
                raise ImportError(f"cannot load {file}")
            module = importlib.util.module_from_spec(spec)
            self._names.add(name)
            sys.modules[name] = module
            spec.loader.exec_module(module)
            return module

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """`__import__` of this codebase's modules."""
        top = name.partition(".")[0]
        if level == 0 and (top in SHARED or top not in self._tops() and not self._has_module(top)):
            return builtins.__import__(name, globals, locals, fromlist, level)
        with self.active():
            return builtins.__import__(name, globals, locals, fromlist, level)

    def _tops(self) -> set[str]:
        return {name.partition(".")[0] for name in self._names}

    def _has_module(self, top: str) -> bool:
        """Whether a folder has a module of this name."""
        places = [*self.folders, *self._path, *self.late]
        return any(
            os.path.exists(os.path.join(folder, entry))
            for folder in places
            for entry in (top, f"{top}.py")
        ) or any(os.path.basename(folder) == top for folder in self.within)

    def _homonyms(self) -> list[str]:
        """Modules of others that have the names of this codebase's own."""
        entries = {
            entry.partition(".")[0]
            for folder in (*self.folders, *self._path)
            if os.path.isdir(folder)
            for entry in os.listdir(folder)
        }
        tops = {name.partition(".")[0] for name in sys.modules} & entries - SHARED
        own = {top for top in tops if self._first(top, None)}
        return [name for name in sys.modules if name.partition(".")[0] in own]

    def _added(self) -> list[str]:
        return [p for p in sys.path if p not in self._python_path]

    def _first(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Before Python's own finders: what the folders hold, and submodules of what is found."""
        top = name.partition(".")[0]
        if top in SHARED or path is not None and top not in self._tops():
            return None
        places = [*self.folders, *self._added()] if path is None else path
        spec = search(self, name, places)
        if spec and path is None and spec.origin is None and has_code_elsewhere(name):
            return None  # a folder without __init__.py yields to an installed package
        return spec

    def _last(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """After Python's own finders."""
        if path is not None or name in SHARED:
            return None
        inside = [os.path.dirname(f) for f in self.within if os.path.basename(f) == name]
        return search(self, name, [*self.late, *inside])

    def found(self, name: str) -> None:
        """Note that a module is of this codebase."""
        self._names.add(name)


def _note_found(name: str) -> None:
    """A module belongs to the codebase that is active, not to one around it."""
    _ACTIVE[-1].found(name)


def _digest(file: str) -> str:
    try:
        with open(file, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    except OSError:
        return ""
