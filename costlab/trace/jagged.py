"""Nested tensors: those of the jagged layout are seen as the values that they keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch.nn import functional as F  # noqa: N812  the name that everybody knows it by

from .record import TraceError

STRIDED = (
    "a nested tensor of the strided layout does not report its shape, so it cannot be counted; "
    "make it with layout=torch.jagged, or pad it"
)


def is_jagged(t: torch.Tensor) -> bool:
    """Whether a tensor is nested, with the jagged layout."""
    return t.layout is torch.jagged


def are_jagged(kinds: Iterable[type]) -> bool:
    """Whether a class among those of an operation's arguments is that of jagged tensors. Its own
    dispatch then runs the operation on values, which a recorder sees."""
    return any(kind.__name__ == "NestedTensor" for kind in kinds)


def refuse_strided(t: torch.Tensor) -> None:
    """Raises TraceError for a nested tensor of the strided layout."""
    if t.is_nested and not is_jagged(t):
        raise TraceError(STRIDED)


def values_of(t: Any) -> torch.Tensor:
    """What an operation on a tensor works on: the values of a jagged one, otherwise itself."""
    return t._values if is_jagged(t) else t


def map_parts(fn: Callable[[torch.Tensor], torch.Tensor | None], t: Any) -> torch.Tensor:
    """A jagged tensor of `fn` of its values, and of the offsets and lengths that say whose they
    are."""
    names, context = t.__tensor_flatten__()
    inner = {name: getattr(t, name) for name in names}
    mapped = {"_values", "_offsets", "_lengths"}  # the others keep a number in their shape
    inner = {name: fn(v) if name in mapped else v for name, v in inner.items()}
    kind = cast("Any", type(t))
    return kind.__tensor_unflatten__(inner, context, None, None)


def attention(original: Callable[..., Any]) -> Callable[..., Any]:
    """`scaled_dot_product_attention` of jagged tensors in one form: of each sequence alone, as its
    fused kernels do. torch's own depends on the device. `original` for other than four dimensions.
    """

    def plain(query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        if any(t.dim() != 4 or t._ragged_idx != 2 for t in (query, key, value)):
            return original(query, key, value, *args, **kwargs)
        sequences = zip(*(t.transpose(1, 2).unbind() for t in (query, key, value)), strict=True)
        done = [
            F.scaled_dot_product_attention(*(t.transpose(0, 1) for t in one), *args, **kwargs)
            for one in sequences
        ]
        out = torch.cat([t.transpose(0, 1) for t in done])
        offsets = query.offsets()
        return torch.nested.nested_tensor_from_jagged(out, offsets).transpose(1, 2)

    return plain
