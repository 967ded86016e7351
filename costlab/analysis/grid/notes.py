"""What is said of grid reductions."""

from __future__ import annotations

from collections.abc import Sequence

from typing import TYPE_CHECKING

from ...cost import counted
from ...predict import comparison_of_predictions, prediction_of
from ...tables import Note

if TYPE_CHECKING:
    from .result import Scheme


def kernel(sides: Sequence[int]) -> str:
    """(3, 3) as 3x3."""
    return "x".join(map(str, sides))


def grid_of(shape: Sequence[int]) -> str:
    """(channels, H, W) as HxWxchannels, as the papers write it."""
    return kernel((*shape[1:], shape[0]))


def schemes(side: int, reduced: int, elements: int) -> tuple[str, ...]:
    """Of the schemes on a grid of `side`, which leave `reduced`; `elements` of the input."""
    return (
        Note(
            f"exact ratio of the first two: ({side}/{reduced})^2 = {(side / reduced) ** 2:.4f}; "
            "the paper's 4 is for grids that halve exactly",
            "MACs",
            "to pool first",
        ),
        Note(
            f"input {elements:,} elements; the narrowest place is where all data must pass; a "
            "bottleneck is narrower than input and output",
            "narrowest",
            "representational bottleneck",
        ),
        "counts by tracing each module on meta; params with biases; one MAC = one multiply-add",
    )


def times(schemes: Sequence[Scheme]) -> tuple[str, ...]:
    """Where predicted times of schemes are from, and what each saves against the first; nothing
    without a profile."""
    named = [(s.name, prediction_of(s.trace)) for s in schemes]
    return comparison_of_predictions([(name, p) for name, p in named if p])


def reductions(found: int, shown: int) -> tuple[str, ...]:
    """Of the places of a model, so many of them `shown`."""
    fewer = (
        (f"{counted(found, 'place')}, of which the first {shown} are shown",)
        if shown < found
        else ()
    )
    return (
        *fewer,
        Note(
            "in parallel: a pool, and a strided convolution of the same kernel that adds the "
            "missing channels (Rethinking, Figure 10, right), traced; of the model: MACs saved. "
            "This changes the model, which must be trained and measured again",
            "MACs in parallel",
            "of the model",
        ),
        "a representational bottleneck is a pool alone, with no skip around it, whose output is "
        "narrower than its input and than what follows; one MAC = one multiply-add",
    )


BRANCHES = "branches in parallel"
POOL_ALONE = "pool"
POOL_THEN_MODULE = "pool, then a module"


def strided(sides: Sequence[int], stride: int) -> str:
    """A convolution that reduces by itself."""
    return f"{kernel(sides)} convolution of stride {stride}"


def convolution_then_pool(sides: Sequence[int]) -> str:
    """A convolution whose output is pooled."""
    return f"{kernel(sides)} convolution, then pool"


def pool_then_convolution(sides: Sequence[int]) -> str:
    """A convolution of what was pooled."""
    return f"pool, then {kernel(sides)} convolution"
