"""A factory in a user's own code: package.module:factory, or path/file.py:factory."""

from __future__ import annotations

import os


from ._codebase import module_of_file, module_of_name
from ._model import Definition, Source, SourceError, first_line, suggestion
from .torchvision import load_torchvision


def _find(spec: str) -> Definition:
    home, _, name = spec.rpartition(":")
    codebase, module = _module(home)
    factory = module
    for part in name.split("."):
        factory = getattr(factory, part, None)
    if not callable(factory):
        known = suggestion(name, [n for n in vars(module) if not n.startswith("_")])
        raise SourceError(f"{home} has no callable {name!r}{known}")
    if codebase is None:
        return Definition(factory)
    return Definition(factory, scope=codebase.active, version=lambda: codebase.version)


def _module(home: str):
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
    except ModuleNotFoundError:
        raise
    except (Exception, SystemExit) as e:
        raise SourceError(f"importing {home} failed: {first_line(e)}") from None


SOURCE = Source("package.module:factory or path/file.py:factory", lambda spec: ":" in spec, _find)
