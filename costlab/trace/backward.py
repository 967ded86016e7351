"""The backward pass: which forward operation each of its operations belongs to, and how it runs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch._C._autograd import _get_sequence_nr  # pyright: ignore[reportPrivateUsage]
from torch.utils._python_dispatch import _disable_current_modes  # pyright: ignore[reportPrivateUsage]

from .jagged import is_jagged, values_of
from .memory import memory_of, storage_of
from .nested import each
from .record import TraceError

if TYPE_CHECKING:
    from .recorder import Recorder
    from .tensor_table import TensorTable


def _current_node() -> Any:
    """The autograd node that runs; None outside of a backward pass."""
    return torch._C._current_autograd_node()  # pyright: ignore[reportPrivateUsage]


class ForwardOps:
    """Finds the forward operation of an autograd node. The node's number was the next one when the
    operation ran, or is the one after for an operation that writes in place; other operations ran
    under the same number, so names decide."""

    def __init__(self):
        self._by_number: dict[tuple[int, str | None], int] = {}

    def add(self, name: str, op: int) -> None:
        """An operation of the forward pass has run."""
        following = _get_sequence_nr()
        for key in ((following, _plain_name(name)), (following, None)):
            self._by_number.setdefault(key, op)

    def of_current_node(self) -> int:
        """The index of the forward operation whose gradient is worked out; -1: not known."""
        node = _current_node()
        if node is None:
            return -1
        number = node._sequence_nr()
        name = _plain_name(re.sub(r"Backward\d*$", "", node.name()))
        for key in (
            (number + 1, name),
            (number, name),
            (number - 1, name),
            (number + 1, None),
            (number, None),
        ):
            if key in self._by_number:
                return self._by_number[key]
        return -1


def wanted_gradients(n: int) -> tuple[bool, ...]:
    """Which of the first `n` inputs of the current autograd node require a gradient."""
    node = _current_node()
    if node is None:
        return (True,) * n
    return tuple(following is not None for following, _ in node.next_functions[:n])


def _plain_name(name: str) -> str:
    return name.removeprefix("aten.").replace("_", "").lower()


class SavedTensors:
    """The tensors that autograd keeps for the backward pass, by their memory: views of one tensor
    are kept once, and parameters are kept anyway."""

    def __init__(self, table: TensorTable, leaves: Iterable[torch.Tensor]):
        self._table = table
        self._parameters = {storage_of(t) for t in leaves}
        self._indices: dict[int, int] = {}

    @property
    def indices(self) -> tuple[int, ...]:
        return tuple(self._indices.values())

    def add(self, t: torch.Tensor) -> torch.Tensor:
        """For `saved_tensors_hooks`: the tensor as it is."""
        index, memory = self._table.index_of(t), storage_of(t)
        if index is None:
            by_memory = cast("dict[tuple[object, ...], int]", self._table.by_memory)
            index = by_memory.get(memory_of(t))
        if index is not None and memory not in self._parameters:
            self._indices.setdefault(memory, index)
        return t


def run_backward(
    recorder: Recorder,
    out: Any,
    leaves: Sequence[nn.Parameter],
    inputs: Sequence[torch.Tensor] = (),
) -> tuple[int, ...]:
    """Run the backward pass of `out` from gradients of one at every differentiable output.

    `leaves`: the parameters, `inputs`: the model's inputs, that require a gradient.
    Returns the indices of the parameters that got a gradient. Raises TraceError where no output
    depends on one of the leaves."""
    ends = [t for t in each(out) if t.requires_grad]
    if not ends or not (leaves or inputs):
        raise TraceError(
            "nothing here can be trained: no output depends on a parameter that requires a gradient"
        )
    ones = _ones(recorder, ends)
    recorder.begin_backward()
    nodes = _nodes(ends)
    if any(n.name() == "CheckpointFunctionBackward" for n in nodes):
        with _gradients_kept(nodes, leaves):
            torch.autograd.backward(ends, ones)
        trained = [t for t in leaves if t.grad is not None]
    else:
        grads = cast(
            "Sequence[torch.Tensor | None]",
            torch.autograd.grad(ends, [*leaves, *inputs], ones, allow_unused=True),
        )
        trained = [t for t, g in zip(leaves, grads, strict=False) if g is not None]
    found = (recorder.table.outside[id(t)].param for t in trained)
    return tuple(param for param in found if param is not None)


def _ones(recorder: Recorder, ends: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    with _disable_current_modes():
        ones = [
            torch.ones_like(t)
            if is_jagged(t)
            else torch.ones(t.shape, dtype=t.dtype, device=t.device)
            for t in ends
        ]
        for t in map(values_of, ones):
            recorder.table.mark(t, recorder.table.add(t))
    return ones


def _nodes(ends: Iterable[torch.Tensor]) -> set[Any]:
    """All nodes of the autograd graph behind some tensors."""
    found: set[Any] = set()
    stack: list[Any] = [t.grad_fn for t in ends]
    while stack:
        node = stack.pop()
        if node is not None and node not in found:
            found.add(node)
            stack += [n for n, _ in node.next_functions]
    return found


@contextlib.contextmanager
def _gradients_kept(nodes: Iterable[Any], leaves: Iterable[torch.Tensor]) -> Generator[None]:
    """A reentrant checkpoint runs its own backward pass, which is refused where gradients are asked
    for: it runs into the `grad` of every leaf, and other leaves get theirs back."""
    of_model = set(map(id, leaves))
    variables = [getattr(n, "variable", None) for n in nodes]
    others = [(v, v.grad) for v in variables if v is not None and id(v) not in of_model]
    try:
        yield
    finally:
        for v, grad in others:
            v.grad = grad
