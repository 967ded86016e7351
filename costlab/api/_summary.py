"""A model at a glance."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .._narrow import is_list_or_tuple, is_path
from .._result import Result
from ..trace import Trace, TraceError
from ._arguments import public

if TYPE_CHECKING:
    import torch

    from ..analysis.memory import Memory
    from ..cost import Total
    from ..tables import Sheet, Table


@dataclass(frozen=True)
class Summary(Result):
    """The layers of a model with its totals: `trainable` params in elements, `memory` in bytes."""

    table: Table
    total: Total
    trainable: int
    memory: Memory

    @property
    def sheet(self) -> Sheet:
        """The table by layers, with the totals in its notes."""
        t = self.total
        frozen = t.params - self.trainable
        notes = (
            f"params: {t.params:,}, of them trainable {self.trainable:,}, not trainable {frozen:,}",
            f"MACs: {t.macs:,}; FLOPs: {t.flops:,}; activations: {t.activations:,} elements",
            f"estimated peak memory: {self.memory.whole / 1e6:,.2f} MB",
        )
        sheet = self.table.sheet
        return replace(sheet, notes=(*notes, *sheet.notes))


@public
def summary(
    model: torch.nn.Module,
    inputs: Any,
    *,
    depth: int | None = None,
    columns: str | Iterable[str] = (),
    dtype: torch.dtype | None = None,
    device: str | torch.device = "auto",
) -> Summary:
    """The layers of a model with output sizes, params and MACs, and its totals.

    Args:
        model: any module; it is left as it was.
        inputs: tensors, or a shape such as (1, 3, 224, 224); without a batch dimension the batch is
            1. A list of shapes gives one input each.
        depth: module depth; None opens what holds most of the cost.
        columns: names, as `costlab.table` takes them.
        dtype: dtype of inputs that are given as shapes (default: float32).
        device: "auto", "cuda", "cpu" or "meta".

    Raises TraceError where the model fails on these inputs, ValueError for an unknown column,
    TypeError for a name instead of a module."""
    from ..analysis.memory import memory
    from ..cost import total
    from ..tables import column_names, frozen_note, further_columns, table

    if is_path(model):
        raise TypeError(
            f"costlab.summary takes a module, not a name; try costlab.table({os.fspath(model)!r})"
        )
    trace = _traced(model, inputs, dtype, device)
    names = column_names(columns)
    rows = table(trace, "layers", "macs", depth, columns=further_columns(names)).with_columns(names)
    whole = total(trace)
    said = frozen_note(trace)  # the summary says it itself, above the table's notes
    rows = replace(rows, notes=tuple(note for note in rows.notes if note not in said))
    return Summary(rows, whole, whole.trainable or 0, memory(trace))


def _traced(model: Any, inputs: Any, dtype: Any, device: str | torch.device) -> Trace:
    from ..trace.tracer import trace

    shapes = _shapes(inputs)
    if shapes is None:
        return trace(model, inputs, device=str(device))
    batched = [(1, *shape) for shape in shapes]
    # an image's shape without its batch: many models run on it, and give another output
    tries = (batched, shapes) if len(shapes[0]) == 3 else (shapes, batched)
    try:
        return trace(model, _tensors(tries[0], dtype), device=device)
    except TraceError:
        with contextlib.suppress(TraceError):
            return trace(model, _tensors(tries[1], dtype), device=device)
        return trace(
            model, _tensors(shapes, dtype), device=device
        )  # the error is of what was given


def _shapes(inputs: object) -> list[tuple[int, ...]] | None:
    """The shapes that are given, or None for tensors."""
    if (shape := _shape(inputs)) is not None:
        return [shape]
    if not is_list_or_tuple(inputs):
        return None
    shapes = [shape for one in inputs if (shape := _shape(one)) is not None]
    return shapes if shapes and len(shapes) == len(inputs) else None


def _shape(value: object) -> tuple[int, ...] | None:
    """A sequence of integers, or None for anything else."""
    if not is_list_or_tuple(value):
        return None
    sizes = tuple(n for n in value if isinstance(n, int))
    return sizes if sizes and len(sizes) == len(value) else None


def _tensors(shapes: list[tuple[int, ...]], dtype: Any) -> tuple[Any, ...]:
    import torch

    return tuple(torch.zeros(shape, dtype=dtype) for shape in shapes)
