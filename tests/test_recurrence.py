"""Loops over time that a model runs in Python: a diagram has one step, with how many there are."""

import costlab
import pytest
import torch
from costlab.analysis.diagram import diagram
from torch import nn

STEPS, IN, HIDDEN = 6, 3, 4


class Cell(nn.Module):
    """An Elman cell of two layers."""

    def __init__(self):
        super().__init__()
        self.i2h, self.h2h = nn.Linear(IN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)

    def forward(self, x, h):
        return torch.tanh(self.i2h(x) + self.h2h(h))


class CellInLoop(nn.Module):
    """A cell of submodules, and a layer after the loop."""

    def __init__(self):
        super().__init__()
        self.cell, self.out = Cell(), nn.Linear(HIDDEN, 2)

    def forward(self, x):
        h = x.new_zeros(1, HIDDEN)
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
        return self.out(h)


class LayersInLoop(nn.Module):
    """The layers of the cell are those of the model itself."""

    def __init__(self):
        super().__init__()
        self.i2h, self.h2h = nn.Linear(IN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)

    def forward(self, x):
        h = x.new_zeros(1, HIDDEN)
        for t in range(x.shape[1]):
            h = torch.tanh(self.i2h(x[:, t]) + self.h2h(h))
        return h


class Concatenated(nn.Module):
    """Input and state are one tensor, and no two products are added."""

    def __init__(self):
        super().__init__()
        self.i2h, self.i2o = nn.Linear(IN + HIDDEN, HIDDEN), nn.Linear(IN + HIDDEN, 2)

    def forward(self, x):
        h, o = x.new_zeros(1, HIDDEN), x.new_zeros(1, 2)
        for t in range(x.shape[1]):
            both = torch.cat((x[:, t], h), 1)
            h, o = self.i2h(both), self.i2o(both)
        return o


class Stacked(nn.Module):
    """Two cells, one above the other, at each step; every step gives an output."""

    def __init__(self):
        super().__init__()
        self.cells, self.up = nn.ModuleList([Cell(), Cell()]), nn.Linear(HIDDEN, IN)

    def forward(self, x):
        a = b = x.new_zeros(1, HIDDEN)
        found = []
        for t in range(x.shape[1]):
            a = self.cells[0](x[:, t], a)
            b = self.cells[1](self.up(a), b)
            found.append(b)
        return torch.stack(found, 1)


class Shared(nn.Module):
    """One layer six times in a row, which takes in nothing more: no loop over time."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(IN, IN)

    def forward(self, x):
        for _ in range(STEPS):
            x = torch.relu(self.layer(x))
        return x


MODELS = (CellInLoop, LayersInLoop, Concatenated, Stacked, Shared)


def traced(build, steps=STEPS):
    """A trace of a model for a sequence."""
    return costlab.trace(build().eval(), torch.rand(1, steps, IN), spec=build.__name__)


def names(build, **how):
    """The boxes between input and output."""
    boxes = diagram(traced(build), **how).boxes
    return [b.name for b in boxes if b.kind not in ("input", "output")]


INSIDE = ["linear, 4 x 6 steps", "linear, 4 x 6 steps", "+, tanh x 6 steps"]


@pytest.mark.parametrize(
    "build, how, expected",
    [
        (CellInLoop, {}, ["Cell x 6 steps", "linear, 2"]),
        (CellInLoop, {"depth": 1}, [*INSIDE, "linear, 2"]),
        (CellInLoop, {"style": "paper"}, [*INSIDE, "linear, 2"]),
        (CellInLoop, {"module": "cell"}, INSIDE),
        (LayersInLoop, {}, INSIDE),
        (Concatenated, {}, ["concat x 6 steps", "linear, 4 x 6 steps", "linear, 2 x 6 steps"]),
        (
            Stacked,
            {},
            ["Cell x 6 steps", "linear, 3 x 6 steps", "Cell x 6 steps", "stack"],
        ),
        (Shared, {}, ["linear, 3"] * STEPS),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_one_step_is_drawn_with_how_many_there_are(build, how, expected):
    assert names(build, **how) == expected


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("build", MODELS)
def test_the_boxes_hold_the_costs_of_all_steps(build, depth):
    trace = traced(build)
    d, whole = diagram(trace, depth=depth), costlab.total(trace)
    assert (d.own_macs, d.params) == (whole.macs, whole.params)


def test_what_a_step_leaves_for_the_next_one_is_no_edge():
    d = diagram(traced(LayersInLoop))
    name = {b.id: b.text for b in d.boxes}
    assert [(name[e.source], name[e.target], e.size) for e in d.edges] == [
        ("input", "linear, 4", "1x1x3"),
        ("linear, 4", "+, tanh", "1x1x4"),
        ("linear, 4", "+, tanh", "1x1x4"),
        ("+, tanh", "output", "1x1x4"),
    ]


@pytest.mark.parametrize("steps", [2, 3, 40])
def test_the_diagram_grows_no_larger_with_the_sequence(steps):
    boxes = diagram(traced(CellInLoop, steps)).boxes
    assert [b.name for b in boxes] == ["input", f"Cell x {steps} steps", "linear, 2", "output"]
