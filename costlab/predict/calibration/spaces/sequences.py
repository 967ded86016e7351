"""Spaces of kernels over sequences."""

from __future__ import annotations

from ...kernels import Kernel, Lookup, Recurrent
from .draw import Draw

_KINDS = ("LSTM", "GRU", "LSTM", "GRU", "RNN")


def recurrent(index: int) -> Kernel:
    """Of 1 to 3 layers, half of them in both directions."""
    draw = Draw(index)
    steps, hidden = draw.size(4, 256), draw.size(32, 1024, 32)
    inputs, batch = draw.size(32, 1024, 32), draw.of(1, 1, 4, 16, 32)
    return Recurrent(
        _KINDS[index % len(_KINDS)],
        steps=steps,
        batch=batch,
        inputs=inputs,
        hidden=hidden,
        layers=draw.of(1, 1, 2, 3),
        bidirectional=draw.of(False, True),
    )


def lookup(index: int) -> Kernel:
    """Of tables from those of positions to the vocabularies of language models."""
    draw = Draw(index)
    return Lookup(
        rows=draw.size(1, 16384), width=draw.size(32, 4096, 8), table=draw.size(128, 131072)
    )
