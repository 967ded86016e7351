"""`Loop`, `Scan` and `If`: a body runs as often as a model in Python would run it, step by step.

Where the number of steps, or the branch, follows from shapes and constants, all of it is counted.
Where it depends on data that are there (on the CPU), the run follows them. Otherwise a loop's body
is counted once, and of an `If` the first branch. An operation without cost, `onnx.data_dependent`,
records what was done, for the notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ._attributes import INT, INTS
from ._library import define
from ._operators import Node, number, require_pieces
from ._run import Run, Step, Value, derived

_MOST_STEPS = 10_000


def _same(x: Tensor, operator: str, steps: int, followed: bool) -> Tensor:
    return x.view(x.shape)


_data_dependent = define(
    "data_dependent(Tensor(a) x, str operator, int steps, bool followed) -> Tensor(a)", _same
)


class _Decisions:
    """Numbers and conditions that decide how often a body runs. `open`: one was asked for that
    nobody knows. `cause`: a value of the data that decided."""

    def __init__(self) -> None:
        self.open = False
        self.cause: Tensor | None = None

    def read(self, value: Value) -> int | None:
        """None where it is not known."""
        if value.known:
            return int(number(value.tensor))
        self.cause = value.tensor
        try:
            return int(value.tensor.item())
        except (RuntimeError, NotImplementedError):  # it is on `meta`, without a value
            self.open = True
            return None

    def say(self, node: Node, steps: int) -> None:
        """Record that the data decide."""
        if self.cause is not None:
            _data_dependent(self.cause, node.operator, steps, not self.open)

    def settled(self, values: Sequence[Value]) -> list[Value]:
        """Values after the body: where the data decide, none is known."""
        cause = self.cause
        if cause is None:
            return list(values)
        return [
            Value(v.data.to(cause.device) if isinstance(v.data, Tensor) else v.data, False)
            for v in values
        ]


def branch(run: Run, step: Step) -> list[Value]:
    """ONNX, If: only the branch that is taken runs."""
    decisions = _Decisions()
    condition = decisions.read(run.get(step.node.inputs[0]))
    taken = "else_branch" if condition == 0 else "then_branch"
    found = run.body(step, step.bodies[taken], ())
    decisions.say(step.node, 1)
    return decisions.settled(found)


def loop(run: Run, step: Step) -> list[Value]:
    """ONNX, Loop: a body with the number of the step, a condition and carried values, for at most
    so many steps and as long as the condition holds. Further outputs of the body are stacked."""
    node, body, decisions = step.node, step.bodies["body"], _Decisions()
    limit, condition, *_ = (*node.inputs, "", "")
    most = decisions.read(run.get(limit)) if limit else None
    going = run.get(condition) if condition else _known(run, True)
    state = _State.of(run, node.inputs[2:], len(body.outputs) - 1)
    done = 0
    while done != most and _continues(decisions, going, done):
        if done == _MOST_STEPS:
            raise ValueError(f"{node.label} takes over {_MOST_STEPS:,} steps; each is traced")
        going, *found = run.body(step, body, (_known(run, done), going, *state.carried))
        state.add(found)
        done += 1
    decisions.say(node, done)
    names = node.outputs[len(state.carried) :]
    stacked = [_stacked(run, *pair, 0) for pair in zip(names, state.stacked, strict=False)]
    return decisions.settled((*state.carried, *stacked))


def _continues(decisions: _Decisions, going: Value, done: int) -> bool:
    """Whether another step runs; where that is not known, the first does."""
    condition = None if decisions.open else decisions.read(going)
    return done == 0 if condition is None else bool(condition)


def scan(run: Run, step: Step) -> list[Value]:
    """ONNX, Scan: a body with carried values and a slice of each scanned input, for each step of
    these; further outputs of the body are stacked.

    Raises ValueError for the batched form of opset 8."""
    node, body = step.node, step.bodies["body"]
    if node.opset < 9:
        raise ValueError(f"{node.label} of opset 8 has no mapping; convert it to opset 9")
    split = len(node.inputs) - node.get("num_scan_inputs", INT)
    state = _State.of(run, node.inputs[:split], len(body.outputs))
    scanned = [
        _slices(run, name, axis, reverse)
        for name, axis, reverse in _directed(node, "input", node.inputs[split:])
    ]
    for slices in zip(*scanned, strict=True):
        state.add(run.body(step, body, (*state.carried, *slices)))
    directed = _directed(node, "output", node.outputs[len(state.carried) :])
    return state.carried + [
        _stacked(run, name, values[::-1] if reverse else values, axis)
        for values, (name, axis, reverse) in zip(state.stacked, directed, strict=False)
    ]


@dataclass
class _State:
    """What goes from step to step: `carried` values, and `stacked` ones of the steps so far."""

    carried: list[Value]
    stacked: list[list[Value]]

    @classmethod
    def of(cls, run: Run, names: Sequence[str], outputs: int) -> _State:
        carried = [run.get(name) for name in names]
        return cls(carried, [[] for _ in range(outputs - len(carried))])

    def add(self, found: Sequence[Value]) -> None:
        split = len(self.carried)
        self.carried = list(found[:split])
        for values, value in zip(self.stacked, found[split:], strict=True):
            values.append(value)


def _directed(node: Node, side: str, names: Sequence[str]) -> list[tuple[str, int, int]]:
    """Scanned values, with the axis of the steps and whether they go from the last to the first."""
    axes = node.get(f"scan_{side}_axes", INTS, None) or [0] * len(names)
    reverse = node.get(f"scan_{side}_directions", INTS, None) or [0] * len(names)
    return list(zip(names, axes, reverse, strict=True))


def _slices(run: Run, name: str, axis: int, reverse: int) -> list[Value]:
    value = run.get(name)
    require_pieces(value.tensor.shape[axis])

    def unbound(x: Tensor) -> list[Tensor]:
        return list(x.unbind(axis))

    slices = derived(run, unbound, value).data
    assert isinstance(slices, list), "what a function makes is the data"
    found = [Value(t, value.known) for t in slices]
    return found[::-1] if reverse else found


def _stacked(run: Run, name: str, values: Sequence[Value], axis: int) -> Value:
    def stack(*each: Tensor) -> Tensor:
        return torch.stack(each, axis)

    if values:
        return derived(run, stack, *values)
    shape, kind = run.file.inferred(name)
    return derived(run, lambda: torch.empty(shape, dtype=kind))


def _known(run: Run, value: int) -> Value:
    """A number or a condition as a tensor."""
    return derived(run, lambda: torch.tensor(value))


CONTROL: dict[str, Callable[[Run, Step], list[Value]]] = {
    "If": branch,
    "Loop": loop,
    "Scan": scan,
}
