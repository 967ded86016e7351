"""Packages that are called like the public function of the same name.

`costlab.trace`, `costlab.measure` and the like are packages and functions of the public
API. Python binds a package to its name in the parent once it is imported, so the package itself has
to be callable: `costlab.trace(model, inputs)` is the function, whatever was imported before.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


def callable_as(package: str, function: str) -> None:
    """Let a call of `package` call `function`, written "module:name" and imported when called."""

    class Callable(ModuleType):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            module, _, name = function.partition(":")
            return getattr(import_module(module), name)(*args, **kwargs)

    sys.modules[package].__class__ = Callable
