"""Convolutions with their activations, and branches joined over channels."""

from __future__ import annotations

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

    def __init__(
        self,
        c_in: int,
        c_out: int,
        k: int,
        stride: int = 1,
        multiplier: int = 8,
        norm: bool = False,
    ):
        super().__init__(
            nn.Conv2d(c_in, c_in * multiplier, k, stride, k // 2, groups=c_in, bias=False),
            Conv(c_in * multiplier, c_out, 1, norm=norm),
        )
        self.c_out = c_out


class MlpConv(nn.Sequential):
    """*Network in Network*, Section 3.1: an MLP that slides over the image.

    A k x k convolution, then 1x1 convolutions; `widths` are their filters."""

    def __init__(
        self,
        c_in: int,
        widths: tuple[int, ...],
        k: int,
        stride: int = 1,
        padding: int | None = None,
    ):
        hidden = (Conv(a, b, 1) for a, b in pairwise(widths))
        super().__init__(Conv(c_in, widths[0], k, stride, padding), *hidden)
        self.c_out = widths[-1]


class Concat(nn.Module):
    """Branches side by side, joined over channels."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class InceptionModule(nn.Module):
    """Branches under their names, joined over channels to `c_out`."""

    def __init__(self, c_out: int, **branches: nn.Module):
        super().__init__()
        self.c_out = c_out
        for name, branch in branches.items():
            self.add_module(name, branch)
        self._order = tuple(branches)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.get_submodule(name)(x) for name in self._order], 1)
