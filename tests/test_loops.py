"""Recurrent models that are Python loops: the work of tracing is the same at every step."""

import sys

import pytest
import torch
from torch import nn

import costlab


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(4, 4)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], 4)
        states = []
        for t in range(x.shape[1]):
            h, c = self.cell(x[:, t], (h, c))
            states.append(h)
        return torch.stack(states, 1)


class Scan(nn.Module):
    """The loop of Mamba: a state of 4 x 2 that decays, takes in, and is read."""

    def __init__(self):
        super().__init__()
        self.read = nn.Linear(4, 2)

    def forward(self, x):
        read = self.read(x)
        h, out = x.new_zeros(x.shape[0], 4, 2), []
        for t in range(x.shape[1]):
            h = h * 0.5 + x[:, t, :, None]
            out.append((h @ read[:, t, :, None])[..., 0])
        return torch.stack(out, 1)


class Cache(nn.Module):
    """Writes a view of a buffer of its own at every step."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.register_buffer("cache", torch.zeros(1, 200, 4))

    def forward(self, x):
        for t in range(x.shape[1]):
            self.cache[:, t] = self.linear(x[:, t])
        return self.cache


def calls(model, steps, device):
    """How many Python functions a trace calls."""
    count = 0

    def seen(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    x = torch.randn(1, steps, 4)
    sys.setprofile(seen)
    try:
        costlab.trace(model, x, device=device)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", [Lstm, Scan, Cache])
@pytest.mark.parametrize("device", ["cpu", pytest.param("meta", marks=pytest.mark.slow)])
def test_the_work_of_a_step_does_not_grow(kind, device):
    model = kind()
    calls(model, 2, device)  # the first trace of a kind fills torch's own tables
    few, more, most = (calls(model, steps, device) for steps in (50, 100, 150))
    # a per mille is torch's own bookkeeping
    assert most - more == pytest.approx(more - few, rel=0.005)


# of 50 steps: a cell has 4 gates of 4 + 4 inputs by 4; a scan reads 4 -> 2, then multiplies 4 x 2
MACS = [(Lstm, 50 * 4 * 8 * 4), (Scan, 50 * (4 * 2 + 4 * 2)), (Cache, 50 * 4 * 4)]


@pytest.mark.parametrize("kind, macs", MACS)
def test_loops_are_counted_step_by_step(kind, macs):
    trace = costlab.trace(kind(), torch.randn(1, 50, 4), device="meta")
    assert costlab.total(trace).macs == macs
