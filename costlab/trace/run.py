"""One run of a model under the recorder: forward, and backward where it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import nn

from .backward import ForwardOps, SavedTensors, run_backward
from .jagged import is_jagged, map_parts, values_of
from .nested import each, map_tensors
from .origins import traced_code
from .record import TraceError
from .recorder import Recorder
from .replacement import replace_tensors_elsewhere, replace_to_train
from .request import Arguments, Options
from .tensor_table import TensorTable


class Ran(NamedTuple):
    """What a run gave beside its operations: indices of inputs, outputs, tensors kept for the
    backward pass, and parameters that got a gradient."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    saved: tuple[int, ...] = ()
    gradients: tuple[int, ...] = ()


def run(recorder: Recorder, model: nn.Module, arguments: Arguments, options: Options) -> Ran:
    """Call the model on its arguments while `recorder` records, then run the backward pass where
    the options ask for it."""
    table = recorder.table
    autograd = options.backward or options.gradients
    given: dict[int, torch.Tensor] = {}  # what the model gets in the place of each input, by its id

    def convert(t: torch.Tensor) -> torch.Tensor:
        if is_jagged(t):
            return map_parts(convert, t)
        if id(t) not in given:
            given[id(t)] = table.add_input(t, autograd)
        return given[id(t)]

    args, kwargs = map_tensors(convert, arguments)
    leaves: list[nn.Parameter] = []
    if autograd:
        leaves = replace_to_train(table, model)
    else:
        replace_tensors_elsewhere(table, model)
    inputs = _indices(table, given.values())

    def forward() -> list[torch.Tensor]:
        return traced_code(lambda: _tensors_of(model(*args, **kwargs)))

    if not options.backward:
        with torch.set_grad_enabled(autograd), recorder:
            out = forward()
        return Ran(inputs, _outputs(recorder, out))
    wanted = [t for t in given.values() if t.requires_grad]
    return _with_backward(recorder, forward, inputs, leaves, wanted)


def _with_backward(
    recorder: Recorder,
    forward: Callable[[], list[torch.Tensor]],
    inputs: tuple[int, ...],
    leaves: list[nn.Parameter],
    wanted: list[torch.Tensor],
) -> Ran:
    """Both passes. `leaves`: the parameters, `wanted`: the model's inputs, that require a
    gradient."""
    table = recorder.table
    saved = SavedTensors(table, leaves)
    recorder.log.forward_ops = ForwardOps()
    with torch.enable_grad(), recorder:
        with torch.autograd.graph.saved_tensors_hooks(saved.add, lambda t: t):
            out = forward()
        outputs = _outputs(recorder, out)
        gradients = traced_code(lambda: run_backward(recorder, out, leaves, wanted))
    return Ran(inputs, outputs, saved.indices, gradients)


def _tensors_of(out: Any) -> list[torch.Tensor]:
    """The tensors of a model's output, whose generators run while what they do is recorded."""
    if inspect.iscoroutine(out):
        out.close()
        raise TraceError(
            "forward is asynchronous and gave a coroutine; trace a module whose forward awaits it"
        )
    return each(out, run_iterators=True)


def _outputs(recorder: Recorder, out: list[torch.Tensor]) -> tuple[int, ...]:
    """The indices of the outputs as they are in the end."""
    found: list[int] = []
    for t in map(values_of, out):
        index = recorder.table.index_of(t)
        if index is not None:
            found.append(recorder.log.current(t, index))
    return tuple(found)


def _indices(table: TensorTable, tensors: Iterable[torch.Tensor]) -> tuple[int, ...]:
    """The indices of those of the tensors that belong to the run."""
    indices = map(table.index_of, tensors)
    return tuple(i for i in indices if i is not None)
