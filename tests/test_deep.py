"""Modules in modules in modules: what runs can be traced, and time grows with how deep they are."""

import sys

import pytest
import torch
from torch import nn

import costlab
from costlab.api._models import as_trace
from costlab.graph import layer_graph
from costlab.tables.styles.layers import opened


class Nest(nn.Module):
    """A linear layer, then the module inside."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.fc = inner, nn.Linear(4, 4)

    def forward(self, x):
        return self.inner(self.fc(x))


class Wrap(nn.Module):
    """Nothing but the module inside."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


def nested(depth, kind=Nest, inner=None):
    net = inner or nn.Linear(4, 4)
    for _ in range(depth):
        net = kind(net)
    return net


@pytest.fixture
def room(request):
    """For as many calls in each other as a model of 1,000 modules makes."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def test_200_modules_in_each_other_are_traced_saved_read_and_shown(tmp_path):
    x = torch.rand(1, 4)
    for device in ("cpu", "meta"):
        trace = costlab.trace(nested(200), x, device=device)
        assert costlab.total(trace).macs == 201 * 16
    trained = costlab.trace(nested(60), x, backward=True)
    assert costlab.total(trained, trained.backward).macs == 2 * 61 * 16 - 16  # none of the input
    trace.save(tmp_path / "deep.trace")
    again = costlab.Trace.load(tmp_path / "deep.trace")
    assert costlab.table(again).macs == 201 * 16
    assert len(costlab.diagram(again).draw("dot")) > 201


@pytest.mark.slow
def test_1000_modules_in_each_other_are_traced_and_read_again(tmp_path, room):
    trace = costlab.trace(nested(1000), torch.rand(1, 4))
    trace.save(tmp_path / "deep.trace")
    assert costlab.total(costlab.Trace.load(tmp_path / "deep.trace")).macs == 1001 * 16


def test_a_model_in_many_wrappers_has_the_rows_of_the_model():
    """To open a wrapper alone would give the same row again."""
    inner = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 8), nn.Linear(8, 4))
    plain = costlab.table(costlab.trace(inner, torch.rand(1, 4)))
    wrapped = costlab.table(costlab.trace(nested(100, Wrap, inner), torch.rand(1, 4)))
    assert [r.macs for r in wrapped.rows] == [r.macs for r in plain.rows] == [16, 32, 32]


def test_what_is_opened_holds_most_of_the_model_until_a_leaf_does():
    """ResNet-50: layer3 has 36% of the MACs and layer4 59% of the params, of which its first block
    has 40.3% of all: 6,039,552 of 25,557,032 are no 40%."""
    trace = as_trace("torchvision:resnet50", "table")
    assert opened(trace, layer_graph(trace)) == {(), ("layer4",)}


def calls(depth):
    """How many functions a table and a diagram call, those of C among them."""
    trace = costlab.trace(nested(depth), torch.rand(1, 4))
    count = 0

    def seen(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        costlab.table(trace)
        costlab.diagram(trace)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.slow
def test_work_grows_with_depth(room):
    """Four times as deep: 16 times would be quadratic. Calls are the same on every machine, and
    time is not."""
    calls(50)  # what is imported at first
    assert calls(1000) / calls(250) < 8
