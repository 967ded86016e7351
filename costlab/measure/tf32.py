"""Whether a GPU multiplies float32 as TF32, by whichever of torch's two APIs the program uses.

`allow_tf32` is the older one. torch refuses to read it where `fp32_precision` was set to something
that it cannot say.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import torch

_backends: Any = torch.backends  # its flags are properties that type checkers do not see


def in_products() -> bool:
    """Of matrix products."""
    return _backends.cuda.matmul.fp32_precision == "tf32"


def in_convolutions() -> bool:
    """Of convolutions."""
    return _backends.cudnn.conv.fp32_precision == "tf32"


@contextlib.contextmanager
def used(wanted: bool) -> Generator[None]:
    """Use TF32 in both, or in neither; as before afterwards."""
    matmul, cudnn = _backends.cuda.matmul, _backends.cudnn
    try:
        flags = [(backend, "allow_tf32", backend.allow_tf32) for backend in (matmul, cudnn)]
        value: object = wanted
    except RuntimeError:  # the program uses fp32_precision
        operators = (matmul, cudnn.conv, cudnn.rnn)
        flags = [(backend, "fp32_precision", backend.fp32_precision) for backend in operators]
        value = "tf32" if wanted else "ieee"
    try:
        for backend, name, _ in flags:
            setattr(backend, name, value)
        yield
    finally:
        for backend, name, before in flags:
            setattr(backend, name, before)
