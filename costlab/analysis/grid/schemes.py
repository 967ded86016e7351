"""The schemes of a grid reduction at one grid and one pair of widths, each traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

from torch import nn

from ...cost import total
from ...graph import layer_graph
from ...predict import ChosenProfile, predicted
from ...trace import Trace
from ...trace.build import traced
from ...zoo import modules
from . import notes
from .result import GridReduction, Scheme

POOLS = ("valid", "padded", "2x2")
BODIES = ("conv", "inception")
_FEWEST = 8  # channels beside the pool; below, a branch of Figure 10 would have no filters
_FEWEST_OF_A_MODULE = 64  # channels; below, a branch of Figure 5's module would have no filters


def grid(
    d: int = 35,
    c_in: int = 320,
    c_out: int = 640,
    kernel: int = 3,
    pool: str = "valid",
    body: str = "conv",
    *,
    train: bool = False,
    profile: ChosenProfile | None = None,
) -> GridReduction:
    """Trace the schemes, with `train` their backward passes too, and with a `profile` predict their
    times.

    Args:
        d: side of the input grid, with `c_in` channels; `c_out` come out.
        kernel: of the convolution.
        pool: "valid" (3x3/2), "padded" (3x3/2) or "2x2".
        body: "conv", one kernel x kernel convolution, or "inception", a Figure 5 module of that
            width.

    Raises ValueError for widths, a grid or a kernel that cannot be built."""
    _require_buildable(_Case(d, c_in, c_out, kernel, pool, body))
    image = (c_in, d, d)
    found = tuple(
        _scheme(
            name,
            predicted(traced(make, (1, *image), spec=name, backward=train), profile),
            prod(image),
        )
        for name, make in schemes(d, c_in, c_out, kernel, pool, body)
    )
    said = notes.schemes(d, found[0].out[1], prod(image))
    return GridReduction(image, found, (*said, *notes.times(found)))


def schemes(
    d: int, c_in: int, c_out: int, kernel: int = 3, pool: str = "valid", body: str = "conv"
) -> Iterator[tuple[str, Callable[[], nn.Module]]]:
    """(name, factory) of each scheme; arguments as of `grid`."""
    what = f"{kernel}x{kernel} convolution" if body == "conv" else "Figure 5 module"

    def inner() -> nn.Module | None:
        return None if body == "conv" else _inception(c_in, c_out)

    yield f"pool, then {what}", lambda: modules.PoolThenConv(c_in, c_out, kernel, inner(), pool)
    yield f"{what}, then pool", lambda: modules.ConvThenPool(c_in, c_out, kernel, inner(), pool)
    yield (
        f"stride-2 {kernel}x{kernel} beside the pool",
        lambda: modules.ParallelReduction(c_in, c_out, kernel, pool),
    )
    if pool == "valid" and c_out - c_in >= _FEWEST:
        yield "Figure 10's module (widths assumed)", lambda: figure10(c_in, c_out)


def figure10(c_in: int, c_out: int, norm: bool = False) -> nn.Module:
    """The module as Figure 10 draws it: 1x1 -> 3x3/2 and 1x1 -> 3x3 -> 3x3/2 beside the pool.

    The paper gives no widths. ASSUMED: the convolution branches share c_out - c_in as 9 to 11,
    their 1x1 take 7 and 9 twentieths of it."""
    rest = c_out - c_in
    single = max(1, round(rest * 9 / 20))
    double, squeeze = rest - single, max(1, round(rest * 7 / 20))
    return modules.ReductionA(c_in, single, (single, double, double), squeeze, norm)


def _inception(c_in: int, c_out: int, norm: bool = False) -> nn.Module:
    """A Figure 5 module of c_out channels: Inception-v3's Mixed_5d of 288, scaled."""

    def part(width: int) -> int:
        return max(1, round(c_out * width / 288))

    n1, n3, d3 = part(64), part(64), part(96)
    return modules.DoubleInception(
        c_in, n1, part(48), n3, (part(64), d3, d3), c_out - n1 - n3 - d3, norm=norm
    )


def _scheme(name: str, trace: Trace, given: int) -> Scheme:
    """A traced scheme; `given` elements go in."""
    cost, out = total(trace), trace.tensors[trace.outputs[0]].shape[1:]
    low = narrowest(trace)
    bottleneck = low is not None and low < min(given, prod(out))
    return Scheme(name, cost.params, cost.macs, out, cost.activations, low, bottleneck, trace)


def narrowest(trace: Trace) -> int | None:
    """Elements, for one image, at the narrowest node between input and output that every path
    passes; None where there is none."""
    nodes = layer_graph(trace)
    sizes: list[int] = []
    at = nodes[-1].idom
    while at != 0:
        sizes.append(prod(nodes[at].out_shape[1:]))
        at = nodes[at].idom
    return min(sizes, default=None)


@dataclass(frozen=True)
class _Case:
    """The arguments of `grid`."""

    d: int
    c_in: int
    c_out: int
    kernel: int
    pool: str
    body: str


def _require_buildable(case: _Case) -> None:
    """Raise ValueError for what no module can be built of."""
    d, kernel = case.d, case.kernel
    if case.pool not in POOLS:
        raise ValueError(f"unknown pool; choose {', '.join(POOLS)}")
    if case.body not in BODIES:
        raise ValueError(f"unknown body; choose {' or '.join(BODIES)}")
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel {kernel} does not keep the grid; choose an odd one")
    if case.c_out <= case.c_in or case.c_in < 1:
        raise ValueError(
            f"a reduction from {case.c_in} to {case.c_out} channels has no room beside the pool; "
            "c_out is greater than c_in"
        )
    if d < max(4, kernel):
        raise ValueError(f"a {d}x{d} grid is too small for kernel {kernel}; choose a larger one")
    if case.body == "inception" and case.c_out < _FEWEST_OF_A_MODULE:
        raise ValueError(
            f"a Figure 5 module of {case.c_out} channels has branches without channels; choose "
            f"c_out of at least {_FEWEST_OF_A_MODULE}"
        )
    if case.pool == "2x2" and d % 2:
        raise ValueError(f"2x2 pooling halves an even grid; {d} is odd, so choose valid or padded")
