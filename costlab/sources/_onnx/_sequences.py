"""Operators on sequences of tensors, which loops of TorchScript's exporter build up. A sequence is
a Python list."""

from __future__ import annotations

import torch

from ._operators import number, operator


@operator("SequenceEmpty")
def sequence_empty(node):
    return []


@operator("SequenceConstruct")
def sequence_construct(node, *tensors):
    return list(tensors)


@operator("SequenceInsert")
def sequence_insert(node, sequence, tensor, position=None):
    """Before `position`, at the end without one."""
    at = len(sequence) if position is None else int(number(position))
    at = at + len(sequence) if at < 0 else at
    return [*sequence[:at], tensor, *sequence[at:]]


@operator("SequenceErase")
def sequence_erase(node, sequence, position=None):
    at = (-1 if position is None else int(number(position))) % len(sequence)
    return [*sequence[:at], *sequence[at + 1 :]]


@operator("SequenceAt")
def sequence_at(node, sequence, position):
    return sequence[int(number(position))]


@operator("SequenceLength")
def sequence_length(node, sequence):
    return torch.tensor(len(sequence))


@operator("ConcatFromSequence")
def concat_from_sequence(node, sequence):
    join = torch.stack if node.get("new_axis", 0) else torch.cat
    return join(sequence, node.get("axis"))


@operator("SplitToSequence")
def split_to_sequence(node, x, sizes=None):
    """Into pieces of given sizes; without them into slices, whose dimension `keepdims` keeps."""
    axis = node.get("axis", 0)
    if sizes is None:
        parts = x.split(1, axis)
        return list(parts) if node.get("keepdims", 1) else [p.squeeze(axis) for p in parts]
    return list(x.split(sizes.tolist() if sizes.dim() else int(number(sizes)), axis))
