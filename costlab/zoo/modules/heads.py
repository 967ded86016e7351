"""Classifiers: auxiliary ones, and those of AlexNet and VGG."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from .layers import Conv


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

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.conv(self.pool(x)).flatten(1))


class FullyConnectedHead(nn.Sequential):
    """The classifier of AlexNet and VGG: (N, c_in, side, side) -> 4096 -> 4096 -> classes, dropout
    50%."""

    def __init__(self, c_in: int, side: int, classes: int = 1000, hidden: int = 4096):
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
