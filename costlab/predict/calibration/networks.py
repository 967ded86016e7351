"""Small networks of random layers, to be measured whole: how much longer, or shorter, a network
takes than its kernels alone, and how far errors add up."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  the name that everybody knows it by


class _Added(nn.Module):
    """A layer, and what went into it added to what comes out."""

    def __init__(self, inner: nn.Module):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Both together."""
        return x + self.inner(x)


class _Side(nn.Module):
    """Branches of one input, joined by channels."""

    def __init__(self, *branches: nn.Module):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """All branches."""
        return torch.cat([branch(x) for branch in self.branches], 1)


class _Scaled(nn.Module):
    """Squeeze and excitation (Hu et al. 2018)."""

    def __init__(self, channels: int):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        inner = max(8, channels // 16)
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, inner, 1),
            nn.ReLU(),
            nn.Conv2d(inner, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The input, each channel scaled."""
        return x * self.scale(x)


class _Attention(nn.Module):
    """Self-attention of several heads."""

    def __init__(self, width: int, heads: int):
        super().__init__()  # pyright: ignore[reportUnknownMemberType] torch has no types here
        self.heads = heads
        self.inner, self.outer = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Of batch x tokens x width."""
        b, n, c = x.shape
        q, k, v = self.inner(x).view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(q, k, v)
        return self.outer(out.transpose(1, 2).reshape(b, n, c))


def _unit(inner: int, outer: int, kernel: Any, stride: int = 1, groups: int = 1) -> nn.Module:
    """A convolution, a batch norm, a ReLU."""
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = _half(sides)
    return nn.Sequential(
        nn.Conv2d(inner, outer, sides, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outer),
        nn.ReLU(),
    )


def _plain(draw: random.Random, width: int) -> nn.Module:
    kernel = draw.choice((3, 3, 5, (1, 7), (7, 1), (3, 1)))
    return nn.Sequential(
        nn.Conv2d(width, width, kernel, padding=_half(kernel)), draw.choice((nn.ReLU, nn.SiLU))()
    )


def _half(kernel: Any) -> Any:
    return kernel // 2 if isinstance(kernel, int) else tuple(side // 2 for side in kernel)


def _residual(draw: random.Random, width: int) -> nn.Module:
    inner = max(8, width // draw.choice((1, 2, 4)))
    return nn.Sequential(
        _Added(
            nn.Sequential(
                _unit(width, inner, 1),
                _unit(inner, inner, 3),
                nn.Conv2d(inner, width, 1, bias=False),
                nn.BatchNorm2d(width),
            )
        ),
        nn.ReLU(),
    )


def _inception(draw: random.Random, width: int) -> nn.Module:
    quarter = width // 4
    reduce = max(8, width // draw.choice((4, 8)))
    return _Side(
        _unit(width, quarter, 1),
        nn.Sequential(_unit(width, reduce, 1), _unit(reduce, quarter, 3)),
        nn.Sequential(_unit(width, reduce, 1), _unit(reduce, quarter, 5)),
        nn.Sequential(nn.MaxPool2d(3, 1, 1), _unit(width, width - 3 * quarter, 1)),
    )


def _separable(draw: random.Random, width: int) -> nn.Module:
    inner, kernel = width * draw.choice((1, 2, 4)), draw.choice((3, 5))
    middle = [_unit(inner, inner, kernel, groups=inner)]
    if draw.random() < 0.5:
        middle.append(_Scaled(inner))
    return _Added(
        nn.Sequential(
            _unit(width, inner, 1),
            *middle,
            nn.Conv2d(inner, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )
    )


_BLOCKS: tuple[Callable[[random.Random, int], nn.Module], ...] = (
    *(_plain, _residual, _residual, _inception, _inception, _separable),
)


def _encoder(draw: random.Random) -> tuple[nn.Module, Tensor]:
    """Layers of a transformer, and tokens."""
    heads = draw.choice((3, 4, 6, 8))
    width, tokens = 64 * heads, draw.choice((49, 128, 197, 256))
    layers: list[nn.Module] = []
    for _ in range(draw.randint(1, 3)):
        mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        layers += [
            _Added(nn.Sequential(nn.LayerNorm(width), _Attention(width, heads))),
            _Added(mlp),
        ]
    return nn.Sequential(*layers), torch.randn(draw.choice((1, 1, 4, 8)), tokens, width)


def _convolutional(draw: random.Random) -> tuple[nn.Module, Tensor]:
    """A stem, stages of blocks with a smaller grid and more channels each, a head; and images."""
    width = draw.choice((16, 24, 32, 48, 64, 96))
    layers: list[nn.Module] = [_unit(3, width, draw.choice((3, 7)), 2)]
    for stage in range(draw.randint(2, 3)):
        if stage:
            wider = min(512, width * draw.choice((1, 2)))
            layers += [nn.MaxPool2d(2), _unit(width, wider, draw.choice((1, 3)))]
            width = wider
        block = draw.choice(_BLOCKS)
        layers += [block(draw, width) for _ in range(draw.randint(1, 2))]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 1000)]
    side = draw.choice((64, 96, 128, 160, 224))
    return nn.Sequential(*layers), torch.randn(draw.choice((1, 1, 2, 8)), 3, side, side)


def random_network(seed: int) -> tuple[nn.Module, Tensor]:
    """A network in evaluation mode and its input, on the CPU; the same for the same seed."""
    draw = random.Random(seed)
    with torch.random.fork_rng(devices=()):  # pyright: ignore[reportUnknownMemberType] torch has no types here
        torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType] nor here
        make = _encoder if draw.random() < 0.25 else _convolutional
        model, inputs = make(draw)
    return model.eval(), inputs
