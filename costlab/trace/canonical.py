"""One recorded form an operation, whatever the backend that runs it. Needs no torch.

Backends differ in names (`cudnn_batch_norm`), in the order of arguments, and in bookkeeping: empty
outputs, reserved space, the dtype of statistics that are kept for the backward pass, numbers that
become tensors. None of it is work of the model's, so what a trace says is the same on every device.
The recorder applies these rules as it records, `files` to traces of before they were there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from .record import Attributes, Op, Tensor, Trace

NUMBER = "aten.scalar_tensor"  # a Python number becomes a tensor
_ALLOCATIONS = frozenset(f"aten.{n}" for n in ("empty", "empty_like", "new_empty", "empty_strided"))
# batch normalizations take (input, weight, bias, mean, variance, ...) and give the output first
_BATCH_NORMS = {
    "aten.native_batch_norm": None,
    "aten.cudnn_batch_norm": None,
    "aten.miopen_batch_norm": None,
    "aten._batch_norm_with_update": True,
    "aten._batch_norm_no_update": False,
}
# which give every gradient, where other kernels leave out those that nobody asked for
ALL_GRADIENTS = frozenset(f"aten.{n}_batch_norm_backward" for n in ("cudnn", "miopen"))
# outputs that follow the main one: statistics that are kept for the backward pass
_WITH_STATISTICS = frozenset(
    f"aten.{n}" for n in ("native_batch_norm", "native_layer_norm", "native_group_norm")
) | {"aten._native_batch_norm_legit"}
_RENAMED_ATTRIBUTES = {"exponential_average_factor": "momentum", "epsilon": "eps"}
_HALF = ("float16", "bfloat16")
_RENAMED = {
    "aten._cudnn_ctc_loss": "aten._ctc_loss",
    "aten.cudnn_grid_sampler": "aten.grid_sampler_2d",
    "aten.cudnn_grid_sampler_backward": "aten.grid_sampler_2d_backward",
}
# rows, their indices and the bags' offsets; then bookkeeping up to the weights of samples
_BAG_INPUTS, _BAG_BOOKKEEPING = 3, 6


@dataclass(frozen=True)
class Form:
    """An operation without its place: `inputs` and `outputs` index the trace's tensors."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: Attributes


def makes_nothing(name: str, outputs: Sequence[Tensor]) -> bool:
    """Whether an operation is no work: memory for no elements, or a Python number as a tensor."""
    if name == NUMBER:
        return True
    return name in _ALLOCATIONS and not any(prod(t.shape) for t in outputs)


def spreads_number(name: str, inputs: Sequence[int], numbers: set[int]) -> bool:
    """Whether an operation shows a Python number in a shape: part of `x[...] = number`, which on
    some devices is a single fill. `numbers`: the tensors that are such numbers."""
    return name in ("aten.view", "aten.expand") and bool(inputs) and inputs[0] in numbers


def first_shown(ops: Sequence[Op], source: int, tensors: Sequence[Tensor]) -> int | None:
    """The tensor without dimensions that the last two operations, a view and an expansion, show as
    `source`; None where they do something else."""
    if [op.name for op in ops] != ["aten.view", "aten.expand"] or ops[1].outputs != (source,):
        return None
    view, expansion = ops
    first = view.inputs[0]
    return first if expansion.inputs == view.outputs and tensors[first].shape == () else None


def canonical(form: Form, tensors: Sequence[Tensor], numbers: set[int]) -> Form:
    """The form that is recorded; `numbers` are tensors that stand for Python numbers."""
    form = _asked_for(form)
    name = form.name
    if name in _BATCH_NORMS:
        return _batch_norm(form)
    if name in ALL_GRADIENTS:
        return _batch_norm_backward(form)
    if name == "aten.copy_":
        source = form.inputs[-1]
        filled = source in numbers or tensors[source].shape == ()
        return replace(form, name="aten.fill_", attrs={}) if filled else form
    if name in ("aten._embedding_bag", "aten._embedding_bag_forward_only"):
        return replace(form, outputs=form.outputs[:1])
    if name in ("aten._embedding_bag_backward", "aten._embedding_bag_dense_backward"):
        inputs = form.inputs[:_BAG_INPUTS] + form.inputs[_BAG_BOOKKEEPING:]
        return replace(form, inputs=inputs)
    return replace(form, name=_RENAMED[name]) if name in _RENAMED else form


def statistics(form: Form, tensors: Sequence[Tensor]) -> tuple[int, ...]:
    """Outputs of a canonical form whose dtype differs by device for 16-bit inputs: statistics,
    which are recorded as 32-bit numbers."""
    if form.name not in _WITH_STATISTICS or not form.inputs:
        return ()
    return form.outputs[1:] if tensors[form.inputs[0]].dtype in _HALF else ()


def _batch_norm(form: Form) -> Form:
    attrs = _renamed(form.attrs)
    training = _BATCH_NORMS[form.name]
    if training is not None:
        attrs["training"] = training
    kept = 3 if attrs.get("training") else 1  # in evaluation no statistics are kept
    return Form("aten.native_batch_norm", form.inputs, form.outputs[:kept], attrs)


def _batch_norm_backward(form: Form) -> Form:
    """From (input, gradient, weight, ..., reserved space) to (gradient, input, weight, ...)."""
    data, gradient, *rest = form.inputs
    attrs = {"train": True, **_renamed(form.attrs)}
    attrs.setdefault("output_mask", (True, True, True))
    inputs = gradient, data, *rest[:5]
    return Form("aten.native_batch_norm_backward", inputs, form.outputs, attrs)


def _asked_for(form: Form) -> Form:
    """Without gradients that nobody asked for; some kernels give them all the same."""
    mask = form.attrs.get("output_mask")
    if mask is None or len(mask) != len(form.outputs):
        return form
    outputs = tuple(i for i, asked in zip(form.outputs, mask, strict=True) if asked)
    return replace(form, outputs=outputs)


def _renamed(attrs: Attributes) -> Attributes:
    return {_RENAMED_ATTRIBUTES.get(name, name): value for name, value in attrs.items()}


def upgraded(trace: Trace) -> Trace:
    """A trace of an older file as it would be recorded today, with the operations in the forms that
    this module describes."""
    upgrade = _Upgrade(trace)
    for i, op in enumerate(trace.ops):
        upgrade.add(i, op)
    return upgrade.trace()


class _Upgrade:
    """Rewrites a trace op by op. `places`: where an operation went; `numbers`: tensors that stand
    for Python numbers."""

    def __init__(self, trace: Trace):
        self._trace = trace
        self._tensors = list(trace.tensors)
        self._ops: list[Op] = []
        self._places: dict[int, int] = {}
        self._numbers: set[int] = set()

    def add(self, place: int, op: Op) -> None:
        if makes_nothing(op.name, [self._tensors[i] for i in op.outputs]):
            if op.name == NUMBER:
                self._numbers.update(op.outputs)
            return
        if spreads_number(op.name, op.inputs, self._numbers):
            self._numbers.update(op.outputs)
            return
        form = Form(op.name, op.inputs, op.outputs, op.attrs)
        form = canonical(form, self._tensors, self._numbers)
        for i in statistics(form, self._tensors):
            self._tensors[i] = replace(self._tensors[i], dtype="float32")
        self._places[place] = len(self._ops)
        self._ops.append(
            replace(op, name=form.name, inputs=form.inputs, outputs=form.outputs, attrs=form.attrs)
        )

    def _place(self, place: int | None) -> int | None:
        return place if place is None else self._places.get(place, -1)

    def trace(self) -> Trace:
        measured = self._trace.measured
        if measured is not None:
            ops = tuple(replace(o, of=self._place(o.of)) for o in measured.ops)
            measured = replace(measured, ops=ops)
        return replace(
            self._trace,
            ops=tuple(replace(o, of=self._place(o.of)) for o in self._ops),
            tensors=tuple(self._tensors),
            measured=measured,
        )
