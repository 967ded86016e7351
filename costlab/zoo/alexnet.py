"""AlexNet: *ImageNet Classification with Deep CNNs* (Krizhevsky, Sutskever, Hinton, NIPS 2012),
Section 3.5.

The paper says 224x224, but only 227x227 (or padding) gives its 55x55 grid: inputs are 227x227. Two
GPUs are `groups` 2 in conv2, conv4 and conv5; `groups` 1 is the single-tower reading. `widths` and
`padding` also give the one-weird-trick model that torchvision has.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .modules import Conv, FullyConnectedHead


class AlexNet(nn.Module):
    """(N, 3, 227, 227) -> (N, classes).

    `widths` are the filters of the five convolutions, `padding` that of conv1. With `lrn`, local
    response norm after conv1 and conv2 (Section 3.3)."""

    def __init__(
        self,
        classes: int = 1000,
        groups: int = 2,
        widths: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256),
        padding: int = 0,
        lrn: bool = True,
    ):
        super().__init__()
        a, b, c, d, e = widths

        def norm() -> nn.Module:
            return nn.LocalResponseNorm(5, 1e-4, 0.75, 2.0) if lrn else nn.Identity()

        self.conv1, self.norm1, self.pool1 = Conv(3, a, 11, 4, padding), norm(), nn.MaxPool2d(3, 2)
        self.conv2, self.norm2 = Conv(a, b, 5, groups=groups), norm()
        self.pool2 = nn.MaxPool2d(3, 2)
        self.conv3 = Conv(b, c, 3)
        self.conv4 = Conv(c, d, 3, groups=groups)
        self.conv5 = Conv(d, e, 3, groups=groups)
        self.pool5, self.head = nn.MaxPool2d(3, 2), FullyConnectedHead(e, 6, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool1(self.norm1(self.conv1(x)))
        x = self.pool2(self.norm2(self.conv2(x)))
        return self.head(self.pool5(self.conv5(self.conv4(self.conv3(x)))))


def alexnet(**arguments: Any) -> AlexNet:
    """AlexNet in evaluation mode; the arguments are `AlexNet`'s."""
    return AlexNet(**arguments).eval()
