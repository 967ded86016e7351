"""The modules that *Rethinking* draws, from the traced network."""

from __future__ import annotations

from ....render.document import Picture
from ...context import Context
from .pictures import opened

_NETWORK = "inception_v2_as_drawn"
_FACTORIZED = {
    "figure5_1": "Figure 5 of Rethinking, traced: the 5x5 as two 3x3",
    "figure6_1": "Figure 6 of Rethinking, traced: n x n as 1xn and nx1, with n = 7",
    "figure7_1": "Figure 7 of Rethinking, traced: 1x3 and 3x1 side by side, for the coarsest grid",
}
_REDUCTION = {
    "reduction1": "Figure 10 of Rethinking, traced: convolutions of stride two beside a pool"
}


def paper_modules(c: Context) -> list[Picture]:
    """All of them."""
    return [*factorized_modules(c), *reduction_module(c)]


def factorized_modules(c: Context) -> list[Picture]:
    """Figures 5, 6 and 7."""
    return _drawn(c, _FACTORIZED)


def reduction_module(c: Context) -> list[Picture]:
    """Figure 10."""
    return _drawn(c, _REDUCTION)


def _drawn(c: Context, captions: dict[str, str]) -> list[Picture]:
    trace = c.find(_NETWORK)
    return [opened(trace, path, f"module-{path}", words) for path, words in captions.items()]
