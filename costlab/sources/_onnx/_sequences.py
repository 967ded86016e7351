"""Operators on sequences of tensors, which loops of TorchScript's exporter build up. A sequence is
a Python list."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ._attributes import INT
from ._operators import Node, ints, number, operator, require_pieces


@operator("SequenceEmpty")
def sequence_empty(node: Node) -> list[Tensor]:
    return []


@operator("SequenceConstruct")
def sequence_construct(node: Node, *tensors: Tensor) -> list[Tensor]:
    return list(tensors)


@operator("SequenceInsert")
def sequence_insert(
    node: Node, sequence: Sequence[Tensor], tensor: Tensor, position: Tensor | None = None
) -> list[Tensor]:
    """Before `position`, at the end without one."""
    at = len(sequence) if position is None else int(number(position))
    at = at + len(sequence) if at < 0 else at
    return [*sequence[:at], tensor, *sequence[at:]]


@operator("SequenceErase")
def sequence_erase(
    node: Node, sequence: Sequence[Tensor], position: Tensor | None = None
) -> list[Tensor]:
    at = (-1 if position is None else int(number(position))) % len(sequence)
    return [*sequence[:at], *sequence[at + 1 :]]


@operator("SequenceAt")
def sequence_at(node: Node, sequence: Sequence[Tensor], position: Tensor) -> Tensor:
    return sequence[int(number(position))]


@operator("SequenceLength")
def sequence_length(node: Node, sequence: Sequence[Tensor]) -> Tensor:
    return torch.tensor(len(sequence))


@operator("ConcatFromSequence")
def concat_from_sequence(node: Node, sequence: list[Tensor]) -> Tensor:
    join = torch.stack if node.get("new_axis", INT, 0) else torch.cat
    return join(sequence, node.get("axis", INT))


@operator("SplitToSequence")
def split_to_sequence(node: Node, x: Tensor, sizes: Tensor | None = None) -> list[Tensor]:
    """Into pieces of given sizes; without them into slices, whose dimension `keepdims` keeps."""
    axis = node.get("axis", INT, 0)
    size = 1 if sizes is None else 0 if sizes.dim() else int(number(sizes))
    require_pieces(-(-x.shape[axis] // size) if size > 0 else 0)
    if sizes is None:
        parts = torch.split(x, 1, axis)
        return list(parts) if node.get("keepdims", INT, 1) else [p.squeeze(axis) for p in parts]
    return list(torch.split(x, ints(sizes) if sizes.dim() else int(number(sizes)), axis))
