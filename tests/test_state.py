"""A traced model keeps its state, whatever it does to it while it runs."""

import collections
import functools
import logging
import queue
import random
import threading

import numpy
import pytest
import torch
from torch import nn

import costlab

DEVICES = ["meta", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]


class Box:
    """A plain object of the user's."""

    def __init__(self):
        self.items, self.n = [], 0

    def __repr__(self):
        return repr(vars(self))


class Keeps(nn.Module):
    """Runs `change` on itself; its state is what a tracer could spoil."""

    def __init__(self, change):
        super().__init__()
        self.change, self.fc = change, nn.Linear(4, 4)
        self.register_buffer("seen", torch.zeros(3))
        self.register_buffer("none", None)
        self.calls, self.log, self.cache, self.last = 0, [1], {"a": [2]}, None
        self.register_parameter("late", None)
        self.queue, self.box = collections.deque([1], 3), Box()
        self.box.inner = Box()
        self._log, self._memo, self.mean, self.var = [], {}, torch.zeros(4), torch.ones(4)

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
    "a parameter by assignment": lambda m, y: setattr(
        m.fc, "weight", nn.Parameter(torch.ones(4, 4))
    ),
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
    "a parameter's data": lambda m, y: setattr(
        m.fc.weight, "data", torch.renorm(m.fc.weight.data, 2, 0, 0.1)
    ),
    "a buffer's data": lambda m, y: setattr(m.seen, "data", m.seen + 1),
    "an object": lambda m, y: (m.box.inner.items.append(y), setattr(m.box, "n", 3)),
    "a queue": lambda m, y: m.queue.append(y),
    "Python's and numpy's random state": lambda m, y: (random.random(), numpy.random.rand()),
    "private containers that were empty": lambda m, y: (
        m._log.append(1),
        m._memo.update(a=y),
        m.fc.register_forward_hook(lambda *a: None),
    ),
    "statistics that are not buffers": lambda m, y: nn.functional.batch_norm(
        y, m.mean, m.var, training=True
    ),
    "half of it, and then it fails": fail,
}


def state(m):
    """Everything that is to stay, by value and by which object it is."""
    tensors = {
        k: (id(v), v.detach().clone(), v.requires_grad, v.device, v.grad)
        for k, v in (*m.named_parameters(), *m.named_buffers())
    }
    plain = {
        k: repr(v)
        for k, v in (
            *vars(m).items(),
            *((f"fc{k}", v) for k, v in vars(m.fc).items() if "hooks" in k),
        )
        if k not in ("change", "_parameters", "_buffers", "_modules")
    }
    return (
        tensors,
        plain,
        [(n, id(c), c.training) for n, c in m.named_modules()],
        [torch.get_rng_state().tolist(), random.getstate(), repr(numpy.random.get_state())],
    )


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
    assert before[0].keys() == after[0].keys() and before[1:] == after[1:]
    for name, (ident, value, grad, where, gradient) in before[0].items():
        now = after[0][name]
        assert (
            ident == now[0] and torch.equal(value, now[1]) and (grad, where, gradient) == now[2:]
        ), name


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


class Cache:
    """Keys and values as decoders keep them: a caller's object that the model writes."""

    def __init__(self):
        self.keys = [torch.ones(1, 3, 4)]


@pytest.mark.parametrize("device", DEVICES)
def test_an_object_with_tensors_is_an_input_and_left_as_it_was(device):
    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4, bias=False)

        def forward(self, x, cache):
            cache.keys[0] = torch.cat((cache.keys[0], self.fc(x)), 1)
            return x @ cache.keys[0].transpose(1, 2)

    model, cache = Decoder(), Cache()
    for _ in range(2):  # one token: 16, and 4 for each of 4 keys
        trace = costlab.trace(model, (torch.ones(1, 1, 4), cache), device=device)
        assert costlab.total(trace).macs == 16 + 16 and [
            s for s, _ in trace.provenance["inputs"]
        ] == ["1x1x4", "1x3x4"]
        assert (
            len(cache.keys) == 1
            and cache.keys[0].shape == (1, 3, 4)
            and cache.keys[0].device.type == "cpu"
        )


def test_a_tensor_that_outlives_a_run_is_another_runs_outside():
    @functools.lru_cache
    def positions(n):
        return torch.arange(n * 8, dtype=torch.float32).view(1, n, 8) * 1.0

    class Model(nn.Module):
        def __init__(self, layers):
            super().__init__()
            self.layers = nn.Sequential(*(nn.Linear(8, 8) for _ in range(layers)))

        def forward(self, x):
            return torch.bmm(positions(x.shape[1]), self.layers(x).transpose(1, 2))

    x = torch.zeros(1, 16, 8)
    for layers in (6, 1):  # 16 tokens by 64 a layer, then 16 x 16 x 8
        trace = costlab.trace(Model(layers), x, device="cpu")
        assert costlab.total(trace).macs == layers * 16 * 64 + 16 * 16 * 8 and all(
            i < len(trace.tensors) for op in trace.ops for i in op.inputs
        )


@pytest.mark.parametrize("device", DEVICES)
def test_a_scripted_module_is_traced_and_left_as_it_was(device):
    model = nn.Sequential(torch.jit.script(nn.Linear(4, 4)), nn.Linear(4, 4), nn.BatchNorm1d(4))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert (
        costlab.total(costlab.trace(model, torch.ones(2, 4), device=device, train=False)).macs == 64
    )
    assert (
        all(torch.equal(v, model.state_dict()[k]) for k, v in before.items())
        and all(m.training for m in model)
        and model(torch.ones(2, 4)).shape == (2, 4)
    )


def test_threads_and_loggers_are_the_processs():
    """A worker that waits for its queue still wakes after the model was traced, and a logger made
    meanwhile stays."""

    class Works(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.asked, self.done, self.log = (
                nn.Linear(4, 4),
                queue.Queue(),
                queue.Queue(),
                logging.getLogger("costlab.test"),
            )
            threading.Thread(target=self.work, daemon=True).start()

        def work(self):
            while True:
                self.asked.get()
                self.done.put(1)

        def forward(self, x):
            logging.getLogger("costlab.test.lazy")
            self.asked.put(1)
            self.done.get(timeout=10)
            return self.fc(x)

    model = Works()
    for _ in range(2):
        assert costlab.total(costlab.trace(model, torch.ones(2, 4), device="cpu")).macs == 32
        model(torch.ones(2, 4))
    assert "costlab.test.lazy" in logging.Logger.manager.loggerDict


def test_training_leaves_other_gradients_and_graphs_alone():
    class Carries(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.extra, self.h = (
                nn.Linear(4, 4),
                [nn.Parameter(torch.ones(4, 4))],
                torch.zeros(2, 4),
            )

        def forward(self, x):
            self.h = torch.tanh(self.fc(x) + self.h) @ self.extra[0]
            return self.h

    model, x = Carries(), torch.ones(2, 4)
    costlab.trace(model, x, device="cpu", backward=True)
    assert model.extra[0].grad is None and not model.h.requires_grad
    out = model(x)
    model.h = torch.zeros(2, 4)
    costlab.trace(model, x, device="cpu", backward=True)
    out.sum().backward()
    assert model.extra[0].grad is not None


def test_a_buffer_written_with_a_gradient_is_put_back():
    class Memory(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)
            self.register_buffer("k", torch.zeros(4, 4))

        def forward(self, x):
            self.k[:2] = self.fc(x)
            return self.k @ x.T

    for device in DEVICES:
        model = Memory()
        assert (
            costlab.total(costlab.trace(model, torch.ones(2, 4), device=device, backward=True)).macs
            == 64
        )
        assert torch.equal(model.k, torch.zeros(4, 4)) and not model.k.requires_grad


def test_odd_objects_do_no_harm():
    class Node:
        def __init__(self, rest):
            self.rest = rest

    class Odd:
        def __new__(cls, a):
            return object.__new__(cls)

        def __init__(self, a):
            self.a = a

        def __getstate__(self):
            raise TypeError("not to be copied")

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.chain, self.pair = nn.Linear(4, 4), None, ()
            for _ in range(3000):
                self.chain = Node(self.chain)
            for _ in range(40):
                self.pair = (self.pair, self.pair)

        def forward(self, x):
            return Odd(self.fc(x.a))

    trace = costlab.trace(Model(), Odd(torch.ones(2, 4)))
    assert costlab.total(trace).macs == 32 and len(trace.inputs) == len(trace.outputs) == 1


def test_padding_a_sequence_takes_linear_memory_in_training():
    """Bytes written grow with the length, not with its square."""

    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 8)

        def forward(self, x, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(self.fc(x), lengths, batch_first=True)
            return nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)[0]

    written = []
    for n in (50, 200):
        trace = costlab.trace(
            Padded(), (torch.ones(2, n, 8), torch.full((2,), n)), device="cpu", backward=True
        )
        written.append(costlab.total(trace, trace.backward).written)
    assert written[1] < 4.5 * written[0]


class Hyper(nn.Module):
    """Makes the weight of a layer in `forward`."""

    def __init__(self):
        super().__init__()
        self.make, self.fc = nn.Linear(9, 100, bias=False), nn.Linear(10, 10, bias=False)

    def forward(self, z, x):
        self.fc.weight = nn.Parameter(self.make(z).view(10, 10))
        return self.fc(x)


@pytest.mark.parametrize("device", DEVICES)
def test_a_parameter_made_in_forward_is_not_counted_again(device):
    model, inputs = Hyper(), (torch.rand(9), torch.rand(2, 10))
    total = costlab.total(costlab.trace(model, inputs, device=device))
    assert total.params == 900 + 100 == sum(p.numel() for p in model.parameters())


class Shadows(nn.Module):
    """Its attributes have the names of methods."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.modules, self.parameters, self.buffers = [self.fc], 3, None

    def forward(self, x):
        return self.fc(x)


@pytest.mark.parametrize("device", DEVICES)
def test_attributes_may_shadow_methods(device):
    assert costlab.total(costlab.trace(Shadows(), torch.ones(2, 4), device=device)).macs == 32


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_and_frozen_modules_are_traced():
    frozen = torch.jit.freeze(torch.jit.script(nn.Linear(4, 4).eval()))
    compiled = torch.compile(nn.Linear(4, 4))
    for model in (frozen, compiled, nn.Sequential(compiled)):
        assert costlab.total(costlab.trace(model, torch.ones(2, 4), device="cpu")).macs == 32


class Retries(nn.Module):
    """Fails in `a`, goes on, and fails in `c`."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(5, 5), nn.Linear(4, 4), nn.Linear(6, 6)

    def forward(self, x):
        try:
            return self.a(x)
        except RuntimeError:
            return self.c(self.b(x))


def test_the_module_that_failed_last_is_named():
    with pytest.raises(costlab.TraceError, match=r"failed in c: .*, aten.addmm on 6, 2x4, 6x6\)"):
        costlab.trace(Retries(), torch.ones(2, 4), device="meta")


def test_threads_trace_at_once():
    found = {}

    def run(layers):
        model = nn.Sequential(*(nn.Linear(8, 8) for _ in range(layers)))
        found[layers] = costlab.total(costlab.trace(model, torch.rand(2, 8), device="cpu")).macs

    threads = [threading.Thread(target=run, args=(n,)) for n in (20, 30, 40, 50)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == {n: n * 2 * 8 * 8 for n in (20, 30, 40, 50)}


class Meets(nn.Module):
    """Says that it runs, then waits for another thread, half a second at most."""

    def __init__(self, runs, waits_for):
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.runs, self.waits_for = runs, waits_for

    def forward(self, x):
        self.runs.set()
        self.waits_for.wait(0.5)
        return self.layer(x)


def test_threads_that_overlap_leave_torch_as_it_was():
    """The second thread would run inside the first and outlast it: each would put back what the
    other had replaced. One waits for the other instead."""
    before = torch.compile, nn.functional.one_hot, torch.rms_norm
    first_runs, second_runs, first_done = (threading.Event() for _ in range(3))
    found = {}

    def first():
        found[1] = costlab.trace(Meets(first_runs, second_runs), torch.rand(2, 8), device="cpu")
        first_done.set()

    def second():
        first_runs.wait()
        found[2] = costlab.trace(Meets(second_runs, first_done), torch.rand(2, 8), device="cpu")

    threads = [threading.Thread(target=run) for run in (first, second)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [costlab.total(found[n]).macs for n in (1, 2)] == [2 * 8 * 8] * 2
    assert (torch.compile, nn.functional.one_hot, torch.rms_norm) == before
