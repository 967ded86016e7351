"""Random models: what is counted and how it is wired, on meta and on the CPU, equals the closed
form of the program that was drawn; the model, its gradients and the random states are left as they
were; other modes of torch change nothing, or are refused in one line.

A failing program shrinks, and is printed as code that runs."""

import contextlib
import copy
import os
import random
import threading

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from random_models import Gene, Written, write
from random_statements import STATEMENTS
from torch import nn
from wiring import wiring

import costlab
from costlab.graph import forks, layer_graph, longest
from costlab.trace import TraceError

MANY = int(os.environ.get("COSTLAB_RANDOM_MODELS", "2000"))

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


MODES = {
    "inference mode": lambda net, data: torch.inference_mode(),
    "no_grad": lambda net, data: torch.no_grad(),
    "autocast": lambda net, data: torch.autocast("cpu", torch.bfloat16),
    "a default device": lambda net, data: torch.device("cpu"),
    "another thread": beside_a_running_model,
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


def check_backward(program, net, data):
    """Where torch itself can run the backward pass."""
    try:
        loss = sum(out.float().sum() for out in copy.deepcopy(net)(copy.deepcopy(data)))
        loss.backward()
    except RuntimeError:
        return
    with nothing_changes(net, data, "a backward pass"):
        totals = [
            costlab.total(costlab.trace(net, (data,), device=d, backward=True, train=net.training))
            for d in ("cpu", "meta")
        ]
    assert totals[0].macs == totals[1].macs >= program.macs, "MACs of a training step"


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
    else:
        check_mode(program, net, data, mode)


kinds = st.sampled_from([*MODES, "backward"])
ALWAYS = settings(
    deadline=None,
    database=None,
    suppress_health_check=[*HealthCheck],
    phases=(Phase.generate, Phase.shrink),
)


@settings(ALWAYS, max_examples=60, derandomize=True)
@given(programs, kinds)
def test_sixty_random_models(program, mode):
    check(program, mode)


@pytest.mark.slow
@settings(ALWAYS, max_examples=MANY)
@given(programs, kinds)
def test_two_thousand_random_models(program, mode):
    """Others each time; `pytest --hypothesis-seed N` repeats those of a failure."""
    check(program, mode)


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
