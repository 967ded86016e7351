"""The sizes of a model's inputs that a sweep changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...sources import Loaded

if TYPE_CHECKING:
    import torch

SIZES = ("batch", "resolution", "height", "width", "tokens")
GRID = ("resolution", "height", "width")


def shape_of(tensor: torch.Tensor, sizes: Mapping[str, int]) -> list[int]:
    """The shape of an input at these sizes: dimension 0 is the batch, the last two of an image
    (N, C, H, W) its grid, dimension 1 of a sequence of indices (N, T) its tokens."""
    shape = list(tensor.shape)
    if shape:
        shape[0] = sizes.get("batch", shape[0])
    if is_image(tensor):
        shape[2] = sizes.get("height", sizes.get("resolution", shape[2]))
        shape[3] = sizes.get("width", sizes.get("resolution", shape[3]))
    elif is_sequence(tensor):
        shape[1] = sizes.get("tokens", shape[1])
    return shape


def resizer(sizes: Mapping[str, int]) -> Callable[[torch.Tensor], list[int]]:
    """`shape_of` for some sizes, as `costlab.load` takes it."""
    return lambda tensor: shape_of(tensor, sizes)


def is_image(tensor: torch.Tensor) -> bool:
    """Whether an input has a height and a width."""
    return tensor.dim() == 4


def is_sequence(tensor: torch.Tensor) -> bool:
    """Whether an input has tokens."""
    return tensor.dim() == 2 and not tensor.is_floating_point()


def require_taken(loaded: Loaded, names: Sequence[str]) -> None:
    """Raise ValueError for the first size that no input of the model has."""
    tensors = tensors_of(loaded)
    for name in names:
        has = is_image if name in GRID else is_sequence if name == "tokens" else _has_batch
        if not any(has(t) for t in tensors):
            spec = loaded.provenance["spec"]
            shapes = ", ".join("x".join(map(str, t.shape)) or "a scalar" for t in tensors)
            raise ValueError(f"{spec} has no {name}: its inputs are {shapes or 'no tensors'}")


def _has_batch(tensor: torch.Tensor) -> bool:
    return tensor.dim() > 0


def tensors_of(loaded: Loaded) -> list[torch.Tensor]:
    """Every tensor of a model's inputs."""
    import torch
    from torch.utils import _pytree as pytree

    leaves = pytree.tree_leaves((loaded.inputs, loaded.kwargs))
    return [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
