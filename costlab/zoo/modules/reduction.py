"""Grid reductions: from H x W to half of it."""

from __future__ import annotations

from torch import nn

from .inception import double_3x3, pool_3x3
from .layers import Conv, InceptionModule


class ReductionA(InceptionModule):
    """Rethinking, Figure 10: (N, c_in, H, W) -> (N, n3 + double[-1] + c_in, (H-1)//2, (W-1)//2).

    `n3r` None leaves out the 1x1 before the stride-2 3x3, as Inception-v3's code does."""

    def __init__(
        self,
        c_in: int,
        n3: int = 384,
        double: tuple[int, int, int] = (64, 96, 96),
        n3r: int | None = None,
        norm: bool = True,
    ):
        first = [Conv(c_in, n3r, 1, norm=norm)] if n3r else []
        super().__init__(
            n3 + double[-1] + c_in,
            branch1=nn.Sequential(*first, Conv(n3r or c_in, n3, 3, 2, 0, norm=norm)),
            branch2=double_3x3(c_in, double, stride=2, padding=0, norm=norm),
            branch3=pool_3x3("max", 2),
        )


class ReductionB(InceptionModule):
    """Inception-v3's 17x17 -> 8x8: 1x1 -> 3x3/2; 1x1 -> 1x7 -> 7x1 -> 3x3/2; max pool that passes
    through."""

    def __init__(
        self,
        c_in: int,
        n3r: int = 192,
        n3: int = 320,
        n7: int = 192,
        n: int = 7,
        norm: bool = True,
    ):
        super().__init__(
            n3 + n7 + c_in,
            branch1=nn.Sequential(Conv(c_in, n3r, 1, norm=norm), Conv(n3r, n3, 3, 2, 0, norm=norm)),
            branch2=nn.Sequential(
                Conv(c_in, n7, 1, norm=norm),
                Conv(n7, n7, (1, n), norm=norm),
                Conv(n7, n7, (n, 1), norm=norm),
                Conv(n7, n7, 3, 2, 0, norm=norm),
            ),
            branch3=pool_3x3("max", 2),
        )


def _halve(pool: str) -> nn.MaxPool2d:
    """The pool of a grid reduction: "valid" 3x3/2 (35 -> 17), "padded" 3x3/2 (35 -> 18), "2x2" (36
    -> 18)."""
    return {
        "valid": lambda: nn.MaxPool2d(3, 2),
        "padded": lambda: nn.MaxPool2d(3, 2, 1),
        "2x2": lambda: nn.MaxPool2d(2, 2),
    }[pool]()


class PoolThenConv(nn.Sequential):
    """Rethinking, Figure 9 left: pool to half the grid, then convolve c_in -> c_out: cheap, with a
    representational bottleneck. `body` replaces the convolution by any module on the small grid."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        k: int = 3,
        body: nn.Module | None = None,
        pool: str = "valid",
    ):
        super().__init__(_halve(pool), body or Conv(c_in, c_out, k))
        self.c_out = c_out


class ConvThenPool(nn.Sequential):
    """Rethinking, Figure 9 right: convolve on the large grid, then pool: no bottleneck, more
    MACs."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        k: int = 3,
        body: nn.Module | None = None,
        pool: str = "valid",
    ):
        super().__init__(body or Conv(c_in, c_out, k), _halve(pool))
        self.c_out = c_out


class ParallelReduction(InceptionModule):
    """Rethinking, Figure 10 right: a stride-2 convolution to c_out - c_in filters beside a stride-2
    pool. A kernel smaller than the pool's reads a cropped grid, so that both give the same one."""

    def __init__(self, c_in: int, c_out: int, k: int = 3, pool: str = "valid"):
        margin = (k - 3) // 2 if pool == "valid" else (k - 1) // 2
        conv = Conv(c_in, c_out - c_in, k, 2, max(0, margin))
        crop = [nn.ZeroPad2d(margin)] if margin < 0 else []
        super().__init__(c_out, branch1=nn.Sequential(*crop, conv), branch2=_halve(pool))
