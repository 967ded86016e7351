"""CNDS-8: *Training Deeper Convolutional Networks with Deep SuperVision* (Wang et al., arXiv
1505.02496); 227x227.

Layers are those of the authors' published prototxt: an eight-layer net with one supervision branch
after its fourth convolution (conv3_2, the paper's rule: where the mean gradient falls below 1e-7).
The branch is an average pool 5x5/2, a 1x1 to 64, and two hidden layers of 1024; it runs in training
only. Pools round their grid up, as Caffe does.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .modules import AuxiliaryHead, Conv, FullyConnectedHead


class CNDS8(nn.Module):
    """(N, 3, 227, 227) -> (N, classes); with `aux`, in training, also the branch's logits."""

    def __init__(self, classes: int = 1000, aux: bool = False):
        super().__init__()

        def pool() -> nn.MaxPool2d:
            return nn.MaxPool2d(2, 2, ceil_mode=True)

        self.conv1, self.pool1 = Conv(3, 64, 7, 2, 1), nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.pool2 = Conv(64, 128, 3), pool()
        self.conv3_1, self.conv3_2, self.pool3 = Conv(128, 256, 3), Conv(256, 256, 3), pool()
        self.aux = _branch(classes) if aux else None
        self.conv4_1, self.conv4_2, self.pool4 = Conv(256, 512, 3), Conv(512, 512, 3), pool()
        self.conv5_1, self.conv5_2, self.pool5 = Conv(512, 512, 3), Conv(512, 512, 3), pool()
        self.head = FullyConnectedHead(512, 4, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        x = self.pool2(self.conv2(self.pool1(self.conv1(x))))
        x = self.conv3_2(self.conv3_1(x))
        side = self.aux(x) if self.aux is not None and self.training else None
        x = self.pool4(self.conv4_2(self.conv4_1(self.pool3(x))))
        x = self.head(self.pool5(self.conv5_2(self.conv5_1(x))))
        return x if side is None else (x, side)


def _branch(classes: int) -> AuxiliaryHead:
    """The supervision branch on the 28x28 grid of conv3_2; its pool gives 13x13."""
    return AuxiliaryHead(
        256,
        classes,
        grid=28,
        pool=(5, 2),
        ceil=True,
        filters=64,
        hidden=(1024, 1024),
        dropout=0.5,
    )


def cnds8(**arguments: Any) -> CNDS8:
    """CNDS-8 in evaluation mode; the arguments are `CNDS8`'s."""
    return CNDS8(**arguments).eval()
