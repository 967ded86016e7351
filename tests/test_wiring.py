"""Which layer reads which, and how deep a network is, where the program says it in a roundabout
way: views that share memory, modes of torch, weights that are prepared once. Found by random
models."""

import pytest
import torch
from torch import nn
from wiring import wiring

import costlab
from costlab.graph import layer_graph, longest


class Net(nn.Module):
    """Two linear layers of 8 features, and `run` on them."""

    def __init__(self, run):
        super().__init__()
        self.run, self.one, self.two = run, nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        return self.two(self.run(self, x))


def view_before_a_write(net, x):
    y = net.one(x)
    z = x * 1
    view = z.view(-1)
    z.add_(y)
    return view.view(2, 8)


def view_before_a_write_of_a_part(net, x):
    y = net.one(x)
    z = x * 1
    view = z.view(-1)
    z[:, :4].add_(y[:, :4])
    return view.view(2, 8)


def part_before_a_write_of_another_view(net, x):
    y = net.one(x)
    z = torch.cat([x, x], 1)
    left, right = z[:, :8], z[:, 4:12]  # which share four features
    right.copy_(y)
    return left


def part_before_a_write_of_what_is_beside_it(net, x):
    """Rows lie one after the other, so both halves lie in one stretch of memory."""
    y = net.one(x)
    left, right = torch.cat([x, x], 1).chunk(2, 1)
    right.add_(y)
    return left


def write_in_a_module(net, x):
    z = x * 1
    view = z.mT
    nn.ReLU(inplace=True)(z)
    z += net.one(x)
    return view.mT


BOTH, NEITHER = [0, 1], [0]
VIEWS = {
    view_before_a_write: BOTH,
    view_before_a_write_of_a_part: BOTH,
    part_before_a_write_of_another_view: BOTH,
    part_before_a_write_of_what_is_beside_it: NEITHER,
    write_in_a_module: BOTH,
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("run", VIEWS, ids=lambda run: run.__name__)
def test_a_view_changes_with_what_shares_its_memory(run, device):
    trace = costlab.trace(Net(run), torch.rand(2, 8), device=device)
    assert wiring(trace)[0] == [("input", []), ("linear", [0]), ("linear", VIEWS[run])]


def returned(net, x):
    z = x * 1
    view = z.view(-1)
    z.add_(net.one(x))
    return view


class Returns(Net):
    def forward(self, x):
        return self.run(self, x)


def test_an_output_is_what_its_memory_holds_in_the_end():
    trace = costlab.trace(Returns(returned), torch.rand(2, 8))
    last = trace.ops[-1]
    assert last.name == "costlab.write" and trace.outputs == last.outputs
    assert trace.ops[-2].name == "aten.add_" and trace.ops[-2].outputs[0] == last.inputs[1]


def test_many_views_that_are_written_one_by_one_take_no_time_together():
    """1,000 rows of one tensor: what is beside a row did not change it."""

    class Rows(nn.Module):
        def forward(self, x):
            out = torch.zeros(1000, 8)
            rows = out.unbind(0)
            for row in rows:
                row.copy_(x)
            return out * 2

    trace = costlab.trace(Rows(), torch.rand(8))
    writes = [op for op in trace.ops if op.name == "costlab.write"]
    assert len(writes) == 1000  # of the whole by each row, and none of a row by another


# ---- modes


def circular():
    """Two convolutions whose padding copies into a view."""
    conv = {"kernel_size": 3, "padding": 1, "padding_mode": "circular"}
    return nn.Sequential(nn.Conv2d(3, 4, **conv), nn.Conv2d(4, 4, **conv))


class Within(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = circular()

    @torch.inference_mode()
    def forward(self, x):
        return self.convs(x)


@pytest.mark.parametrize("outside", [True, False], ids=["around", "inside"])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_inference_mode_changes_nothing(outside, device):
    x = torch.rand(1, 3, 8, 8)
    with torch.inference_mode(outside):
        net = circular() if outside else Within()
        trace = costlab.trace(net, x, device=device)
        assert torch.is_inference_mode_enabled() == outside
    assert wiring(trace)[0] == [("input", []), ("conv", [0]), ("conv", [1])]
    assert longest(layer_graph(trace)) == 2
    assert costlab.total(trace).macs == 64 * 9 * (3 * 4 + 4 * 4)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_layer_under_autocast_is_one_layer(kind):
    """Its weights are cast at the first step alone."""
    with torch.autocast("cpu", torch.bfloat16):
        trace = costlab.trace(kind(8, 4, batch_first=True), torch.rand(1, 5, 8), device="cpu")
    assert longest(layer_graph(trace)) == 1


# ---- depth


class Shortcut(nn.Module):
    """A block of two convolutions and a projection beside them, which runs first or last."""

    def __init__(self, first):
        super().__init__()
        self.first, self.beside = first, nn.Conv2d(3, 4, 1)
        self.block = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1))

    def forward(self, x):
        if self.first:
            beside = self.beside(x)
            return beside + self.block(x)
        return self.block(x) + self.beside(x)


@pytest.mark.parametrize("first", [True, False])
def test_a_projection_beside_a_block_does_not_make_it_a_cell(first):
    """He et al. 2016 count the longer way."""
    trace = costlab.trace(Shortcut(first), torch.rand(1, 3, 8, 8))
    assert longest(layer_graph(trace)) == 2
