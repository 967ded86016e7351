"""The rewrites of a convolution, what they cost by arithmetic, and below which width they save."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import nn

from ..._spelling import choice


@dataclass(frozen=True)
class Conv:
    """A convolution's geometry: channels, kernel (h, w), stride, padding in elements, groups, with
    a bias or not."""

    c_in: int
    c_out: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    bias: bool = False
    groups: int = 1

    @property
    def is_square(self) -> bool:
        """Whether the kernel is as high as it is wide."""
        return self.kernel[0] == self.kernel[1]

    @property
    def weights(self) -> int:
        """Elements of the weight."""
        return self.c_in // self.groups * self.c_out * self.kernel[0] * self.kernel[1]

    def grid(self, grid: tuple[int, int]) -> tuple[int, int]:
        """The output's height and width on an input of `grid`."""
        sides = zip(grid, self.padding, self.kernel, self.stride, strict=True)
        h, w = ((g + 2 * p - k) // s + 1 for g, p, k, s in sides)
        return h, w

    def build(self) -> nn.Conv2d:
        """The module."""
        return nn.Conv2d(
            self.c_in,
            self.c_out,
            self.kernel,
            self.stride,
            self.padding,
            groups=self.groups,
            bias=self.bias,
        )


@dataclass(frozen=True)
class Rewrite:
    """A form of a convolution. `eligible(conv)`: whether it can be had; `layers(conv, mid)`: the
    convolutions that replace it, `mid` channels wide between; `default_mid(conv)`: that width."""

    name: str
    words: str
    eligible: Callable[[Conv], bool]
    layers: Callable[[Conv, int], list[Conv]]
    default_mid: Callable[[Conv], int]


def _stacked(conv: Conv, mid: int) -> list[Conv]:
    """k x k as (k - 1) / 2 of 3x3. The padding is shared out from the front and the stride is the
    last one's, so that the receptive field stays k."""
    n = (conv.kernel[0] - 1) // 2
    widths = [conv.c_in, *[mid] * (n - 1), conv.c_out]
    ph, pw = conv.padding
    return [
        Conv(
            widths[i],
            widths[i + 1],
            (3, 3),
            conv.stride if i == n - 1 else (1, 1),
            (int(i < ph), int(i < pw)),
            conv.bias,
        )
        for i in range(n)
    ]


def _pair(conv: Conv, mid: int) -> list[Conv]:
    """k x k as 1 x k, then k x 1."""
    (h, w), (sh, sw), (ph, pw) = conv.kernel, conv.stride, conv.padding
    return [
        Conv(conv.c_in, mid, (1, w), (1, sw), (0, pw), conv.bias),
        Conv(mid, conv.c_out, (h, 1), (sh, 1), (ph, 0), conv.bias),
    ]


def _separable(conv: Conv, mid: int) -> list[Conv]:
    """k x k in each channel, then 1x1; `mid` is the width of the input."""
    c = conv.c_in
    return [
        Conv(c, c, conv.kernel, conv.stride, conv.padding, bias=False, groups=c),
        Conv(c, conv.c_out, (1, 1), bias=conv.bias),
    ]


def _bottleneck(conv: Conv, mid: int) -> list[Conv]:
    """1x1 to `mid` channels, k x k, 1x1."""
    return [
        Conv(conv.c_in, mid, (1, 1), bias=conv.bias),
        Conv(mid, mid, conv.kernel, conv.stride, conv.padding, conv.bias),
        Conv(mid, conv.c_out, (1, 1), bias=conv.bias),
    ]


def _stacks(conv: Conv) -> bool:
    k = conv.kernel[0]
    return conv.is_square and k >= 5 and k % 2 == 1 and max(conv.padding) <= k // 2


_ALL = (
    Rewrite(
        "stacked-3x3",
        "k x k as (k - 1) / 2 convolutions 3x3",
        _stacks,
        _stacked,
        lambda conv: conv.c_out,
    ),
    Rewrite(
        "1xn-nx1",
        "k x k as 1 x k and k x 1",
        lambda conv: conv.is_square and conv.kernel[0] >= 2,
        _pair,
        lambda conv: conv.c_out,
    ),
    Rewrite(
        "depthwise-separable",
        "k x k a channel, then 1x1",
        lambda conv: max(conv.kernel) >= 2 and conv.c_in > 1,
        _separable,
        lambda conv: conv.c_in,
    ),
    Rewrite(
        "bottleneck",
        "1x1 to a quarter, k x k, 1x1",
        lambda conv: max(conv.kernel) >= 2 and conv.c_out >= 8,
        _bottleneck,
        lambda conv: max(1, conv.c_out // 4),
    ),
)
REWRITES = {r.name: r for r in _ALL}


def require_known(rewrites: Iterable[str] | None) -> None:
    """Raise ValueError for a name that is not a rewrite."""
    for name in rewrites or ():
        if name not in REWRITES:
            raise ValueError(f"unknown rewrite {name!r}{choice(name, REWRITES)}")


def build(conv: Conv, rewrite: str, mid: int) -> nn.Sequential:
    """The module that replaces `conv`: its convolutions with a ReLU between (*Rethinking*,
    Section 3.1)."""
    layers: list[nn.Module] = []
    for one in REWRITES[rewrite].layers(conv, mid):
        layers += [one.build(), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def predict(conv: Conv, rewrite: str | None, mid: int, grid: tuple[int, int]) -> tuple[int, int]:
    """(params, MACs) of the convolution, or of its rewrite, on an h x w grid, by arithmetic."""
    params = macs = 0
    for one in REWRITES[rewrite].layers(conv, mid) if rewrite else [conv]:
        grid = one.grid(grid)
        params += one.weights + (one.c_out if one.bias else 0)
        macs += one.weights * grid[0] * grid[1]
    return params, macs


def break_even(c_in: int, c_out: int, k: int = 5) -> float:
    """The middle width at which stacked 3x3 cost as much as k x k; below it they save.

    For k = 5 it is 25 c_in c_out / (9 (c_in + c_out)); for n > 2 layers the root m of
    9 ((n - 2) m^2 + (c_in + c_out) m) = k^2 c_in c_out. Raises ValueError for a kernel that is not
    odd and at least 5."""
    if k < 5 or k % 2 == 0:
        raise ValueError(
            f"a {k}x{k} convolution cannot be stacked 3x3; choose an odd kernel of at least 5"
        )
    n, b, c = (k - 1) // 2, c_in + c_out, k * k * c_in * c_out / 9
    return c / b if n == 2 else (-b + math.sqrt(b * b + 4 * (n - 2) * c)) / (2 * (n - 2))


@dataclass(frozen=True)
class Curve:
    """MACs of stacked 3x3 over those of k x k, by middle width; `even` is the break-even width."""

    c_in: int
    c_out: int
    kernel: int
    mids: tuple[int, ...]
    ratios: tuple[float, ...]
    even: float


def curve(c_in: int, c_out: int, k: int = 5) -> Curve:
    """The break-even curve from one channel to twice the wider side."""
    conv = Conv(c_in, c_out, (k, k), padding=(k // 2, k // 2))
    whole = predict(conv, None, 0, (28, 28))[1]
    mids = tuple(range(1, 2 * max(c_in, c_out) + 1))
    ratios = tuple(predict(conv, "stacked-3x3", m, (28, 28))[1] / whole for m in mids)
    return Curve(c_in, c_out, k, mids, ratios, break_even(c_in, c_out, k))
