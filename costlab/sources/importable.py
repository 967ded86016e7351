"""A factory in a user's own code: package.module:factory, or path/file.py:factory."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

from ._model import Definition, Source, SourceError, first_line, suggestion
from .torchvision import load_torchvision


def _load(home: str):
    if home.endswith(".py"):
        if not os.path.exists(home):
            raise SourceError(f"no file {home}")
        loader = importlib.util.spec_from_file_location("_costlab_user_model", home)
        module = importlib.util.module_from_spec(loader)
        sys.modules[loader.name] = module
        sys.path.insert(0, os.path.dirname(os.path.abspath(home)))
        loader.loader.exec_module(module)
        return module
    sys.path.insert(0, os.getcwd())
    return importlib.import_module(home)


def _find(spec: str) -> Definition:
    home, _, name = spec.rpartition(":")
    try:
        try:
            module = _load(home)
        except RuntimeError as e:
            if "torchvision::" not in str(e):
                raise
            load_torchvision()
            module = _load(home)
    except (SourceError, ModuleNotFoundError):
        raise
    except (Exception, SystemExit) as e:
        raise SourceError(f"importing {home} failed: {first_line(e)}") from None
    factory = module
    for part in name.split("."):
        factory = getattr(factory, part, None)
    if not callable(factory):
        known = suggestion(name, [n for n in vars(module) if not n.startswith("_")])
        raise SourceError(f"{home} has no callable {name!r}{known}")
    return Definition(factory)


SOURCE = Source("package.module:factory or path/file.py:factory", lambda spec: ":" in spec, _find)
