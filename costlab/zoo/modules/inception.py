"""Inception modules, which keep the grid unless a `stride` is given."""

from __future__ import annotations

from torch import nn

from .layers import Concat, Conv, InceptionModule


def pool_3x3(kind: str, stride: int = 1, ceil: bool = False) -> nn.Module:
    """A 3x3 pool, "max" or "avg". At stride 1 it is padded by 1 and keeps the grid; any other
    stride has no padding, and `ceil` rounds the grid of a max pool up."""
    if kind == "max":
        return nn.MaxPool2d(3, stride, 1 if stride == 1 else 0, ceil_mode=ceil)
    return nn.AvgPool2d(3, stride, 1 if stride == 1 else 0)


def double_3x3(
    c_in: int,
    widths: tuple[int, int, int],
    *,
    stride: int = 1,
    padding: int | None = None,
    norm: bool = True,
) -> nn.Sequential:
    """1x1, then two 3x3; `widths` are (reduce, first 3x3, second 3x3), the last one strides."""
    reduce, mid, out = widths
    return nn.Sequential(
        Conv(c_in, reduce, 1, norm=norm),
        Conv(reduce, mid, 3, norm=norm),
        Conv(mid, out, 3, stride, padding, norm=norm),
    )


class NaiveInception(InceptionModule):
    """Going Deeper, Figure 2(a): 1x1, 3x3, 5x5 and a 3x3 max pool that passes all c_in channels
    through."""

    def __init__(self, c_in: int, n1: int, n3: int, n5: int, norm: bool = False):
        super().__init__(
            n1 + n3 + n5 + c_in,
            branch1=Conv(c_in, n1, 1, norm=norm),
            branch2=Conv(c_in, n3, 3, norm=norm),
            branch3=Conv(c_in, n5, 5, norm=norm),
            branch4=pool_3x3("max"),
        )


class Inception(InceptionModule):
    """Going Deeper, Figure 2(b): the naive module with 1x1 reductions before 3x3 and 5x5 and after
    the pool.

    `widths` are the six columns of Table 1 in its order: #1x1, #3x3 reduce, #3x3, #5x5 reduce,
    #5x5, pool proj. `k5` is the kernel of the third branch."""

    def __init__(self, c_in: int, *widths: int, norm: bool = False, k5: int = 5, pool: str = "max"):
        n1, n3r, n3, n5r, n5, proj = widths
        super().__init__(
            n1 + n3 + n5 + proj,
            branch1=Conv(c_in, n1, 1, norm=norm),
            branch2=nn.Sequential(Conv(c_in, n3r, 1, norm=norm), Conv(n3r, n3, 3, norm=norm)),
            branch3=nn.Sequential(Conv(c_in, n5r, 1, norm=norm), Conv(n5r, n5, k5, norm=norm)),
            branch4=nn.Sequential(pool_3x3(pool), Conv(c_in, proj, 1, norm=norm)),
        )


class DoubleInception(InceptionModule):
    """Rethinking, Figure 5 (and Batch Normalization, Figure 5): the 5x5 as two 3x3.

    `double` is (reduce, first 3x3, second 3x3). `n1` 0 drops the 1x1 branch; `proj` 0 passes the
    pool through. `k` is the kernel of the second branch (Inception-v3 keeps a 5x5 there)."""

    def __init__(
        self,
        c_in: int,
        n1: int,
        n3r: int,
        n3: int,
        double: tuple[int, int, int],
        proj: int,
        *,
        pool: str = "avg",
        stride: int = 1,
        k: int = 3,
        norm: bool = True,
    ):
        parts: dict[str, nn.Module] = {}
        if n1:
            parts["branch1"] = Conv(c_in, n1, 1, norm=norm)
        parts["branch2"] = nn.Sequential(
            Conv(c_in, n3r, 1, norm=norm), Conv(n3r, n3, k, stride, norm=norm)
        )
        parts["branch3"] = double_3x3(c_in, double, stride=stride, norm=norm)
        grid = pool_3x3(pool, stride, ceil=True)
        parts["branch4"] = nn.Sequential(grid, Conv(c_in, proj, 1, norm=norm)) if proj else grid
        super().__init__(n1 + n3 + double[-1] + (proj or c_in), **parts)


class FactorizedInception(InceptionModule):
    """Rethinking, Figure 6: 1x1; 1x1 -> 1xn -> nx1; 1x1 -> nx1, 1xn, nx1, 1xn; average pool -> 1x1.

    `mid` is the width inside the factorized branches, `out` the filters of each of the four
    branches. `across_first`: the longer branch begins with 1xn, as the figure draws it; TF-slim
    begins with nx1."""

    def __init__(
        self,
        c_in: int,
        mid: int,
        out: int = 192,
        n: int = 7,
        *,
        norm: bool = True,
        across_first: bool = False,
    ):
        a, b = (1, n), (n, 1)
        first, second = (a, b) if across_first else (b, a)
        super().__init__(
            4 * out,
            branch1=Conv(c_in, out, 1, norm=norm),
            branch2=nn.Sequential(
                Conv(c_in, mid, 1, norm=norm),
                Conv(mid, mid, a, norm=norm),
                Conv(mid, out, b, norm=norm),
            ),
            branch3=nn.Sequential(
                Conv(c_in, mid, 1, norm=norm),
                Conv(mid, mid, first, norm=norm),
                Conv(mid, mid, second, norm=norm),
                Conv(mid, mid, first, norm=norm),
                Conv(mid, out, second, norm=norm),
            ),
            branch4=nn.Sequential(pool_3x3("avg"), Conv(c_in, out, 1, norm=norm)),
        )


class ExpandedInception(InceptionModule):
    """Rethinking, Figure 7: the expanded filter bank: 3x3 as parallel 1x3 and 3x1, for the coarsest
    grid. `d3r` is the reduction before the branch of two 3x3."""

    def __init__(
        self,
        c_in: int,
        n1: int = 320,
        n3r: int = 384,
        n3: int = 384,
        d3r: int = 448,
        proj: int = 192,
        *,
        norm: bool = True,
    ):
        def split() -> Concat:
            return Concat(Conv(n3, n3, (1, 3), norm=norm), Conv(n3, n3, (3, 1), norm=norm))

        super().__init__(
            n1 + 4 * n3 + proj,
            branch1=Conv(c_in, n1, 1, norm=norm),
            branch2=nn.Sequential(Conv(c_in, n3r, 1, norm=norm), split()),
            branch3=nn.Sequential(
                Conv(c_in, d3r, 1, norm=norm), Conv(d3r, n3, 3, norm=norm), split()
            ),
            branch4=nn.Sequential(pool_3x3("avg"), Conv(c_in, proj, 1, norm=norm)),
        )
