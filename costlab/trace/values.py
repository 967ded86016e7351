"""Small integer and boolean tensors keep their values while a model runs on `meta`: masks,
positions and lengths that Python control flow reads (`if mask.all()`) are worked out on the CPU
beside their shapes."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import torch
from torch.utils import _pytree as pytree

_LIMIT = 1 << 16  # elements
_FEW = 1 << 12  # elements of floating point: masks of ones that a model makes
_READS = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape)


class _UnknownError(Exception):
    pass


def readable(t: torch.Tensor) -> bool:
    """Whether a tensor is one that control flow could read: of integers or booleans, and small. Of
    an expanded tensor the elements in memory count."""
    if t.dtype.is_floating_point or t.dtype.is_complex or t.layout is not torch.strided:
        return False
    return prod(n for n, step in zip(t.shape, t.stride(), strict=True) if step) <= _LIMIT


def followed(t: torch.Tensor) -> bool:
    """Whether the value of a tensor is worked out where it follows from known ones: what is
    readable, and the little that a model states in floating point. Values of inputs and parameters
    in floating point are never known."""
    return readable(t) or (
        t.dtype.is_floating_point and t.layout is torch.strided and t.numel() <= _FEW
    )


def give(t: Any, value: torch.Tensor) -> None:
    """Remember the value of a tensor, if it is one that control flow could read."""
    if readable(t) and value.device.type == "cpu":
        t._costlab_value = value


def _keep(t: Any, value: torch.Tensor) -> None:
    if followed(t) and value.device.type == "cpu":
        t._costlab_value = value


def _on_cpu(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    def known(t: Any) -> Any:
        if not isinstance(t, torch.Tensor):
            return t
        value = getattr(t, "_costlab_value", None)
        if value is None:
            raise _UnknownError
        return value

    args, kwargs = pytree.tree_map(known, (args, kwargs))
    return args, {**kwargs, "device": torch.device("cpu")} if kwargs.get(
        "device"
    ) is not None else kwargs


def _packed(data: Any, lengths: Any) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Packed sequences, whose shapes follow from their lengths; None where these are not known."""
    known = lengths if lengths.device.type == "cpu" else getattr(lengths, "_costlab_value", None)
    if known is None:
        return None
    sizes = known.tolist()
    return data.new_empty((sum(sizes), *data.shape[2:])), torch.tensor(
        [sum(n > t for n in sizes) for t in range(max(sizes, default=0))]
    )


def _chosen(func: Any, data: Any, indices: Sequence[Any]) -> Any:
    """The rows that masks choose of data without values: how many follows from the masks. None
    where these are not known."""
    found: list[torch.Tensor | None] = []
    for index in indices:
        if index is None or index.dtype not in (torch.bool, torch.uint8):
            found.append(index)
            continue
        mask = index if index.device.type == "cpu" else getattr(index, "_costlab_value", None)
        if mask is None:
            return None
        found += [place.to("meta") for place in mask.nonzero(as_tuple=True)]
    return func(data, found)


@functools.cache
def _reads(func: Any) -> bool:
    """Whether an operation needs the values of its inputs."""
    return any(tag in func.tags for tag in _READS)


def read(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of an operation that needs values, such as `item` or `nonzero`; None where they
    are not known."""
    name = func._schema.name
    if name == "aten::_pack_padded_sequence":
        return _packed(*args[:2])
    to_cpu = (
        name == "aten::_to_copy"
        and kwargs.get("device") is not None
        and kwargs["device"].type == "cpu"
    )
    if not to_cpu and not _reads(func):
        return None
    try:
        args, kwargs = _on_cpu(args, kwargs)
    except _UnknownError:
        return _chosen(func, *args) if name == "aten::index" else None
    value = func(*args, **kwargs)
    if to_cpu:
        return value.clone()
    if not isinstance(value, torch.Tensor):
        return value
    out = value.to("meta")
    _keep(out, value)
    return out


def follow(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
    """Give the outputs of an operation their values, where those of its inputs are known."""
    if not (_all_known(args) and _all_known(kwargs.values())):
        if func._schema.is_mutable:
            _forget(out)
        return
    if torch.Tag.nondeterministic_seeded in func.tags:
        return
    outs = [t for t in pytree.tree_leaves(out) if isinstance(t, torch.Tensor)]
    if not any(map(followed, outs)):
        return
    if "empty" in func._schema.name:  # whatever is there is to be written over
        for t in outs:
            _keep(t, torch.zeros(t.shape, dtype=t.dtype))
        return
    args, kwargs = _on_cpu(args, kwargs)
    for t, value in zip(outs, pytree.tree_leaves(func(*args, **kwargs)), strict=False):
        _keep(t, value)


def _all_known(values: Iterable[Any]) -> bool:
    """Whether the tensors among the arguments of an operation have values. Asked of every
    operation, so it stops at the first that has none."""
    for value in values:
        if isinstance(value, torch.Tensor):
            if not hasattr(value, "_costlab_value"):
                return False
        elif type(value) in (list, tuple) and not _all_known(value):
            return False
    return True


def _forget(out: Any) -> None:
    """Something unknown was written in place."""
    for t in pytree.tree_leaves(out):
        for known in (t, getattr(t, "_base", None)):
            if known is not None and hasattr(known, "_costlab_value"):
                del known._costlab_value
