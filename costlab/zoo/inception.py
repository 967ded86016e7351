"""Inception-v2 and Inception-v3: *Rethinking the Inception Architecture* (Szegedy et al., arXiv
1512.00567); 299x299.

Inception-v2 is the paper's Table 1 read literally. Its figures print no filter counts, so those of
TF-slim's Inception-v3 are ASSUMED: Figure 5 modules 64 / 48-64 / 64-96-96 / 64 (3x3 where slim has
5x5, as the figure draws); Figure 6 modules with 128, 160, 160, 160, 192 inside and 192 out (slim
has four of them, the table five: 160 is taken once more); Figure 7 modules 320 / 384 / 448-384 /
192. The 35 -> 17 and 17 -> 8 reductions stand between the groups, and are TF-slim's, whose widths
are public. They are not what Figure 10 draws: `DEVIATIONS` has each place where a module of
`inception_v2` is not the paper's drawing, and the notes of its table say what each one changes.
`inception_v2_as_drawn` is the same network with all of them as drawn. Inception-v3 is TF-slim's
(and torchvision's) network; the published v3 differs from Table 1, see `costlab compare`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import nn

from .deviation import Deviation
from .modules import (
    Conv,
    DoubleInception,
    ExpandedInception,
    FactorizedInception,
    InceptionModule,
    ReductionA,
    ReductionB,
)

# makes a block for so many input channels
BlockFactory = Callable[[int], InceptionModule]


class _Inception(nn.Module):
    """`stem` to `width` channels, then `blocks`: a factory of the input's channels by name; an
    auxiliary head after the block named `aux`, which runs in training."""

    def __init__(
        self,
        stem: Sequence[nn.Module],
        width: int,
        blocks: Mapping[str, BlockFactory],
        aux: str | None,
        classes: int,
    ):
        super().__init__()
        self.stem = nn.Sequential(*stem)
        self._blocks = tuple(blocks)
        for name, make in blocks.items():
            block = make(width)
            self.add_module(name, block)
            if name == aux:
                self.aux = V3AuxiliaryHead(block.c_out, classes)
            width = block.c_out
        self._aux = aux
        self.avgpool, self.dropout = nn.AvgPool2d(8, 1), nn.Dropout(0.2)
        self.fc, self.softmax = nn.Linear(width, classes), nn.Softmax(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        x, side = self.stem(x), None
        for name in self._blocks:
            x = self.get_submodule(name)(x)
            if name == self._aux and self.training:
                side = self.aux(x)
        x = self.softmax(self.fc(self.dropout(self.avgpool(x).flatten(1))))
        return x if side is None else (x, side)


class V3AuxiliaryHead(nn.Sequential):
    """Figure 8, on the last 17x17 grid: average pool 5x5/3, 1x1 to 128, 5x5 to 768 (as a fully
    connected layer), classifier."""

    def __init__(self, c_in: int, classes: int = 1000):
        super().__init__(
            nn.AvgPool2d(5, 3),
            Conv(c_in, 128, 1, norm=True),
            Conv(128, 768, 5, padding=0, norm=True),
            nn.Flatten(),
            nn.Linear(768, classes),
        )


def _figure5(proj: int, k: int = 5) -> BlockFactory:
    return lambda c: DoubleInception(c, 64, 48, 64, (64, 96, 96), proj, k=k)


def _figure6(mid: int, across_first: bool = False) -> BlockFactory:
    return lambda c: FactorizedInception(c, mid, across_first=across_first)


# Figure 10 of Rethinking on each grid. The 1x1 that slim leaves out at 35 -> 17 is ASSUMED to be as
# wide as the one beside it, as slim has it at 17 -> 8.
_DRAWN_35_TO_17 = partial(ReductionA, n3r=64)
_DRAWN_17_TO_8 = partial(ReductionA, n3=320, double=(192, 192, 192), n3r=192)

DEVIATIONS = {
    "inception_v2": (
        Deviation(
            "reduction1 has no 1x1 before its lone 3x3/2; Figure 10 draws one "
            "(64 filters assumed, as in the branch beside it)",
            partial(ReductionA, 288),
            partial(_DRAWN_35_TO_17, 288),
            (1, 288, 35, 35),
        ),
        Deviation(
            "reduction2 has 1x7 and 7x1 where Figure 10 draws a 3x3",
            partial(ReductionB, 768),
            partial(_DRAWN_17_TO_8, 768),
            (1, 768, 17, 17),
        ),
        Deviation(
            "the longer branch of the Figure 6 modules begins with 7x1; Figure 6 draws 1x7 first",
            partial(FactorizedInception, 768, 160),
            partial(FactorizedInception, 768, 160, across_first=True),
            (1, 768, 17, 17),
        ),
    )
}


def inception_v2(classes: int = 1000, as_drawn: bool = False) -> nn.Module:
    """Table 1 of Rethinking: (N, 3, 299, 299) -> (N, classes).

    Filter counts inside the modules are assumed, see the top of this file. `as_drawn`: the
    reductions of Figure 10 and the order of Figure 6 (`DEVIATIONS`)."""
    reduce_35, reduce_17 = (
        (_DRAWN_35_TO_17, _DRAWN_17_TO_8) if as_drawn else (ReductionA, ReductionB)
    )
    stem = [
        Conv(3, 32, 3, 2, 0, norm=True),
        Conv(32, 32, 3, 1, 0, norm=True),
        Conv(32, 64, 3, norm=True),
        nn.MaxPool2d(3, 2),
        Conv(64, 80, 3, 1, 0, norm=True),
        Conv(80, 192, 3, 2, 0, norm=True),
        Conv(192, 288, 3, norm=True),
    ]
    blocks: dict[str, BlockFactory] = (
        {f"figure5_{i}": _figure5(64, 3) for i in (1, 2, 3)}
        | {"reduction1": reduce_35}
        | {
            f"figure6_{i}": _figure6(mid, as_drawn)
            for i, mid in enumerate((128, 160, 160, 160, 192), 1)
        }
        | {"reduction2": reduce_17}
        | {f"figure7_{i}": ExpandedInception for i in (1, 2)}
    )
    return _Inception(stem, 288, blocks, None, classes).eval()


def inception_v3(classes: int = 1000, aux: bool = False) -> nn.Module:
    """TF-slim's Inception-v3: (N, 3, 299, 299) -> (N, classes); with `aux`, in training, also the
    head's logits."""
    stem = [
        Conv(3, 32, 3, 2, 0, norm=True),
        Conv(32, 32, 3, 1, 0, norm=True),
        Conv(32, 64, 3, norm=True),
        nn.MaxPool2d(3, 2),
        Conv(64, 80, 1, norm=True),
        Conv(80, 192, 3, 1, 0, norm=True),
        nn.MaxPool2d(3, 2),
    ]
    blocks: dict[str, BlockFactory] = {
        "mixed_5b": _figure5(32),
        "mixed_5c": _figure5(64),
        "mixed_5d": _figure5(64),
        "mixed_6a": ReductionA,
        "mixed_6b": _figure6(128),
        "mixed_6c": _figure6(160),
        "mixed_6d": _figure6(160),
        "mixed_6e": _figure6(192),
        "mixed_7a": ReductionB,
        "mixed_7b": ExpandedInception,
        "mixed_7c": ExpandedInception,
    }
    return _Inception(stem, 192, blocks, "mixed_6e" if aux else None, classes).eval()
