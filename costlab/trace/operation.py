"""An operation while it runs: what recording needs to know of it, and where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from .._narrow import is_list_or_tuple
from . import shapes
from .memory import stored_elements
from .record import Attributes

if TYPE_CHECKING:
    from .tensor_table import Outside

_STATISTICS = frozenset(("running_mean", "running_var"))  # not every schema says it writes them
_NOT_RECORDED = frozenset(("aten::detach", "aten::detach_", "aten::alias", "aten::lift_fresh"))


@dataclass(frozen=True, slots=True)
class Operator:
    """What recording needs to know of an overload. `written`: arguments that it writes; `recorded`:
    False for what only makes another object of the same values; `shape_rule`: its output shapes on
    `meta`, where there is a rule."""

    name: str
    arguments: tuple[str, ...]
    written: frozenset[str]
    recorded: bool
    shape_rule: Callable[..., Any] | None

    @classmethod
    def of(cls, func: Any, device: str) -> Operator:
        schema = func._schema
        written = {
            a.name for a in schema.arguments if a.alias_info is not None and a.alias_info.is_write
        }
        if "batch_norm" in schema.name:
            written |= _STATISTICS
        return cls(
            schema.name.replace("::", "."),
            tuple(a.name for a in schema.arguments),
            frozenset(written),
            schema.name not in _NOT_RECORDED and not schema.name.startswith("profiler::"),
            shapes.find(func) if device == "meta" else None,
        )


class Place(NamedTuple):
    """Where an operation is recorded: a call of a module, and for a backward operation the forward
    operation that it belongs to, and whether it repeats one of the forward pass."""

    module: str
    module_type: str
    call: int
    of: int | None = None
    recomputed: bool = False


@dataclass(slots=True)
class Call:
    """An operation while it runs. `written`: the tensors that it writes, or the model's own that
    stand-ins are written for."""

    operator: Operator
    inputs: list[int] = field(default_factory=list)
    params: list[int] = field(default_factory=list)
    attrs: Attributes = field(default_factory=dict)
    written: list[torch.Tensor | Outside] = field(default_factory=list)

    def note(self, outside: Outside) -> None:
        """A tensor that the run did not make is an input, and where it is one, a parameter."""
        self.inputs.append(outside.index)
        if outside.param is not None:
            self.params.append(outside.param)

    def note_sparse(self, t: torch.Tensor) -> None:
        """Of the first sparse input: which one it is, and the elements that it keeps."""
        if t.layout is not torch.strided:
            self.attrs.setdefault("sparse", (len(self.inputs), stored_elements(t)))


def is_composite(func: Any) -> bool:
    """In inference mode, and in higher-order operators, torch leaves composite operations whole."""
    # torch's public `has_kernel_for_dispatch_key` also finds decompositions that are registered in
    # Python: batch norm would be another operation on `meta` than on a device
    has_kernel = torch._C._dispatch_has_kernel_for_dispatch_key  # pyright: ignore[reportPrivateUsage]
    return has_kernel(func.name(), "CompositeImplicitAutograd")


def only_moves(call: Call, args: Sequence[Any], out: Any) -> bool:
    """Only from one device to another: nothing on a single one."""
    return (
        call.operator.name == "aten._to_copy"
        and isinstance(args[0], torch.Tensor)
        and args[0].device != out.device
        and args[0].dtype == out.dtype
    )


def attribute(value: Any) -> Any:
    """An argument that is not a tensor, as a trace keeps it."""
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if is_list_or_tuple(value):
        return tuple(attribute(v) for v in value)
    return str(value).removeprefix("torch.")
