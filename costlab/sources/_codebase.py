"""A user's modules, imported beside their own siblings and apart from those of any other folder.

Two versions of a model often have files of the same name: `A/net.py` and `B/net.py`, each with its
own `blocks.py`. Python knows one `blocks` a process. So the modules of a codebase are in
`sys.modules` only while it is active: while its code is imported, built or traced. An import
statement that runs at any other time finds them too, because every module of a codebase has an
`__import__` of its own.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import hashlib
import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# never imported again: a second copy of these would not work with the first
_SHARED = sys.stdlib_module_names | {"__main__", "costlab", "numpy", "torch"}
_LIBRARIES = ("site-packages", "dist-packages")
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
        self.builtins = {**vars(builtins), "__import__": self._import}

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
    def active(self) -> Iterator[None]:
        """Imports resolve in this codebase; `sys.modules` and `sys.path` are put back after."""
        if _ACTIVE and _ACTIVE[-1] is self:
            yield
            return
        from ..trace.patches import LOCK  # the tracer's: `sys.modules` too is one for all threads

        with LOCK:
            path, entries = sys.path, list(sys.path)
            self._python_path = [p for p in entries if p and p != os.getcwd()]
            sys.path = [*self._path, *self._python_path]
            hidden = {name: sys.modules.pop(name) for name in self._homonyms()}
            sys.modules.update(self._modules)
            first, last = _Finder(self._first), _Finder(self._last)
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
                name, file, loader=_Loader(self, name, file)
            )
            if spec is None or spec.loader is None:
                raise ImportError(f"cannot load {file}")
            module = importlib.util.module_from_spec(spec)
            self._names.add(name)
            sys.modules[name] = module
            spec.loader.exec_module(module)
            return module

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        """`__import__` of this codebase's modules."""
        top = name.partition(".")[0]
        if level == 0 and (top in _SHARED or top not in self._tops() and not self._holds(top)):
            return builtins.__import__(name, globals, locals, fromlist, level)
        with self.active():
            return builtins.__import__(name, globals, locals, fromlist, level)

    def _tops(self) -> set[str]:
        return {name.partition(".")[0] for name in self._names}

    def _holds(self, top: str) -> bool:
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
        tops = {name.partition(".")[0] for name in sys.modules} & entries - _SHARED
        own = {top for top in tops if self._first(top, None)}
        return [name for name in sys.modules if name.partition(".")[0] in own]

    def _added(self) -> list[str]:
        return [p for p in sys.path if p not in self._python_path]

    def _first(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Before Python's own finders: what the folders hold, and submodules of what is found."""
        top = name.partition(".")[0]
        if top in _SHARED or path is not None and top not in self._tops():
            return None
        places = [*self.folders, *self._added()] if path is None else path
        spec = self._search(name, places)
        if spec and path is None and spec.origin is None and _elsewhere(name):
            return None  # a folder without __init__.py yields to an installed package
        return spec

    def _last(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """After Python's own finders."""
        if path is not None or name in _SHARED:
            return None
        inside = [os.path.dirname(f) for f in self.within if os.path.basename(f) == name]
        return self._search(name, [*self.late, *inside])

    def _search(self, name: str, places: Sequence[str]) -> ModuleSpec | None:
        portions = []
        source: Any = functools.partial(_Loader, self)
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

    def found(self, name: str) -> None:
        """Note that a module is of this codebase."""
        self._names.add(name)


class _Finder:
    """An entry of `sys.meta_path` that asks the active codebase."""

    def __init__(self, search):
        self.search = search

    def find_spec(self, name, path=None, target=None):
        spec = self.search(name, path)
        if spec is not None:
            _ACTIVE[-1].found(name)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the source as it is now: a cached .pyc knows changes by the second only."""

    def __init__(self, codebase: Codebase, name: str, path: str):
        super().__init__(name, path)
        self._codebase = codebase

    def path_stats(self, path):
        raise OSError  # no time stamp, no cache

    def get_data(self, path):
        data = super().get_data(path)
        self._codebase.loaded(path, data)
        return data

    def exec_module(self, module):
        vars(module)["__builtins__"] = self._codebase.builtins
        super().exec_module(module)


def _elsewhere(name: str) -> bool:
    """Whether Python's own finders have a package or module with code."""
    for finder in sys.meta_path:
        if isinstance(finder, _Finder) or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec(name, None)
        if spec is not None and spec.origin is not None:
            return True
    return False


def _digest(file: str) -> str:
    try:
        with open(file, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()
    except OSError:
        return ""


_last: tuple[str, Codebase, ModuleType] | None = None


def module_of_file(path: str) -> tuple[Codebase, ModuleType]:
    """The module that a file is, with its codebase: a file of a package as part of that, any other
    with the files beside it."""
    path = os.path.abspath(path)
    here, base = os.path.split(path)
    stem = os.path.splitext(base)[0]
    parents = _packages(here, _relative_depth(path))
    root = os.path.dirname(parents[-1]) if parents else here
    within = _ancestors(here)
    folders = [root, *(f for f in (_project(within), os.getcwd()) if f and f in within)]
    late = [here] if parents else []
    names = [os.path.basename(p) for p in reversed(parents)]
    if stem != "__init__":
        names.append(stem)
    name = ".".join(names)

    def load(codebase):
        if parents:
            return codebase.load(name)
        return codebase.load(f"_costlab_{name}" if name in _SHARED else name, path)

    return _reused(path, lambda: Codebase(list(dict.fromkeys(folders)), late, within), load)


def module_of_name(name: str) -> tuple[Codebase | None, ModuleType]:
    """A module by its name, from the working folder or `sys.path`, with its codebase; None for a
    library's."""
    root = _root(name.partition(".")[0])
    if root is None:
        return None, importlib.import_module(name)
    folders = dict.fromkeys((root, os.getcwd()))
    return _reused(
        f"{root}:{name}", lambda: Codebase(list(folders)), lambda codebase: codebase.load(name)
    )


def _reused(key: str, create, load) -> tuple[Codebase, ModuleType]:
    """What was loaded last where that is unchanged, otherwise loaded now. No more than one is
    kept: what another codebase registers in a library would stand in its place."""
    global _last
    if _last is None or _last[0] != key or _last[1].changed:
        _last = None
        codebase = create()
        _last = key, codebase, load(codebase)
    return _last[1], _last[2]


def _root(top: str) -> str | None:
    """The folder that a user's own package or module is in; None for a library."""
    if top in _SHARED:
        return None
    spec = importlib.machinery.PathFinder.find_spec(top, [os.getcwd(), *sys.path])
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
    found = []
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
