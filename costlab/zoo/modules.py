"""The papers' building blocks, public and composable: each can be traced alone.

Shapes: N batch, c channels, H x W grid. Every block is (N, c_in, H, W) -> (N, c_out, H', W') and
has its `c_out`. Names of widths are the columns of the papers' tables: n1 is "#1x1", n3r "#3x3
reduce", n3 "#3x3", proj "pool proj".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn


class Conv(nn.Sequential):
    """Convolution, batch norm where `norm` (then no bias), ReLU.

    `padding` None is k // 2, which keeps the grid at stride 1."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        k: int | tuple[int, int],
        stride: int = 1,
        padding: int | None = None,
        *,
        groups: int = 1,
        norm: bool = False,
    ):
        height, width = (k, k) if isinstance(k, int) else k
        pad = (height // 2, width // 2) if padding is None else padding
        conv = nn.Conv2d(c_in, c_out, (height, width), stride, pad, groups=groups, bias=not norm)
        super().__init__(conv, *([nn.BatchNorm2d(c_out, 1e-3)] if norm else []), nn.ReLU())
        self.c_out = c_out


class SeparableConv(nn.Sequential):
    """Depthwise k x k with `multiplier` filters a channel, then 1x1.

    *Batch Normalization*, Figure 5, has it as a 7x7/2 with multiplier 8."""

    def __init__(self, c_in, c_out, k, stride=1, multiplier=8, norm=False):
        super().__init__(
            nn.Conv2d(c_in, c_in * multiplier, k, stride, k // 2, groups=c_in, bias=False),
            Conv(c_in * multiplier, c_out, 1, norm=norm),
        )
        self.c_out = c_out


class MlpConv(nn.Sequential):
    """*Network in Network*, Section 3.1: an MLP that slides over the image.

    A k x k convolution, then 1x1 convolutions; `widths` are their filters."""

    def __init__(self, c_in, widths, k, stride=1, padding=None):
        hidden = (Conv(a, b, 1) for a, b in pairwise(widths))
        super().__init__(Conv(c_in, widths[0], k, stride, padding), *hidden)
        self.c_out = widths[-1]


class Concat(nn.Module):
    """Branches side by side, joined over channels."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class InceptionModule(nn.Module):
    """Branches under their names, joined over channels to `c_out`."""

    def __init__(self, c_out: int, **branches: nn.Module):
        super().__init__()
        self.c_out = c_out
        for name, branch in branches.items():
            self.add_module(name, branch)
        self._order = tuple(branches)

    def forward(self, x):
        return torch.cat([self.get_submodule(name)(x) for name in self._order], 1)


def _pool(kind, stride=1, ceil=False):
    if kind == "max":
        return nn.MaxPool2d(3, stride, 1 if stride == 1 else 0, ceil_mode=ceil)
    return nn.AvgPool2d(3, stride, 1 if stride == 1 else 0)


class NaiveInception(InceptionModule):
    """Going Deeper, Figure 2(a): 1x1, 3x3, 5x5 and a 3x3 max pool that passes all c_in channels
    through."""

    def __init__(self, c_in, n1, n3, n5, norm=False):
        super().__init__(
            n1 + n3 + n5 + c_in,
            branch1=Conv(c_in, n1, 1, norm=norm),
            branch2=Conv(c_in, n3, 3, norm=norm),
            branch3=Conv(c_in, n5, 5, norm=norm),
            branch4=_pool("max"),
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
            branch4=nn.Sequential(_pool(pool), Conv(c_in, proj, 1, norm=norm)),
        )


def _double(c_in, widths, *, stride=1, padding=None, norm=True):
    """1x1, then two 3x3; `widths` are (reduce, first 3x3, second 3x3), the last one strides."""
    reduce, mid, out = widths
    return nn.Sequential(
        Conv(c_in, reduce, 1, norm=norm),
        Conv(reduce, mid, 3, norm=norm),
        Conv(mid, out, 3, stride, padding, norm=norm),
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
        parts["branch3"] = _double(c_in, double, stride=stride, norm=norm)
        grid = _pool(pool, stride, ceil=True)
        parts["branch4"] = nn.Sequential(grid, Conv(c_in, proj, 1, norm=norm)) if proj else grid
        super().__init__(n1 + n3 + double[-1] + (proj or c_in), **parts)


class FactorizedInception(InceptionModule):
    """Rethinking, Figure 6: 1x1; 1x1 -> 1xn -> nx1; 1x1 -> nx1, 1xn, nx1, 1xn; average pool -> 1x1.

    `mid` is the width inside the factorized branches, `out` the filters of each of the four
    branches. `across_first`: the longer branch begins with 1xn, as the figure draws it; TF-slim
    begins with nx1."""

    def __init__(self, c_in, mid, out=192, n=7, *, norm=True, across_first=False):
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
            branch4=nn.Sequential(_pool("avg"), Conv(c_in, out, 1, norm=norm)),
        )


class ExpandedInception(InceptionModule):
    """Rethinking, Figure 7: the expanded filter bank: 3x3 as parallel 1x3 and 3x1, for the coarsest
    grid. `d3r` is the reduction before the branch of two 3x3."""

    def __init__(self, c_in, n1=320, n3r=384, n3=384, d3r=448, proj=192, *, norm=True):
        def split():
            return Concat(Conv(n3, n3, (1, 3), norm=norm), Conv(n3, n3, (3, 1), norm=norm))

        super().__init__(
            n1 + 4 * n3 + proj,
            branch1=Conv(c_in, n1, 1, norm=norm),
            branch2=nn.Sequential(Conv(c_in, n3r, 1, norm=norm), split()),
            branch3=nn.Sequential(
                Conv(c_in, d3r, 1, norm=norm), Conv(d3r, n3, 3, norm=norm), split()
            ),
            branch4=nn.Sequential(_pool("avg"), Conv(c_in, proj, 1, norm=norm)),
        )


class ReductionA(InceptionModule):
    """Rethinking, Figure 10: (N, c_in, H, W) -> (N, n3 + double[-1] + c_in, (H-1)//2, (W-1)//2).

    `n3r` None leaves out the 1x1 before the stride-2 3x3, as Inception-v3's code does."""

    def __init__(self, c_in, n3=384, double=(64, 96, 96), n3r=None, norm=True):
        first = [Conv(c_in, n3r, 1, norm=norm)] if n3r else []
        super().__init__(
            n3 + double[-1] + c_in,
            branch1=nn.Sequential(*first, Conv(n3r or c_in, n3, 3, 2, 0, norm=norm)),
            branch2=_double(c_in, double, stride=2, padding=0, norm=norm),
            branch3=_pool("max", 2),
        )


class ReductionB(InceptionModule):
    """Inception-v3's 17x17 -> 8x8: 1x1 -> 3x3/2; 1x1 -> 1x7 -> 7x1 -> 3x3/2; max pool that passes
    through."""

    def __init__(self, c_in, n3r=192, n3=320, n7=192, n=7, norm=True):
        super().__init__(
            n3 + n7 + c_in,
            branch1=nn.Sequential(Conv(c_in, n3r, 1, norm=norm), Conv(n3r, n3, 3, 2, 0, norm=norm)),
            branch2=nn.Sequential(
                Conv(c_in, n7, 1, norm=norm),
                Conv(n7, n7, (1, n), norm=norm),
                Conv(n7, n7, (n, 1), norm=norm),
                Conv(n7, n7, 3, 2, 0, norm=norm),
            ),
            branch3=_pool("max", 2),
        )


def _halve(pool):
    """The pool of a grid reduction: "valid" 3x3/2 (35 -> 17), "padded" 3x3/2 (35 -> 18), "2x2" (36
    -> 18)."""
    return {
        "valid": lambda: nn.MaxPool2d(3, 2),
        "padded": lambda: nn.MaxPool2d(3, 2, 1),
        "2x2": lambda: nn.MaxPool2d(2, 2),
    }[pool]()


class PoolThenConv(nn.Sequential):
    """Rethinking, Figure 9 left: pool to half the grid, then convolve c_in -> c_out: cheap, with a
    representational bottleneck. `body` replaces the convolution by any module on the small grid."""

    def __init__(self, c_in, c_out, k=3, body=None, pool="valid"):
        super().__init__(_halve(pool), body or Conv(c_in, c_out, k))
        self.c_out = c_out


class ConvThenPool(nn.Sequential):
    """Rethinking, Figure 9 right: convolve on the large grid, then pool: no bottleneck, more
    MACs."""

    def __init__(self, c_in, c_out, k=3, body=None, pool="valid"):
        super().__init__(body or Conv(c_in, c_out, k), _halve(pool))
        self.c_out = c_out


class ParallelReduction(InceptionModule):
    """Rethinking, Figure 10 right: a stride-2 convolution to c_out - c_in filters beside a stride-2
    pool. A kernel smaller than the pool's reads a cropped grid, so that both give the same one."""

    def __init__(self, c_in, c_out, k=3, pool="valid"):
        margin = (k - 3) // 2 if pool == "valid" else (k - 1) // 2
        conv = Conv(c_in, c_out - c_in, k, 2, max(0, margin))
        crop = [nn.ZeroPad2d(margin)] if margin < 0 else []
        super().__init__(c_out, branch1=nn.Sequential(*crop, conv), branch2=_halve(pool))


class AuxiliaryHead(nn.Module):
    """A classifier on an intermediate layer: average pool, 1x1 convolution, then fully connected
    layers with dropout.

    `pool` is (kernel, stride); with `ceil` its grid is rounded up, as Caffe does. The defaults are
    Going Deeper, Section 5: pool 5x5/3, 128 filters, 1024 units, dropout 70%, on a 14x14 grid."""

    def __init__(
        self,
        c_in: int,
        classes: int = 1000,
        *,
        grid: int = 14,
        pool: tuple[int, int] = (5, 3),
        ceil: bool = False,
        filters: int = 128,
        hidden: Sequence[int] = (1024,),
        dropout: float = 0.7,
        norm: bool = False,
    ):
        super().__init__()
        kernel, stride = pool
        rest = grid - kernel
        side = (-(-rest // stride) if ceil else rest // stride) + 1
        self.pool = nn.AvgPool2d(kernel, stride, ceil_mode=ceil)
        self.conv = Conv(c_in, filters, 1, norm=norm)
        layers: list[nn.Module] = []
        width = filters * side * side
        for units in hidden:
            layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(dropout)]
            width = units
        self.fc = nn.Sequential(*layers, nn.Linear(width, classes))

    def forward(self, x):
        return self.fc(self.conv(self.pool(x)).flatten(1))


class FullyConnectedHead(nn.Sequential):
    """The classifier of AlexNet and VGG: (N, c_in, side, side) -> 4096 -> 4096 -> classes, dropout
    50%."""

    def __init__(self, c_in, side, classes=1000, hidden=4096):
        super().__init__(
            OrderedDict(
                flatten=nn.Flatten(),
                fc6=nn.Linear(c_in * side * side, hidden),
                relu6=nn.ReLU(),
                drop6=nn.Dropout(0.5),
                fc7=nn.Linear(hidden, hidden),
                relu7=nn.ReLU(),
                drop7=nn.Dropout(0.5),
                fc8=nn.Linear(hidden, classes),
            )
        )
