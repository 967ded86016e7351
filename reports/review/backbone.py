"""The backbone of the worked review: a classifier of Inception modules, and two proposals.

Each function builds one version, in evaluation mode, for images of 3x224x224.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

# outputs of the branches 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool; stages 3 to 5
STAGES = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def conv(c_in: int, c_out: int, kernel: int | tuple[int, int], stride: int = 1) -> nn.Sequential:
    """Convolution of "same" padding, batch norm, ReLU."""
    size = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (size[0] // 2, size[1] // 2)
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, size, stride, padding, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )


def square(c_in: int, c_out: int) -> nn.Module:
    """The 3x3 convolution of a module as it is today."""
    return conv(c_in, c_out, 3)


def asymmetric_pair(c_in: int, c_out: int) -> nn.Module:
    """1x3 at the width of the input, then 3x1: two thirds of the multiply-adds of a 3x3 at most,
    and fewer where the input is the narrower side."""
    return nn.Sequential(conv(c_in, c_in, (1, 3)), conv(c_in, c_out, (3, 1)))


class Module(nn.Module):
    """Four branches, concatenated: (N, c_in, H, W) -> (N, c_out, H, W)."""

    def __init__(
        self, c_in: int, widths: tuple[int, ...], conv3: Callable[[int, int], nn.Module] = square
    ):
        super().__init__()
        n1, reduce3, n3, reduce5, n5, n_pool = widths
        self.one = conv(c_in, n1, 1)
        self.three = nn.Sequential(conv(c_in, reduce3, 1), conv3(reduce3, n3))
        self.five = nn.Sequential(conv(c_in, reduce5, 1), conv(reduce5, n5, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(c_in, n_pool, 1))
        self.c_out = n1 + n3 + n5 + n_pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class Backbone(nn.Module):
    """(N, 3, 224, 224) -> (N, classes) logits.

    Args:
        reduce3: what the outputs of the 1x1 convolutions before the 3x3 are multiplied by.
        conv3: builds the 3x3 of the modules of stage 4.
    """

    def __init__(
        self,
        classes: int = 1000,
        *,
        reduce3: float = 1.0,
        conv3: Callable[[int, int], nn.Module] = square,
    ):
        super().__init__()
        self.stem = nn.Sequential(
            conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1), conv(64, 64, 1), conv(64, 192, 3)
        )
        channels, stages = 192, []
        for number, stage in enumerate(STAGES, 3):
            modules: list[nn.Module] = [nn.MaxPool2d(3, 2, 1)]
            for widths in stage:
                scaled = (widths[0], round(reduce3 * widths[1]), *widths[2:])
                module = Module(channels, scaled, conv3 if number == 4 else square)
                modules.append(module)
                channels = module.c_out
            stages.append(nn.Sequential(*modules))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stages(self.stem(x)))


def base() -> nn.Module:
    """The backbone in use."""
    return Backbone().eval()


def asymmetric() -> nn.Module:
    """Proposal A: in stage 4 each 3x3 becomes a 1x3 and a 3x1."""
    return Backbone(conv3=asymmetric_pair).eval()


def narrow() -> nn.Module:
    """Proposal B: three quarters of the channels before each 3x3."""
    return Backbone(reduce3=0.75).eval()
