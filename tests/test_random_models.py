"""Random models: what is counted and how it is wired, on meta and on the CPU, equals the closed
form of the program that was drawn; the model, its gradients and the random states are left as they
were; other modes of torch change nothing, or are refused in one line.

A failing program shrinks, and is printed as code that runs."""

import contextlib
import copy
import gc
import os
import random
import sys
import threading

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from random_models import Gene, Written, write
from random_statements import STATEMENTS
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from wiring import wiring

import costlab
from costlab.cost import training
from costlab.graph import forks, layer_graph, longest
from costlab.trace import TraceError

# the same models each time; with COSTLAB_RANDOM_MODELS=N, N others each time, of which
# `--hypothesis-seed` repeats those of a failure
MANY = int(os.environ.get("COSTLAB_RANDOM_MODELS", "2000"))
THE_SAME = "COSTLAB_RANDOM_MODELS" not in os.environ

numbers = st.integers(0, 11)
genes = st.builds(Gene, st.sampled_from(sorted(STATEMENTS)), numbers, numbers, numbers)
programs = st.builds(
    write, st.lists(genes, min_size=1, max_size=14), batch=st.integers(1, 3), train=st.booleans()
)


def built(program):
    """The model and its input."""
    names = {}
    exec(compile(program.text, "<program>", "exec"), names)
    return names["net"], names["data"]


# ---- the graph, as the program has it


def branches(trace, number):
    """Of each fork, the layers of its branches."""
    return [
        {frozenset(number[n.index] for n in b.nodes if n.index in number) for b in f.branches}
        for f in forks(layer_graph(trace))
    ]


def check_forks(program, trace, number, where):
    """A fork of the program is one of the graph, or within one that is larger."""
    every = branches(trace, number)
    inside = [frozenset().union(*fork) for fork in every]
    for fork in program.forks:
        whole = frozenset().union(*fork)
        larger = any({*fork} <= f for f in every) or any(whole < f for f in inside)
        assert larger, f"forks {where}"


def check_form(program, trace, where):
    cost = costlab.total(trace)
    assert cost.macs == program.macs, f"MACs {where}"
    assert cost.params == program.params, f"params {where}"
    assert not cost.unknown, f"operations without a formula {where}"
    found, number = wiring(trace)
    assert found == program.edges, f"wiring {where}"
    check_forks(program, trace, number, where)
    if not program.applied_again:
        assert longest(layer_graph(trace)) == program.depth, f"depth {where}"


# ---- what is left behind


def fingerprint(net, data):
    """Everything of a model that tracing could change, with the identity of what it is made of."""
    tensors = [*net.named_parameters(), *net.named_buffers()]
    return (
        [(n, id(t), t.detach().clone(), t.requires_grad, id(t.grad)) for n, t in tensors],
        [(id(m), m.training, {k: repr(v) for k, v in plain(m).items()}) for m in net.modules()],
        copy.deepcopy(data),
        torch.get_rng_state(),
        random.getstate(),
        torch.is_grad_enabled(),
        len(nn.modules.module._global_forward_hooks),
        torch.backends.cuda.flash_sdp_enabled(),
        torch.backends.mha.get_fastpath_enabled(),
        torch._C._get_mkldnn_enabled(),
        nn.functional.one_hot,
        torch.get_default_dtype(),
        torch.get_default_device(),
        sys.getrecursionlimit(),
        gc.isenabled(),
    )


def plain(module):
    """Attributes of a module but its tensors: hooks, modules and the program's own among them."""
    return {k: v for k, v in vars(module).items() if k not in ("_parameters", "_buffers")}


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    return a == b


@contextlib.contextmanager
def nothing_changes(net, data, where):
    before = fingerprint(net, data)
    yield
    assert same(before, fingerprint(net, data)), f"state after {where}"


# ---- modes


@contextlib.contextmanager
def beside_a_running_model(net, data):
    """Another thread runs a model of its own meanwhile."""
    own, stop, failed = nn.Sequential(nn.Linear(4, 4), nn.ReLU()), threading.Event(), []
    x = torch.ones(2, 4)

    def runs():
        try:
            while not stop.is_set():
                own(x)
        except Exception as e:
            failed.append(e)

    thread = threading.Thread(target=runs)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not failed


class Dispatching(TorchDispatchMode):
    """A user's own mode, which sees every operation."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class Calling(TorchFunctionMode):
    """A user's own mode, which sees every call of a function."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def double_by_default():
    """What the programs state has a dtype; what they make takes that of what they are given."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def meta_by_default():
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


MODES = {
    "inference mode": lambda net, data: torch.inference_mode(),
    "no_grad": lambda net, data: torch.no_grad(),
    "autocast": lambda net, data: torch.autocast("cpu", torch.bfloat16),
    "a default device": lambda net, data: torch.device("cpu"),
    "another thread": beside_a_running_model,
    "a dispatch mode": lambda net, data: Dispatching(),
    "a function mode": lambda net, data: Calling(),
    "a counter of torch's": lambda net, data: FlopCounterMode(display=False),
    "another default dtype": lambda net, data: double_by_default(),
    "another default device": lambda net, data: meta_by_default(),
}


def check_mode(program, net, data, mode):
    with MODES[mode](net, data), nothing_changes(net, data, mode):
        trace = costlab.trace(net, (data,), device="cpu")
    check_form(program, trace, f"under {mode}")
    if mode == "autocast":
        return
    with MODES[mode](net, data), nothing_changes(net, data, mode):
        trace = costlab.trace(net, (data,), device="meta")
    check_form(program, trace, f"on meta under {mode}")


class Functional(nn.Module):
    """A model that is called with its parameters as a dict."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, data):
        return torch.func.functional_call(self.net, dict(self.net.named_parameters()), (data,))


def check_functional_call(program, net, data):
    for device in ("cpu", "meta"):
        with nothing_changes(net, data, "functional_call"):
            trace = costlab.trace(Functional(net), (data,), device=device)
        check_form(program, trace, f"by functional_call on {device}")


def convolution_backward(out, x, w, _bias, _stride, _padding, _dilation, transposed, *rest, **_):
    """Operations of a convolution's backward pass: of each gradient that is asked for those of the
    forward pass. torch's own formula counts those of the weights of groups as if there were
    none."""
    asked = rest[2]
    places = (x if transposed else out)[2:]
    return 2 * sum(asked[:2]) * out[0] * torch.Size(places).numel() * torch.Size(w).numel()


class NoModules(contextlib.nullcontext):
    """Counts for the whole alone: torch's tracker of modules fails in `torch.no_grad()` on a tensor
    that requires a gradient."""

    parents = {"Global"}


def counted_by_torch(net, data):
    """MACs of both passes of a training step by torch's own counter and formulas, in plain forms;
    None where no output can be trained."""
    mapping = {torch.ops.aten.convolution_backward: convolution_backward}
    counter = FlopCounterMode(display=False, custom_mapping=mapping)
    counter.mod_tracker = NoModules()
    with sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(enabled=False), counter:
        ends = [out for out in net(data) if out.requires_grad]
        forward = counter.get_total_flops() // 2
        if not ends:
            return None
        torch.autograd.backward(ends, [torch.ones_like(out) for out in ends])
    return forward, counter.get_total_flops() // 2 - forward


def check_backward(program, net, data):
    """Where torch itself can run the backward pass."""
    try:
        macs = counted_by_torch(copy.deepcopy(net), copy.deepcopy(data))
    except RuntimeError:
        return
    if macs is None:
        with pytest.raises(TraceError, match="nothing here can be trained"):
            costlab.trace(net, (data,), backward=True, train=net.training)
        return
    with nothing_changes(net, data, "a backward pass"):
        steps = [
            training(costlab.trace(net, (data,), device=d, backward=True, train=net.training))
            for d in ("cpu", "meta")
        ]
    for step in steps:
        assert (step.forward_macs, step.backward_macs) == macs, "MACs of a training step"
        assert not step.unknown


def check(program: Written, mode: str) -> None:
    note(f"{program.text}\nimport costlab\n\ntrace = costlab.trace(net, (data,), device='cpu')")
    note(f"# {mode}: {program.macs:,} MACs, {program.params:,} params, {program.edges}")
    torch.manual_seed(0)
    net, data = built(program)
    with torch.no_grad():
        copy.deepcopy(net)(copy.deepcopy(data))  # the program runs
    for device in ("cpu", "meta"):
        with nothing_changes(net, data, device):
            trace = costlab.trace(net, (data,), device=device)
        check_form(program, trace, f"on {device}")
    if mode == "backward":
        check_backward(program, net, data)
    elif mode == "functional_call":
        check_functional_call(program, net, data)
    else:
        check_mode(program, net, data, mode)


kinds = st.sampled_from([*MODES, "backward", "backward", "functional_call"])
ALWAYS = settings(
    deadline=None,
    database=None,
    suppress_health_check=[*HealthCheck],
    phases=(Phase.generate, Phase.shrink),
)


@settings(ALWAYS, max_examples=12, derandomize=True)
@given(programs, kinds)
def test_a_dozen_random_models(program, mode):
    check(program, mode)


@pytest.mark.slow
@settings(ALWAYS, max_examples=60, derandomize=True)
@given(programs, kinds)
def test_sixty_random_models(program, mode):
    check(program, mode)


@pytest.mark.slow
@settings(ALWAYS, max_examples=MANY, derandomize=THE_SAME)
@given(programs, kinds)
def test_two_thousand_random_models(program, mode):
    check(program, mode)


# ---- two threads


def traced_together(pairs):
    """The traces of several models, each in a thread of its own: on the CPU, then on meta."""
    start, found = threading.Barrier(len(pairs)), {}

    def run(i, net, data):
        start.wait()
        try:
            found[i] = [costlab.trace(net, (data,), device=d) for d in ("cpu", "meta")]
        except Exception as e:
            found[i] = e

    threads = [threading.Thread(target=run, args=(i, *pair)) for i, pair in enumerate(pairs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[i] for i in range(len(pairs))]


def check_together(written):
    for program in written:
        note(program.text)
    torch.manual_seed(0)
    pairs = [built(program) for program in written]
    for net, data in pairs:
        with torch.no_grad():
            copy.deepcopy(net)(copy.deepcopy(data))
    with contextlib.ExitStack() as same_after:
        for net, data in pairs:
            same_after.enter_context(nothing_changes(net, data, "threads"))
        found = traced_together(pairs)
    for program, traces in zip(written, found, strict=True):
        assert isinstance(traces, list), traces
        for trace in traces:
            check_form(program, trace, "in a thread of its own")


@settings(ALWAYS, max_examples=12, derandomize=True)
@given(st.tuples(programs, programs))
def test_random_models_in_two_threads(written):
    check_together(written)


@pytest.mark.slow
@settings(ALWAYS, max_examples=MANY // 10, derandomize=THE_SAME)
@given(st.tuples(programs, programs, programs))
def test_random_models_in_three_threads(written):
    check_together(written)


def test_one_model_in_two_threads():
    """The second thread sees the model as it was, not as the first one's run has it: in training
    mode meanwhile. The weight's gradient takes 2 x 8 x 8 MACs; the input has none."""
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5)).eval()
    x, found = torch.rand(2, 8), []

    def run():
        for _ in range(20):
            found.append(training(costlab.trace(net, x, backward=True)).backward_macs)

    threads = [threading.Thread(target=run) for _ in range(2)]
    limit, state = sys.getrecursionlimit(), torch.get_rng_state()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [128] * 40
    assert not any(m.training for m in net.modules())
    assert sys.getrecursionlimit() == limit and gc.isenabled()
    assert torch.equal(torch.get_rng_state(), state)


# ---- modes in which torch runs a model for its own ends


def run_in_vmap(net, x):
    return torch.vmap(lambda row: costlab.trace(net, row[None]) and row)(x)


def run_in_grad(net, x):
    return torch.func.grad(lambda row: (costlab.trace(net, row), row.sum())[1])(x)


def run_in_jvp(net, x):
    return torch.func.jvp(lambda row: (costlab.trace(net, row), row)[1], (x,), (x,))


@pytest.mark.parametrize("run", [run_in_vmap, run_in_grad, run_in_jvp])
def test_inside_a_transform_of_torch_func_tracing_is_refused_in_one_line(run):
    net = nn.Linear(4, 4)
    with pytest.raises(TraceError, match="inside a transform of torch.func") as refused:
        run(net, torch.rand(3, 4))
    assert "\n" not in str(refused.value)
    assert costlab.total(costlab.trace(net, torch.rand(3, 4))).macs == 48


def test_among_fake_tensors_tracing_is_refused_in_one_line():
    net = nn.Linear(4, 4)
    with FakeTensorMode(), pytest.raises(TraceError, match="FakeTensorMode") as refused:
        costlab.trace(net, torch.empty(3, 4))
    assert "\n" not in str(refused.value)
    assert costlab.total(costlab.trace(net, torch.rand(3, 4))).macs == 48
