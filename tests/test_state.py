"""A traced model keeps its state, whatever it does to it while it runs."""
import pytest
import torch
from torch import nn

import costlab

DEVICES = ["meta", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]


class Keeps(nn.Module):
    """Runs `change` on itself; its state is what a tracer could spoil."""

    def __init__(self, change):
        super().__init__()
        self.change, self.fc = change, nn.Linear(4, 4)
        self.register_buffer("seen", torch.zeros(3))
        self.register_buffer("none", None)
        self.calls, self.log, self.cache, self.last = 0, [1], {"a": [2]}, None
        self.register_parameter("late", None)

    def forward(self, x):
        y = self.fc(x)
        self.change(self, y)
        return y


def fail(m, y):
    m.seen[1] = 5
    m.calls += 1
    raise KeyError("half-way")


CHANGES = {
    "a buffer through a view": lambda m, y: m.seen[0].add_(1),
    "a buffer through a slice of a view": lambda m, y: m.seen.view(3, 1)[1:].fill_(7),
    "a buffer in place": lambda m, y: m.seen.add_(y.mean()),
    "a buffer by assignment": lambda m, y: setattr(m, "seen", m.seen + 1),
    "a buffer that was none": lambda m, y: setattr(m, "none", y.detach()),
    "a parameter through its data": lambda m, y: m.fc.weight.data.mul_(0),
    "a parameter in place": lambda m, y: torch.no_grad()(m.fc.weight.zero_)(),
    "a parameter by assignment": lambda m, y: setattr(m.fc, "weight", nn.Parameter(torch.ones(4, 4))),
    "a number": lambda m, y: setattr(m, "calls", m.calls + 1),
    "a list": lambda m, y: m.log.append(y),
    "a dict of lists": lambda m, y: (m.cache["a"].append(3), m.cache.update(b=y)),
    "an attribute that holds a tensor": lambda m, y: setattr(m, "last", y),
    "a new attribute": lambda m, y: setattr(m, "fresh", y),
    "a new submodule": lambda m, y: m.add_module("extra", nn.Linear(1, 1)),
    "a submodule replaced": lambda m, y: setattr(m, "fc", nn.Linear(4, 4)),
    "training mode": lambda m, y: m.train(),
    "a frozen parameter": lambda m, y: m.fc.weight.requires_grad_(False),
    "the random state": lambda m, y: torch.manual_seed(7),
    "a gradient": lambda m, y: setattr(m.fc.bias, "grad", torch.ones(4)),
    "half of it, and then it fails": fail,
}


def state(m):
    """Everything that is to stay, by value and by which object it is."""
    tensors = {k: (id(v), v.detach().clone(), v.requires_grad, v.device, v.grad) for k, v in (*m.named_parameters(), *m.named_buffers())}
    plain = {k: repr(v) for k, v in vars(m).items() if k not in ("change", "_parameters", "_buffers", "_modules")}
    return tensors, plain, [(n, id(c), c.training) for n, c in m.named_modules()], torch.get_rng_state()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_model_does_to_itself_while_traced_is_undone(change, device):
    model = Keeps(change).eval()
    before = state(model)
    if change is fail:
        with pytest.raises(costlab.TraceError, match="KeyError"):
            costlab.trace(model, torch.ones(2, 4), device=device)
    else:
        assert costlab.total(costlab.trace(model, torch.ones(2, 4), device=device)).macs == 32
    after = state(model)
    assert before[0].keys() == after[0].keys() and before[1:3] == after[1:3] and torch.equal(before[3], after[3])
    for name, (ident, value, grad, where, gradient) in before[0].items():
        now = after[0][name]
        assert ident == now[0] and torch.equal(value, now[1]) and (grad, where, gradient) == now[2:], name


@pytest.mark.parametrize("device", DEVICES)
def test_the_inputs_are_left_as_they_were(device):
    class Spoils(nn.Module):
        def forward(self, batch):
            batch["x"].mul_(0)
            batch["x"].view(-1)[0] = 9
            return batch["x"] + 1
    x = torch.ones(2, 3)
    costlab.trace(Spoils(), ({"x": x},), device=device)
    assert torch.equal(x, torch.ones(2, 3))
