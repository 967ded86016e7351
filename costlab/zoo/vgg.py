"""VGG: *Very Deep Convolutional Networks* (Simonyan, Zisserman, arXiv 1409.1556), Table 1,
configurations A, B, D, E; 224x224."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from .modules import Conv, FullyConnectedHead

# convolutions a stage, each 3x3; stage widths are 64, 128, 256, 512, 512
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(depth: int = 16, classes: int = 1000) -> nn.Sequential:
    """(N, 3, 224, 224) -> (N, classes). Raises KeyError for a depth other than 11, 13, 16, 19."""
    layers, width = dict[str, nn.Module](), 3
    stages = zip(DEPTHS[depth], (64, 128, 256, 512, 512), strict=True)
    for stage, (count, out) in enumerate(stages, 1):
        for i in range(1, count + 1):
            layers[f"conv{stage}_{i}"] = Conv(width, out, 3)
            width = out
        layers[f"pool{stage}"] = nn.MaxPool2d(2)
    return nn.Sequential(OrderedDict(layers, head=FullyConnectedHead(512, 7, classes))).eval()
