"""BN-Inception: *Batch Normalization* (Ioffe, Szegedy, arXiv 1502.03167), Figure 5 of the appendix;
224x224.

The cells are as printed, although 4c and 4d add up to 608 channels and not the printed 576: 4d, 4e
and 5a see 608 and 1056. `slim=True` takes TF-slim's pool projection 96 in both, which gives 576.
The printed output of 3c and 4e is their input grid. Where only the last of two 3x3 is printed, the
first has the same width. Stem: separable 7x7/2, depth multiplier 8.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .modules import Conv, DoubleInception, SeparableConv

# #1x1, #3x3 reduce, #3x3, double #3x3 reduce, double #3x3, pool,
# pool proj (0: pass through), stride
FIGURE5 = {
    "3a": (64, 64, 64, 64, 96, "avg", 32, 1),
    "3b": (64, 64, 96, 64, 96, "avg", 64, 1),
    "3c": (0, 128, 160, 64, 96, "max", 0, 2),
    "4a": (224, 64, 96, 96, 128, "avg", 128, 1),
    "4b": (192, 96, 128, 96, 128, "avg", 128, 1),
    "4c": (160, 128, 160, 128, 160, "avg", 128, 1),
    "4d": (96, 128, 192, 160, 192, "avg", 128, 1),
    "4e": (0, 128, 192, 192, 256, "max", 0, 2),
    "5a": (352, 192, 320, 160, 224, "avg", 128, 1),
    "5b": (352, 192, 320, 192, 224, "max", 128, 1),
}


class BNInception(nn.Module):
    """(N, 3, 224, 224) -> (N, classes)."""

    def __init__(self, classes: int = 1000, slim: bool = False):
        super().__init__()
        self.conv1 = SeparableConv(3, 64, 7, 2, norm=True)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = nn.Sequential(Conv(64, 64, 1, norm=True), Conv(64, 192, 3, norm=True))
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        width = 192
        for name, (n1, n3r, n3, d3r, d3, kind, proj, stride) in FIGURE5.items():
            proj = 96 if slim and name in ("4c", "4d") else proj
            block = DoubleInception(
                width, n1, n3r, n3, (d3r, d3, d3), proj, pool=kind, stride=stride
            )
            self.add_module(f"inception{name}", block)
            width = block.c_out
        self.avgpool, self.fc = nn.AvgPool2d(7, 1), nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool2(self.conv2(self.pool1(self.conv1(x))))
        for name in FIGURE5:
            x = self.get_submodule(f"inception{name}")(x)
        return self.fc(self.avgpool(x).flatten(1))


def bn_inception(**arguments: Any) -> BNInception:
    """BN-Inception in evaluation mode; the arguments are `BNInception`'s."""
    return BNInception(**arguments).eval()
