"""Large kernels as small ones, in pixels, in numbers, and in the modules of *Rethinking*."""

from __future__ import annotations

from ....analysis.illustrations import Kernel, fields
from ....render import charts
from ....render.document import Picture
from ...context import Context
from ...pieces import Block, chart
from ..factorization import factorization
from .paper_modules import factorized_modules

_CHAINS: tuple[tuple[Kernel, ...], ...] = (((5, 5),), ((3, 3),) * 2, ((3, 3),), ((1, 3), (3, 1)))


def small_kernels(c: Context) -> list[Block]:
    """Which inputs one output depends on, what each rule saves, and the modules drawn."""
    return [
        _pixels(),
        *factorization(c),
        *factorized_modules(c),
    ]


def _pixels() -> Picture:
    found = fields(_CHAINS)
    spoken = "; ".join(f"{x.name}: {x.weights} weights, sees {x.field}" for x in found.chains)
    return chart(
        charts.fields,
        found,
        id="fields",
        caption="Which inputs one output depends on, layer by layer",
        alt=spoken,
    )
