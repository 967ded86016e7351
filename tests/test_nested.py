"""Nested tensors: counted by the values that they keep, or refused in one line."""

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

import costlab

LENGTHS = (3, 5)  # 8 rows in all


def sequences(layout=torch.jagged, width=8):
    return torch.nested.nested_tensor([torch.randn(n, width) for n in LENGTHS], layout=layout)


class Normalized(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(8, 4), nn.LayerNorm(4)

    def forward(self, x):
        return self.norm(self.linear(x).relu())


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))

    def forward(self, x):
        q, k, v = (linear(x).unflatten(-1, (2, 4)).transpose(1, 2) for linear in self.qkv)
        return scaled_dot_product_attention(q, k, v).transpose(1, 2)


class Packing(nn.Module):
    """Makes a nested tensor of plain ones, and a padded one of the result."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 4)

    def forward(self, a, b):
        nested = torch.nested.nested_tensor([a, b], layout=torch.jagged)
        return self.linear(nested).to_padded_tensor(0.0)


# (model, inputs, MACs, params, shape of the output)
CASES = [
    # 8 rows through 8 -> 4; the padding to two sequences of 5 rows is no work
    (nn.Linear(8, 4), (sequences(),), 8 * 8 * 4, 36, (8, 4)),
    (Normalized(), (sequences(),), 8 * 8 * 4, 36 + 8, (8, 4)),
    # three projections; for each of 2 heads of width 4: n x n products, twice
    (Attention(), (sequences(),), 3 * 8 * 8 * 8 + 2 * 2 * 4 * (3**2 + 5**2), 216, (8, 2, 4)),
    (Packing(), (torch.randn(3, 8), torch.randn(5, 8)), 8 * 8 * 4, 36, (2, 5, 4)),
]


@pytest.mark.parametrize("model, inputs, macs, params, out", CASES)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_jagged_tensors_are_counted_by_their_values(model, inputs, macs, params, out, device):
    trace = costlab.trace(model, inputs, device=device)
    assert costlab.total(trace).macs == macs
    assert sum(p.numel for p in trace.params) == params
    assert [trace.tensors[i].shape for i in trace.outputs] == [out]


class TwoHeads(nn.Module):
    """Two heads of 4 over each sequence."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)

    def forward(self, x):
        parts = self.qkv(x).chunk(3, -1)
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in parts)
        return nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("fused", [False, True])
def test_attention_of_jagged_tensors_is_counted_by_sequence(fused, device):
    """Sequences of 3 and 5: 8 rows of 8 x 24, then 2 heads x (9 + 25) scores x (4 + 4)."""
    trace = costlab.trace(TwoHeads(), sequences(), device=device, fused=fused)
    assert costlab.total(trace).macs == 8 * 8 * 24 + 2 * (9 + 25) * 8


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    "model",
    [
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1),
    ],
)
def test_layers_of_torch_that_take_no_jagged_tensors_say_what_to_do(model, device):
    with pytest.raises(costlab.TraceError, match="takes no jagged tensors; pad them, or use"):
        costlab.trace(model.eval(), sequences(), device=device)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_backward_pass_of_jagged_tensors(device):
    trace = costlab.trace(nn.Linear(8, 4), sequences(), device=device, backward=True)
    # 8 rows of 8 x 4 forward, and as many for the gradient of the weight; the input needs none
    step = costlab.training(trace)
    assert (step.forward_macs, step.backward_macs) == (8 * 8 * 4, 8 * 8 * 4)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_strided_nested_tensors_are_refused_in_one_line(device):
    line = r"^a nested tensor of the strided layout .* make it with layout=torch.jagged, or pad it$"
    with pytest.raises(costlab.TraceError, match=line):
        costlab.trace(nn.Linear(8, 4), sequences(torch.strided), device=device)
