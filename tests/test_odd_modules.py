"""Modules that do what modules seldom do: counted right, or refused in one line; left as they were.
Each has one linear layer, 4 -> 4, and takes 2 rows: 2 * 4 * 4 = 32 MACs a call."""

import dataclasses
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.func import linearize
from torch.fx.experimental.proxy_tensor import make_fx

import costlab
from costlab.tables.notes import arithmetic_notes

ONE = 2 * 4 * 4


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(4, 4)

    def forward(self, x):
        return self.l(x)


def net(forward, base: type[nn.Module] = Net, **members):
    """An instance of a module with this `forward`."""
    return type("Odd", (base,), {"forward": forward, **members})()


def shadowed(name, value):
    model = Net()
    model.__dict__[name] = value
    return model


def deletes(self, x):
    y = self.l(x)
    del self.l
    return y


def replaces(self, x):
    self.l = nn.Linear(4, 4)
    return self.l(x)


def empties(self, x):
    y = self.l(x)
    self._parameters.clear()
    self._modules.clear()
    del self.training
    return y


def drops_bias(self, x):
    self.l.bias = None
    return self.l(x)


def toggles(self, x):
    self.train(not self.training)
    return self.l(x)


def generates(self, x):
    yield self.l(x)
    yield self.l(x)


def nothing(self, x):
    self.l(x)


def mutates(self, x):
    x.add_(1)
    return self.l(x)


def mutates_list(self, xs):
    xs.append(xs.pop() * 2)
    return self.l(xs[0])


def mutates_dict(self, d):
    d["y"] = self.l(d["x"])
    return d


def recurs(self, x, times=3):
    return self.l(x) if times == 0 else self(self.l(x), times - 1)


def cyclic(self, x):
    out = [self.l(x)]
    out.append(out)
    return out


def deep_output(self, x):
    out = self.l(x)
    for _ in range(5_000):
        out = [out]
    return out


@dataclasses.dataclass(frozen=True)
class Output:
    y: torch.Tensor


def structured(self, x):
    return Output(self.l(x))


def threaded(self, x):
    thread = threading.Thread(target=self.l, args=(x,))
    thread.start()
    thread.join()
    return x


def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def multiplies_in_a_thread(self, x):
    in_a_thread(lambda: torch.mm(x, self.l.weight))
    return self.l(x)


def computes_in_a_thread(self, x):
    in_a_thread(lambda: sum(range(10)))
    return self.l(x)


POOL = ThreadPoolExecutor(1)
POOL.submit(int).result()  # its thread is there before any trace


def multiplies_in_a_pool(self, x):
    return self.l(POOL.submit(torch.mm, x, self.l.weight).result())


def fails(*_):
    raise RuntimeError("not to be called")


def refuses_evaluation(_, value):
    if not value:
        raise ValueError("read-only")


class Inside(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.i = inner

    def forward(self, x):
        return self.i(x)


def nested(depth):
    model = nn.Linear(4, 4)
    for _ in range(depth):
        model = Inside(model)
    return model


def in_itself():
    model = Net()
    model._modules["again"] = model
    return model


def hooked(kind, hook):
    model = nn.Sequential(nn.Linear(4, 4))
    getattr(model[0], kind)(hook)
    return model


PLAIN = Net.forward
SHADOWING = ("modules", "parameters", "training", "train", "eval", "children", "buffers")
SHADOWING += ("named_modules", "named_parameters", "state_dict", "apply", "to")
X = torch.randn(2, 4)

# name: (model, input, MACs)
COUNTED = {
    "deletes a module": (net(deletes), X, ONE),
    "replaces a module": (net(replaces), X, ONE),
    "empties itself": (net(empties), X, ONE),
    "drops a parameter": (net(drops_bias), X, ONE),
    "changes its mode": (net(toggles), X, ONE),
    "generates": (net(generates), X, 2 * ONE),
    "returns nothing": (net(nothing), X, ONE),
    "returns a dataclass": (net(structured), X, ONE),
    "returns a list in itself": (net(cyclic), X, ONE),
    "returns a deep list": (net(deep_output), X, ONE),
    "changes its input": (net(mutates), X, ONE),
    "changes its input, a list": (net(mutates_list), ([X],), ONE),
    "changes its input, a dict": (net(mutates_dict), ({"x": X},), ONE),
    "calls itself": (net(recurs), X, 4 * ONE),
    "has no parameters": (net(lambda _, x: x @ x.t(), nn.Module), X, 2 * 2 * 4),
    "refuses to be compared": (net(PLAIN, __eq__=fails, __hash__=None), X, ONE),
    "refuses to be a bool": (net(PLAIN, __bool__=fails), X, ONE),
    "has length 0": (net(PLAIN, __len__=lambda _: 0), X, ONE),
    "has a property that raises": (net(PLAIN, bad=property(fails)), X, ONE),
    "has a read-only mode": (
        net(PLAIN, training=property(lambda _: False, refuses_evaluation)),
        X,
        ONE,
    ),
    "contains itself": (in_itself(), X, ONE),
    "is 250 deep": (nested(250), X, ONE),
    "computes in a thread, without tensors": (net(computes_in_a_thread), X, ONE),
    "has a backward hook": (hooked("register_full_backward_hook", fails), X, ONE),
    "frozen TorchScript": (torch.jit.freeze(torch.jit.script(Net().eval())), X, ONE),
    **{f"shadows {name}": (shadowed(name, ["mine"]), X, ONE) for name in SHADOWING},
}


def attributes(model):
    """What a module holds, by identity."""
    if isinstance(model, torch.jit.ScriptModule):
        return {}
    held = {name: id(value) for name, value in vars(model).items()}
    for name in ("_parameters", "_buffers", "_modules"):
        held |= {f"{name}.{key}": id(value) for key, value in vars(model)[name].items()}
    return held


@pytest.mark.parametrize("name", COUNTED)
def test_odd_modules_are_counted_and_left_as_they_were(name):
    model, inputs, macs = COUNTED[name]
    before = attributes(model)
    assert costlab.total(costlab.trace(model, inputs, device="cpu")).macs == macs
    assert attributes(model) == before


def raises(error):
    def forward(self, x):
        self.l(x)
        raise error

    return net(forward)


class WordlessError(Exception):
    def __str__(self):
        raise ValueError("no words")


class OurError(Exception):
    pass


async def asynchronous(self, x):
    return self.l(x)


def endless(self, x):
    return self(self.l(x))


class Five(nn.Module):
    def forward(self, x):
        assert x.shape[0] == 5, "five rows, please"
        return x


ELSEWHERE = (
    "the model runs {} in another thread, where torch reports its operations to no recorder; call "
    "it in the thread of forward"
)
GRAPH = (
    "the model has torch.fx write a graph in forward (make_fx, torch.func.linearize), which runs "
    "it several times; for a derivative use torch.func.jvp or vjp"
)
# name: (model, the line)
REFUSED = {
    "own error": (raises(OurError("no luck")), "the model failed in Odd: OurError: no luck"),
    "two lines": (raises(OurError("first\nsecond")), "the model failed in Odd: OurError: first"),
    "no words": (raises(WordlessError()), "the model failed in Odd: WordlessError: WordlessError"),
    "stop": (raises(StopIteration()), "the model failed in Odd: StopIteration: StopIteration"),
    "exit": (
        net(lambda self, x: sys.exit(3)),
        "the model failed in Odd: SystemExit: 3; the model ends the process, so remove that call "
        "from its forward",
    ),
    "hook before": (
        hooked("register_forward_pre_hook", fails),
        "the model failed in 0: RuntimeError: not to be called",
    ),
    "hook after": (
        hooked("register_forward_hook", fails),
        "the model failed in Sequential: RuntimeError: not to be called",
    ),
    "a thread": (net(threaded), ELSEWHERE.format("l")),
    "a thread without modules": (net(multiplies_in_a_thread), ELSEWHERE.format("aten.mm")),
    "a pool without modules": (net(multiplies_in_a_pool), ELSEWHERE.format("aten.mm")),
    "linearize": (net(lambda self, x: linearize(self.l, x)[1](x)), GRAPH),
    "make_fx": (net(lambda self, x: make_fx(self.l)(x)(x)), GRAPH),
    "a failed assertion of TorchScript": (
        torch.jit.script(Five()),
        "the model failed in RecursiveScriptModule: Error: RuntimeError: AssertionError: five "
        "rows, please",
    ),
    "a long message": (
        raises(OurError("far too long " * 90)),
        "the model failed in Odd: OurError: " + "far too long " * 18 + "far ...",
    ),
    "coroutine": (
        net(asynchronous),
        "forward is asynchronous and gave a coroutine; trace a module whose forward awaits it",
    ),
    "shapes": (
        nn.Sequential(nn.Linear(5, 4)),
        "the model failed in 0: RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x4 and "
        "5x4) (aten.addmm on 4, 2x4, 5x4)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_odd_modules_are_refused_in_one_line(name):
    model, line = REFUSED[name]
    before = attributes(model)
    with pytest.raises(costlab.TraceError) as error:
        costlab.trace(model, X, device="cpu")
    assert without_lines(str(error.value)) == line
    assert attributes(model) == before


def without_lines(text):
    """A message without the lines of this file, which tests/test_cli.py holds."""
    return re.sub(r" \(tests/test_odd_modules\.py:\d+\)|tests/test_odd_modules\.py:\d+, ", "", text)


@pytest.mark.parametrize("model", [nested(2_000), net(endless)], ids=["nested", "endless"])
def test_what_is_too_deep_is_refused_in_one_line(model):
    limit, before = sys.getrecursionlimit(), attributes(model)
    with pytest.raises(costlab.TraceError) as error:
        costlab.trace(model, X, device="cpu")
    line = str(error.value)
    assert line.endswith("; modules are nested too deeply, or forward calls itself without end")
    assert len(line) < 300 and "\n" not in line
    assert sys.getrecursionlimit() == limit and attributes(model) == before


CONSTANTS = {
    # 16 weights and 4 biases
    "the whole": (Net().eval(), "20"),
    # and 4 scales and 4 shifts of a layer norm
    "with a norm": (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)).eval(), "28"),
}


@pytest.mark.parametrize("name", CONSTANTS)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside params"])
def test_the_constants_of_frozen_torchscript_are_named(name, alone):
    model, elements = CONSTANTS[name]
    frozen = torch.jit.freeze(torch.jit.script(model))
    whole = frozen if alone else nn.Sequential(nn.Linear(4, 4), frozen)
    assert arithmetic_notes(costlab.trace(whole, X, device="cpu")) == (
        f"{elements} elements of weights are buffers or constants, not parameters: they are in no "
        "row (a frozen TorchScript module has its weights as constants)",
    )


def test_a_summary_needs_nothing_that_a_module_may_shadow():
    assert costlab.summary(shadowed("parameters", ["mine"]), X).trainable == 4 * 4 + 4


def test_other_threads_modules_are_none_of_the_traced_model():
    """Another thread calls a model of its own all the time."""
    other, stop = Net(), threading.Event()

    def run():
        while not stop.is_set():
            other(X)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        trace = costlab.trace(nested(30), X, device="cpu")
    finally:
        stop.set()
        thread.join()
    assert costlab.total(trace).macs == ONE
    assert [op.module for op in trace.ops if op.name == "aten.addmm"] == [".".join("i" * 30)]


@torch.library.custom_op("costlab_odd::without_shapes", mutates_args=())
def without_shapes(x: torch.Tensor) -> torch.Tensor:
    return x + 1


def grad_inside(self, x):
    return torch.func.grad(lambda v: self.l(v).sum())(x)


# name: (model, options, end of the line)
ADVISED = {
    "an operation without shapes": (
        net(lambda self, x: self.l(without_shapes(x))),
        {"device": "meta"},
        "(costlab_odd.without_shapes on 2x4); the model needs real values, so trace it with device "
        "cpu",
    ),
    "an operation without a kernel": (
        net(lambda self, x: self.l(x).abs().eq(x).all() and torch.linalg.lstsq(x, x)),
        {"device": "meta"},
        "the model needs real values, so trace it with device cpu",
    ),
    "torch.func with a backward pass": (
        net(grad_inside),
        {"device": "cpu", "backward": True},
        "; the backward pass cannot be traced together with torch.func derivatives, so trace "
        "without it",
    ),
    "oneDNN's convolutions": (
        torch.jit.optimize_for_inference(
            torch.jit.script(nn.Sequential(nn.Conv2d(4, 4, 1)).eval())
        ),
        {"device": "cpu"},
        "torch.jit.optimize_for_inference hides the products of this model; trace it as it was "
        "before",
    ),
}


@pytest.mark.parametrize("name", ADVISED)
def test_what_cannot_be_traced_says_what_to_do(name):
    model, options, line = ADVISED[name]
    with pytest.raises(costlab.TraceError) as error:
        costlab.trace(model, X, **options)
    assert without_lines(str(error.value)).endswith(line) and "\n" not in str(error.value)
