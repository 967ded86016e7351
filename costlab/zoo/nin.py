"""*Network in Network* (Lin, Chen, Yan, arXiv 1312.4400): mlpconv layers and global average
pooling.

The paper prints no layer table; widths, kernels and pooling are those of the authors' Caffe models
(ImageNet at 224x224, CIFAR-10 at 32x32). Pools are 3x3/2 with ceil rounding, which gives the Caffe
grids.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from .modules import MlpConv

MlpBlock = tuple[tuple[int, ...], int, int, int]  # widths, kernel, stride, padding


class NIN(nn.Sequential):
    """(N, 3, H, W) -> (N, classes): `blocks` of (widths, kernel, stride, padding), each but the
    last followed by its pool."""

    def __init__(self, blocks: Sequence[MlpBlock], pools: Sequence[nn.Module]):
        layers, width = OrderedDict[str, nn.Module](), 3
        after = zip(blocks, [*pools, None], strict=True)
        for i, ((widths, k, stride, padding), pool) in enumerate(after, 1):
            layers[f"mlpconv{i}"] = MlpConv(width, widths, k, stride, padding)
            if pool is not None:
                layers |= {f"pool{i}": pool, f"drop{i}": nn.Dropout(0.5)}
            width = widths[-1]
        super().__init__(
            OrderedDict(
                layers, avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), softmax=nn.Softmax(1)
            )
        )


def nin(classes: int = 1000) -> NIN:
    """NIN for ImageNet, 224x224."""
    return NIN(
        [
            ((96, 96, 96), 11, 4, 0),
            ((256, 256, 256), 5, 1, 2),
            ((384, 384, 384), 3, 1, 1),
            ((1024, 1024, classes), 3, 1, 1),
        ],
        [nn.MaxPool2d(3, 2, ceil_mode=True) for _ in range(3)],
    ).eval()


def nin_cifar10(classes: int = 10) -> NIN:
    """NIN for CIFAR-10, 32x32: the second pool averages."""
    return NIN(
        [((192, 160, 96), 5, 1, 2), ((192, 192, 192), 5, 1, 2), ((192, 192, classes), 3, 1, 1)],
        [nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(3, 2, ceil_mode=True)],
    ).eval()
