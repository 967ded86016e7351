"""ResNet: *Deep Residual Learning* (He et al., arXiv 1512.03385), Table 1; 224x224.

Projection shortcuts where the shape changes (option B). The paper strides in the bottleneck's first
1x1 (`stride_on` "1x1"); torchvision and later work stride in the 3x3. Stages are named as in Table
1: conv2_x ... conv5_x.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

DEPTHS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def _conv(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, k, stride, k // 2, bias=False), nn.BatchNorm2d(c_out)
    )


class Block(nn.Module):
    """Figure 5 left (3x3, 3x3) or, with `bottleneck`, right (1x1, 3x3, 1x1 to 4 times the width):
    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)."""

    def __init__(self, c_in: int, width: int, stride: int, bottleneck: bool, stride_on: str):
        super().__init__()
        self.c_out = 4 * width if bottleneck else width
        first, second = (stride, 1) if stride_on == "1x1" or not bottleneck else (1, stride)
        if bottleneck:
            self.body = nn.Sequential(
                _conv(c_in, width, 1, first),
                nn.ReLU(),
                _conv(width, width, 3, second),
                nn.ReLU(),
                _conv(width, self.c_out, 1),
            )
        else:
            self.body = nn.Sequential(
                _conv(c_in, width, 3, first), nn.ReLU(), _conv(width, width, 3)
            )
        self.shortcut = (
            nn.Identity()
            if stride == 1 and c_in == self.c_out
            else _conv(c_in, self.c_out, 1, stride)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


class ResNet(nn.Module):
    """(N, 3, 224, 224) -> (N, classes).

    Raises KeyError for an unknown depth, ValueError for an unknown `stride_on`."""

    conv2_x: nn.Sequential
    conv3_x: nn.Sequential
    conv4_x: nn.Sequential
    conv5_x: nn.Sequential

    def __init__(self, depth: int = 50, stride_on: str = "1x1", classes: int = 1000):
        super().__init__()
        if stride_on not in ("1x1", "3x3"):
            raise ValueError(f"stride_on is '1x1' or '3x3', not {stride_on!r}")
        self.conv1 = nn.Sequential(*_conv(3, 64, 7, 2), nn.ReLU())
        self.pool1 = nn.MaxPool2d(3, 2, 1)
        c = 64
        stages = zip(DEPTHS[depth], (64, 128, 256, 512), strict=True)
        for stage, (count, width) in enumerate(stages, 2):
            blocks: list[Block] = []
            for i in range(count):
                blocks.append(
                    Block(c, width, 2 if i == 0 and stage > 2 else 1, depth >= 50, stride_on)
                )
                c = blocks[-1].c_out
            self.add_module(f"conv{stage}_x", nn.Sequential(*blocks))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(c, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv5_x(self.conv4_x(self.conv3_x(self.conv2_x(self.pool1(self.conv1(x))))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet(**arguments: Any) -> ResNet:
    """ResNet in evaluation mode; the arguments are `ResNet`'s."""
    return ResNet(**arguments).eval()
