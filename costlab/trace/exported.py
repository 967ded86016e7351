"""Programs of torch.export: the module that one holds, and the inputs that it was exported with."""

from __future__ import annotations

import sys
from typing import Any

from torch import nn


def is_program(model: Any) -> bool:
    """Whether an object is an `ExportedProgram`, without importing torch.export to ask."""
    exported = sys.modules.get("torch.export.exported_program")
    return exported is not None and isinstance(model, exported.ExportedProgram)


def module_of(program: Any) -> nn.Module:
    """The module that an `ExportedProgram` holds. It runs in one mode, the one it was exported
    in, so that `eval()` and `train()`, which it refuses, do nothing."""
    module = program.module()
    object.__setattr__(module, "train", lambda mode=True: module)
    object.__setattr__(module, "eval", lambda: module)
    return module


def example_inputs(program: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword inputs that a program was exported with; empty where it has none."""
    nothing: tuple[tuple[Any, ...], dict[str, Any]] = (), {}
    args, kwargs = program.example_inputs or nothing
    return tuple(args), dict(kwargs)
