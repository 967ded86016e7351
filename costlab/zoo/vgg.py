"""VGG: *Very Deep Convolutional Networks* (Simonyan, Zisserman, arXiv 1409.1556), Table 1, configurations A, B, D, E; 224x224."""
from __future__ import annotations

from torch import nn

from .modules import Conv, FullyConnectedHead

# convolutions a stage, each 3x3; stage widths are 64, 128, 256, 512, 512
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(depth=16, classes=1000):
    """(N, 3, 224, 224) -> (N, classes). Raises KeyError for a depth other than 11, 13, 16, 19."""
    layers, width = [], 3
    for count, out in zip(DEPTHS[depth], (64, 128, 256, 512, 512)):
        for _ in range(count):
            layers.append(Conv(width, out, 3))
            width = out
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, FullyConnectedHead(512, 7, classes)).eval()
