"""Forward-mode derivatives: the products of the function and of its tangent, and no others."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad

import costlab


class Jvp(nn.Module):
    """The derivative by the input, in the direction of ones."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return torch.func.jvp(self.inner, (x,), (torch.ones_like(x),))


class Dual(nn.Module):
    """The same by dual numbers."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        with forward_ad.dual_level():
            out = self.inner(forward_ad.make_dual(x, torch.ones_like(x)))
            return tuple(forward_ad.unpack_dual(out))


class ByWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(10, 10))

    def forward(self, x):
        return torch.func.jvp(lambda w: x @ w, (self.weight,), (torch.ones(10, 10),))


class Zeros(nn.Module):
    """A product with zeros that a model makes itself is work as any other."""

    def forward(self, x):
        return x @ torch.zeros(()).expand(10, 10)


# y = x W: the tangent is x' W, and the product x W' with the tangent of a weight, zeros, is no work
CASES = [
    (Jvp(nn.Linear(10, 10)), (4, 10), 4 * 10 * 10 * 2),
    (Dual(nn.Linear(10, 10)), (4, 10), 4 * 10 * 10 * 2),
    (Jvp(nn.Linear(10, 10, bias=False)), (2, 4, 10), 2 * 4 * 10 * 10 * 2),
    (Jvp(nn.Sequential(nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 5))), (4, 10), 4 * 150 * 2),
    # 6 x 6 places of 3 x 3 x 3 by 4
    (Jvp(nn.Conv2d(3, 4, 3)), (1, 3, 8, 8), 36 * 27 * 4 * 2),
    (Jvp(nn.Conv2d(3, 4, 3, bias=False)), (1, 3, 8, 8), 36 * 27 * 4 * 2),
    (ByWeight(), (4, 10), 4 * 10 * 10 * 2),
    (Zeros(), (4, 10), 4 * 10 * 10),
]


@pytest.mark.parametrize("model, shape, macs", CASES)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_function_and_its_tangent(model, shape, macs, device):
    trace = costlab.trace(model, torch.randn(shape), device=device)
    assert costlab.total(trace).macs == macs
