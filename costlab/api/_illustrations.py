"""The papers' drawings, from traces: each result has a `chart()`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ._arguments import public
from ._models import Model, as_trace

if TYPE_CHECKING:
    from ..analysis.illustrations import Fields, Mixing, Neurons, Saturation, Towers

CHAINS = ("5x5", "3x3+3x3", "3x3", "1x3+3x1")
NETWORKS = ("alexnet", "vgg16", "googlenet")


@public
def fields(chains: str | Iterable[str] = CHAINS) -> Fields:
    """Convolutions in a row over pixels: which inputs one output depends on, layer by layer
    (*Rethinking*, Figures 1 and 3).

    Args:
        chains: kernels in a row, as "5x5" or "1x3+3x1", each drawn beside the others.

    Raises ValueError for kernels that cannot be read, and for ones that see too much to draw."""
    from ..analysis.illustrations import fields as run
    from ..analysis.illustrations import kernels_of

    named = [chains] if isinstance(chains, str) else chains
    return run([kernels_of(text) for text in named])


@public
def mixing(*, c_in: int = 4, c_out: int = 2, side: int = 6) -> Mixing:
    """A 1x1 convolution of `c_in` maps to `c_out` on a `side` x `side` grid, weight by weight.

    Raises ValueError for sizes outside 1 to 12."""
    from ..analysis.illustrations import mixing as run

    return run(c_in, c_out, side)


@public
def mlpconv(
    widths: Sequence[int] = (96, 96, 96),
    *,
    c_in: int = 3,
    side: int = 224,
    kernel: int = 11,
    stride: int = 4,
) -> Neurons:
    """A linear convolution beside an mlpconv layer (*Network in Network*, Figure 1).

    Args:
        widths: filters of the convolution and of the layers of the MLP after it.
        c_in, side: channels and side of the input.
        kernel, stride: of the convolution. The defaults are NIN's first layer.

    Raises ValueError for a layer that cannot be built."""
    from ..analysis.illustrations import mlpconv as run

    return run(widths, c_in=c_in, side=side, kernel=kernel, stride=stride)


@public
def saturation(layers: int = 8) -> Saturation:
    """The slopes of sigmoid, tanh and ReLU, how much of an error passes through `layers` of them,
    and the gradients of two losses at a sigmoid.

    Raises ValueError for fewer than one layer."""
    from ..analysis.illustrations import saturation as run

    return run(layers)


@public
def towers(models: Model | Iterable[Model] = NETWORKS) -> Towers:
    """Networks side by side to one scale: depth, params and MACs, layer by layer.

    Args:
        models: one or more; AlexNet, VGG-16 and GoogLeNet by default.

    Raises ValueError for a network with too many layers to draw."""
    from ..analysis.illustrations import towers as run

    several = models if isinstance(models, (list, tuple)) else [models]
    return run([as_trace(model, "towers") for model in several])
