"""GoogLeNet as *Going Deeper with Convolutions* (Szegedy et al., arXiv 1409.4842) prints it in
Table 1; 224x224 RGB.

The paper leaves padding open: pools are 3x3/2 with ceil rounding, as in the authors' Caffe model,
which gives Table 1's grids. The stem is a plain 7x7 (Table 1's 2.7K/34M fit only a separable one:
`separable=True`, with the depth multiplier 8 that *Batch Normalization* states for its own stem).
No batch norm: 2014 had none.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .modules import AuxiliaryHead, Conv, Inception, NaiveInception, SeparableConv

# #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj: Table 1
TABLE1 = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class GoogLeNet(nn.Module):
    """(N, 3, 224, 224) -> (N, classes) probabilities; with `aux`, in training, also both heads'
    logits (after 4a and 4d).

    `separable`: the stem as a separable 7x7. `naive`: modules of Figure 2(a), without 1x1
    reductions, whose pools pass all channels on. `norm`: batch norm after each convolution, and
    `k5`: the third branch's kernel (torchvision has 3)."""

    def __init__(
        self,
        classes: int = 1000,
        aux: bool = False,
        separable: bool = False,
        naive: bool = False,
        norm: bool = False,
        k5: int = 5,
    ):
        super().__init__()

        def pool() -> nn.MaxPool2d:
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        def lrn() -> nn.Module:
            return nn.Identity() if norm else nn.LocalResponseNorm(5, 1e-4, 0.75)

        self.conv1 = SeparableConv(3, 64, 7, 2) if separable else Conv(3, 64, 7, 2, norm=norm)
        self.pool1, self.norm1 = pool(), lrn()
        self.conv2 = nn.Sequential(Conv(64, 64, 1, norm=norm), Conv(64, 192, 3, norm=norm))
        self.norm2, self.pool2 = lrn(), pool()
        c_in, width = 192, dict[str, int]()
        for name, widths in TABLE1.items():
            n1, _, n3, _, n5, _ = widths
            block = (
                NaiveInception(c_in, n1, n3, n5)
                if naive
                else Inception(c_in, *widths, norm=norm, k5=k5)
            )
            self.add_module(f"inception{name}", block)
            c_in = width[name] = block.c_out
        # torchvision's variant pools 2x2 before 5a; with ceil rounding the grids are the same
        self.pool3, self.pool4 = pool(), nn.MaxPool2d(2, 2) if norm else pool()
        self.aux1 = AuxiliaryHead(width["4a"], classes, norm=norm) if aux else None
        self.aux2 = AuxiliaryHead(width["4d"], classes, norm=norm) if aux else None
        self.avgpool, self.dropout = nn.AvgPool2d(7, 1), nn.Dropout(0.4)
        self.fc, self.softmax = nn.Linear(width["5b"], classes), nn.Softmax(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        x = self.norm1(self.pool1(self.conv1(x)))
        x = self.pool2(self.norm2(self.conv2(x)))
        x = self.pool3(self._inceptions(x, "3a", "3b"))
        x = self._inceptions(x, "4a")
        heads = [self.aux1(x)] if self.aux1 is not None and self.training else []
        x = self._inceptions(x, "4b", "4c", "4d")
        if self.aux2 is not None and self.training:
            heads.append(self.aux2(x))
        x = self.pool4(self._inceptions(x, "4e"))
        x = self.avgpool(self._inceptions(x, "5a", "5b"))
        x = self.softmax(self.fc(self.dropout(x.flatten(1))))
        return (x, *heads) if heads else x

    def _inceptions(self, x: torch.Tensor, *names: str) -> torch.Tensor:
        """`x` through the modules of these names in Table 1."""
        for name in names:
            x = self.get_submodule(f"inception{name}")(x)
        return x


def googlenet(**arguments: Any) -> GoogLeNet:
    """GoogLeNet in evaluation mode; the arguments are `GoogLeNet`'s."""
    return GoogLeNet(**arguments).eval()
