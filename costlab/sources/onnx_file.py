"""ONNX files: a file's graph as a module of torch operations; nothing in the file is executed."""

from __future__ import annotations

import os
from typing import cast

from ._model import Definition, Source


def _find(path: str) -> Definition:
    from ._onnx import read

    file = read(path)
    return Definition(
        file.build,
        lambda model: file.inputs(),
        lambda model: file.origin,
        version=lambda: file.digest,
        notes=lambda model: cast("tuple[str, ...]", model.notes),  # a Graph's, which `build` makes
    )


SOURCE = Source(
    "FILE.onnx",
    lambda spec: spec.lower().endswith(".onnx") and os.path.isfile(spec),
    _find,
    "onnx",
)
