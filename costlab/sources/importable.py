"""A factory in a user's own code: package.module:factory, or path/file.py:factory."""

from __future__ import annotations

import functools
import os
from types import FunctionType, ModuleType
from typing import Any

from ._codebase import Codebase, module_of_file, module_of_name
from .._spelling import suggestion
from ._model import Definition, Source, SourceError, described
from .torchvision import load_torchvision

_LISTED = 8  # functions and classes of a module in a message


def _find(spec: str) -> Definition:
    home, _, name = spec.rpartition(":")
    codebase, module = _module(home)
    factory: Any = module
    for part in name.split("."):
        factory = getattr(factory, part, None)
    if hasattr(factory, "named_parameters") and not isinstance(factory, type):
        raise SourceError(
            f"{spec} is a model, not a factory ({type(factory).__name__}); name its class, "
            f"or a function that returns it"
        )
    if not callable(factory):
        raise SourceError(f"{home} has no callable {name!r}{_callables(name, module)}")

    @functools.wraps(factory, assigned=(), updated=())  # for its signature
    def build(**arguments: Any) -> Any:
        return factory(**arguments)

    if codebase is None:
        return Definition(build)
    return Definition(build, scope=codebase.active, version=lambda: codebase.version)


def _module(home: str) -> tuple[Codebase | None, ModuleType]:
    if home.endswith(".py") and not os.path.exists(home):
        raise SourceError(f"no file {home}")
    load = module_of_file if home.endswith(".py") else module_of_name
    try:
        try:
            return load(home)
        except RuntimeError as e:
            if "torchvision::" not in str(e):
                raise
            load_torchvision()
            return load(home)
    except ModuleNotFoundError as e:
        if e.name and f"{home}.".startswith(f"{e.name}."):
            raise SourceError(_unknown_module(home, e.name)) from None
        raise
    except SystemExit as e:
        raise SourceError(f"importing {home} failed: {described(e)}") from None


def _callables(name: str, module: ModuleType) -> str:
    """The names of a module that a misspelt one may have meant; otherwise those of the functions
    and classes that it defines."""
    near = suggestion(name, [n for n in vars(module) if not n.startswith("_")])
    own = [
        n
        for n, value in vars(module).items()
        if isinstance(value, (type, FunctionType)) and value.__module__ == module.__name__
    ]
    return near or (f"; it has {', '.join(own[:_LISTED])}" if own else "; it defines none")


def _unknown_module(home: str, missing: str) -> str:
    """Neither a module nor a prefix."""
    from ._registry import PREFIXES

    near = suggestion(home, PREFIXES) or f"; prefixes of sources are {', '.join(PREFIXES)}"
    return f"{home!r} is not a source of models, and there is no Python module {missing}{near}"


SOURCE = Source(
    "package.module:factory or path/file.py:factory",
    lambda spec: ":" in spec,
    _find,
    code=lambda spec: spec.rpartition(":")[0],
)
