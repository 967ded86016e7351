"""ZFNet: *Visualizing and Understanding Convolutional Networks* (Zeiler, Fergus, arXiv 1311.2901),
Figure 3; 224x224.

Figure 3's grids (110, 55, 26, 13, 13, 13, 6) need padding 1 at the 7x7/2 and at the first two
pools; no contrast norm cost is stated, so none is built. `widths` (512, 1024, 512) is the larger
model of the paper's Table 2.
"""

from __future__ import annotations

from torch import nn

from .modules import Conv, FullyConnectedHead


def zfnet(classes: int = 1000, widths: tuple[int, int, int] = (384, 384, 256)) -> nn.Sequential:
    """(N, 3, 224, 224) -> (N, classes); `widths` of conv3, conv4, conv5."""
    c, d, e = widths
    return nn.Sequential(
        Conv(3, 96, 7, 2, 1),
        nn.MaxPool2d(3, 2, 1),
        Conv(96, 256, 5, 2, 0),
        nn.MaxPool2d(3, 2, 1),
        Conv(256, c, 3),
        Conv(c, d, 3),
        Conv(d, e, 3),
        nn.MaxPool2d(3, 2),
        FullyConnectedHead(e, 6, classes),
    ).eval()
