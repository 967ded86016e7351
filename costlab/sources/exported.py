"""Programs that torch.export saved (.pt2), on the inputs that they were exported with; and what to
do with the other files that end in .pt."""

from __future__ import annotations

import hashlib
import os
import zipfile
from typing import TYPE_CHECKING, Any

from ._model import Definition, Inputs, Source, SourceError, first_line

if TYPE_CHECKING:
    from torch import Tensor
    from torch.export import ExportedProgram
    from torch.jit import ScriptModule

_WEIGHTS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")


def _find(path: str) -> Definition:
    import torch

    from ..trace.exported import module_of

    if not path.endswith(".pt2"):
        return _find_scripted(path)
    try:
        program = torch.export.load(path)
    except Exception as e:
        raise SourceError(
            f"cannot read {path}: not a torch.export program, or one of another torch version "
            f"({first_line(e)})"
        ) from None
    return Definition(
        lambda: module_of(program),
        lambda model: _inputs_of(program),
        lambda model: "a program of torch.export",
        version=lambda: _digest(path),
    )


def _inputs_of(program: ExportedProgram) -> Inputs:
    """The example inputs of an `ExportedProgram`: floating-point tensors on `meta`."""
    import torch
    from torch.utils import _pytree as pytree

    from ..trace.exported import example_inputs

    args, kwargs = pytree.tree_map_only(torch.Tensor, _default, example_inputs(program))
    return Inputs(args, kwargs)


def _default(tensor: Tensor) -> Tensor:
    return tensor.detach().to("meta") if tensor.is_floating_point() else tensor


def _find_scripted(path: str) -> Definition:
    """A TorchScript archive; anything else with this suffix is weights without their model."""
    import torch

    if not _is_torchscript(path):
        raise SourceError(
            f"{path} contains weights, not a model; name the code that builds it, such as "
            "net.py:build"
        )

    def build() -> ScriptModule:
        jit: Any = torch.jit  # whose functions have no types
        return jit.load(path, map_location="cpu")

    return Definition(
        build,
        version=lambda: _digest(path),
    )


def _is_torchscript(path: str) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _digest(path: str) -> str:
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()[:16]


SOURCE = Source(
    "FILE.pt2",
    lambda spec: os.path.isfile(spec) and spec.endswith((".pt2", *_WEIGHTS)),
    _find,
    code=lambda spec: spec,
)
