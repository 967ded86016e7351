"""GoogLeNet as *Going Deeper with Convolutions* (Szegedy et al., arXiv 1409.4842) prints it in Table 1; 224x224 RGB.

The paper leaves padding open: pools are 3x3/2 with ceil rounding, as in the authors' Caffe model, which gives Table 1's
grids. The stem is a plain 7x7 (Table 1's 2.7K/34M fit only a separable one). No batch norm: 2014 had none.
"""
from __future__ import annotations

import torch
from torch import nn

# c_in, #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj: Table 1
_TABLE1 = {
    "3a": (192, 64, 96, 128, 16, 32, 32), "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64), "4b": (512, 160, 112, 224, 24, 64, 64), "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64), "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128), "5b": (832, 384, 192, 384, 48, 128, 128),
}


def _conv(c_in, c_out, k, stride=1):
    return nn.Sequential(nn.Conv2d(c_in, c_out, k, stride, k // 2), nn.ReLU())


class Inception(nn.Module):
    """The module of Figure 2(b): (N, c_in, H, W) -> (N, n1 + n3 + n5 + proj, H, W)."""

    def __init__(self, c_in, n1, n3r, n3, n5r, n5, proj):
        super().__init__()
        self.branch1 = _conv(c_in, n1, 1)
        self.branch2 = nn.Sequential(_conv(c_in, n3r, 1), _conv(n3r, n3, 3))
        self.branch3 = nn.Sequential(_conv(c_in, n5r, 1), _conv(n5r, n5, 5))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), _conv(c_in, proj, 1))

    def forward(self, x):
        return torch.cat((self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)), 1)


class AuxiliaryHead(nn.Module):
    """Section 5: average pool 5x5/3, 1x1 convolution to 128, 1024 units, dropout 70%, classifier. (N, c, 14, 14) in."""

    def __init__(self, c_in, classes):
        super().__init__()
        self.pool, self.conv = nn.AvgPool2d(5, 3), _conv(c_in, 128, 1)
        self.fc1, self.dropout, self.fc2 = nn.Linear(2048, 1024), nn.Dropout(0.7), nn.Linear(1024, classes)

    def forward(self, x):
        return self.fc2(self.dropout(torch.relu(self.fc1(self.conv(self.pool(x)).flatten(1)))))


class GoogLeNet(nn.Module):
    """Table 1: (N, 3, 224, 224) -> (N, classes) probabilities; with `aux` and in training also both heads' logits."""

    def __init__(self, classes=1000, aux=False):
        super().__init__()
        pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)  # noqa: E731
        lrn = lambda: nn.LocalResponseNorm(5, 1e-4, 0.75)  # noqa: E731
        self.conv1, self.pool1, self.norm1 = _conv(3, 64, 7, 2), pool(), lrn()
        self.conv2, self.norm2, self.pool2 = nn.Sequential(_conv(64, 64, 1), _conv(64, 192, 3)), lrn(), pool()
        for name, widths in _TABLE1.items():
            setattr(self, f"inception{name}", Inception(*widths))
        self.pool3, self.pool4 = pool(), pool()
        self.aux1, self.aux2 = (AuxiliaryHead(512, classes), AuxiliaryHead(528, classes)) if aux else (None, None)
        self.avgpool, self.dropout = nn.AvgPool2d(7, 1), nn.Dropout(0.4)
        self.fc, self.softmax = nn.Linear(1024, classes), nn.Softmax(1)

    def forward(self, x):
        x = self.norm1(self.pool1(self.conv1(x)))
        x = self.pool2(self.norm2(self.conv2(x)))
        x = self.pool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        heads = [self.aux1(x)] if self.aux1 is not None and self.training else []
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        if self.aux2 is not None and self.training:
            heads.append(self.aux2(x))
        x = self.pool4(self.inception4e(x))
        x = self.avgpool(self.inception5b(self.inception5a(x)))
        x = self.softmax(self.fc(self.dropout(x.flatten(1))))
        return (x, *heads) if heads else x


def googlenet(classes=1000, aux=False):
    """GoogLeNet, inference form unless `aux` keeps the two auxiliary classifiers (they run in training mode)."""
    return GoogLeNet(classes, aux).eval()
