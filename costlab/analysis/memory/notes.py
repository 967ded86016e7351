"""What a memory estimate says in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .result import LiveTensor, Memory


def memory_notes(m: Memory) -> tuple[str, ...]:
    """What the numbers mean, what is not in them, and how far a measurement is from them."""
    notes = (
        "the peak of a training step, with the gradients that exist by then; the optimizer's state "
        "is extra"
        if m.trained
        else "the peak of inference",
        "a tensor is alive until its last use, and until every module that received it has "
        f"returned; if tensors were freed at their last use, the peak would be {m.least:,} bytes",
        "not included: workspace of kernels, what a fused kernel keeps for its backward pass, the "
        "allocator's rounding, and tensors that variables keep alive after their last use",
    )
    if m.measured is None:
        return (*notes, *m.caveats)
    ratio = f", {m.measured / m.peak:.2f} times the estimate" if m.peak else ""
    measured = (
        f"measured: {m.measured:,} bytes at the peak beyond params, buffers and inputs{ratio}"
    )
    return (*notes, measured, *m.caveats)


def live_tensor(tensor: LiveTensor) -> str:
    """A tensor by what made it and its shape, set in below the peak that it is part of."""
    shape = "x".join(map(str, tensor.shape))
    return f"  {tensor.module or 'the model'} ({tensor.op.removeprefix('aten.')}) {shape}"
