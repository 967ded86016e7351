"""The cost of training steps and MFU as Lightning and transformers log them."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from costlab.callbacks.calls import Calls, outside_compiled
from costlab.callbacks.ceiling import Ceiling, Stated, dtype_of_products
from costlab.callbacks.meter import Meter
from costlab.callbacks.step_cost import Call, StepCost, cost_of_call

MADE_UP = Ceiling(1e6, "a ceiling for tests", "a device")


class Ticks:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def mark(self):
        return self.now

    def seconds(self, start, end):
        return end - start


def mlp():
    """Forward 8*16 + 16*4 = 192 MACs a row; backward 128 for the first weight (its input needs no
    gradient) and 2*64 for the second layer: 256."""
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 4))


def call(model, *args, **kwargs):
    return Call.of(model, args, kwargs, trained=0)


class Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.reentrant = reentrant
        self.stem = nn.Linear(8, 8)
        self.inner = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 8))

    def forward(self, x):
        return checkpoint(self.inner, self.stem(x), use_reentrant=self.reentrant)


def frozen(model):
    model[0].requires_grad_(False)
    return model


@pytest.mark.parametrize(
    "model, forward, backward, recomputed",
    [
        (mlp(), 192, 256, 0),
        (frozen(mlp()), 192, 64, 0),  # the second layer's weight alone
        # stem 64, inner 128 + 128; backward: 64, and 2*(128 + 128). A checkpoint that saves tensors
        # stops before the last product, which nobody needs again; a reentrant one runs all
        (Checkpointed(False), 320, 576, 128),
        (Checkpointed(True), 320, 576, 256),
    ],
    ids=["mlp", "frozen", "checkpoint", "reentrant checkpoint"],
)
def test_the_cost_of_a_call(model, forward, backward, recomputed):
    cost = cost_of_call(call(model, torch.randn(4, 8)))
    assert (cost.forward_macs, cost.backward_macs) == (4 * forward, 4 * backward)
    assert cost.recomputed_macs == 4 * recomputed
    assert cost.model_flops == 2 * 4 * (forward + backward)
    assert cost.hardware_flops == 2 * 4 * (forward + backward + recomputed)


def test_a_call_without_gradients_has_no_backward_pass():
    with torch.no_grad():
        cost = cost_of_call(call(mlp(), torch.randn(4, 8)))
    assert (cost.forward_macs, cost.backward_macs, cost.unknown) == (768, 0, 0)


def test_the_gradient_goes_back_through_what_another_call_gave():
    """A discriminator behind a generator: its first layer's input has a gradient too."""
    given = nn.Linear(8, 8)(torch.randn(4, 8))
    assert cost_of_call(call(mlp(), given)).backward_macs == 4 * 2 * 192


class ByValue(nn.Module):
    """Goes on by a value of its input, which `meta` does not have."""

    def __init__(self):
        super().__init__()
        self.norm, self.fc = nn.BatchNorm1d(8), nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(self.norm(x)) if x.sum() > 0 else x


def state_of(model):
    return {
        "tensors": {k: v.clone() for k, v in model.state_dict().items()},
        "objects": [id(p) for p in (*model.parameters(), *model.buffers())],
        "grads": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        "random": torch.get_rng_state(),
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("model", [mlp(), ByValue()], ids=["on meta", "on the CPU"])
def test_a_model_its_inputs_and_the_random_state_are_as_before(model):
    x = torch.rand(4, 8)
    model(x).sum().backward()
    next(model.children()).eval()
    before, given = state_of(model), x.clone()
    assert cost_of_call(call(model, x)).macs > 0
    assert same(before, state_of(model)) and torch.equal(x, given)


def run_steps(meter, clock, model, batches, seconds=2.0):
    calls = Calls([model])
    for x in batches:
        meter.begin()
        calls.listen()
        model(x).sum().backward()
        meter.add(calls.stop())
        clock.now += seconds
        meter.end()
    calls.remove()


def test_mfu_is_flops_by_seconds_by_the_ceiling():
    clock = Ticks()
    meter = Meter(clock, MADE_UP, params=212)
    run_steps(meter, clock, mlp(), [torch.randn(4, 8)] * 3)
    found = meter.metrics()
    assert found["costlab/step_macs"] == 4 * (192 + 256) == 1792
    assert found["costlab/step_forward_macs"] == 768 and found["costlab/step_backward_macs"] == 1024
    assert found["costlab/params"] == 212 and found["costlab/step_activations"] == 4 * (16 + 4)
    assert found["costlab/step_seconds"] == 2
    assert found["costlab/step_tflops_per_s"] == 2 * 1792 / 2 / 1e12
    assert found["costlab/mfu"] == 2 * 1792 / 2 / 1e6
    assert found["costlab/ceiling_tflops_per_s"] == 1e6 / 1e12 and "costlab/hfu" not in found


def test_hfu_counts_recomputed_activations_and_mfu_does_not():
    clock = Ticks()
    meter = Meter(clock, MADE_UP, params=0)
    run_steps(meter, clock, Checkpointed(True), [torch.randn(4, 8)] * 2, seconds=1.0)
    found = meter.metrics()
    assert found["costlab/step_recomputed_macs"] == 4 * 256
    assert found["costlab/mfu"] == pytest.approx(2 * 4 * 896 / 1e6)
    assert found["costlab/hfu"] == pytest.approx(2 * 4 * (896 + 256) / 1e6)


def test_without_a_ceiling_there_is_no_mfu():
    clock = Ticks()
    meter = Meter(clock, None, params=0)
    run_steps(meter, clock, mlp(), [torch.randn(4, 8)] * 2)
    assert meter.metrics().keys() & {"costlab/mfu", "costlab/ceiling_tflops_per_s"} == set()
    assert meter.metrics()["costlab/step_macs"] == 1792


def test_each_shape_is_traced_once_and_at_most_so_many(caplog):
    clock, model = Ticks(), mlp()
    meter = Meter(clock, MADE_UP, params=0, max_shapes=2)
    run_steps(meter, clock, model, [torch.randn(n, 8) for n in (4, 2, 4)])
    assert meter.metrics()["costlab/step_macs"] == 1792
    run_steps(meter, clock, model, [torch.randn(2, 8)])
    assert meter.metrics()["costlab/step_macs"] == 2 * 448
    run_steps(meter, clock, model, [torch.randn(n, 8) for n in (1, 3, 1)])
    assert meter.metrics()["costlab/step_macs"] == 2 * 448
    assert [r.message for r in caplog.records] == [
        "costlab: steps have more than 2 different shapes of inputs; the others are left out of "
        "MFU (max_shapes)"
    ]


def test_waiting_for_data_counts_and_interruptions_do_not():
    clock, model, x = Ticks(), mlp(), torch.randn(4, 8)
    meter = Meter(clock, MADE_UP, params=0, window=1)
    run_steps(meter, clock, model, [x, x])
    clock.now += 3  # the loader
    run_steps(meter, clock, model, [x])
    assert meter.metrics()["costlab/step_seconds"] == 5
    clock.now += 100  # evaluation
    meter.interrupt()
    run_steps(meter, clock, model, [x])
    assert meter.metrics()["costlab/step_seconds"] == 2


class Breaks(nn.Module):
    """Runs in training, and in no trace: it asks for the memory of its input."""

    def __init__(self):
        super().__init__()
        self.fc, self.runs = nn.Linear(8, 4), []

    def forward(self, x):
        if COUNT["runs"]:
            raise RuntimeError("no second\nrun")
        return self.fc(x)


COUNT = {"runs": 0}


def test_a_trace_that_fails_is_one_line_and_training_goes_on(caplog):
    clock, model, x = Ticks(), Breaks(), torch.randn(4, 8)
    meter, calls = Meter(clock, MADE_UP, params=0), Calls([model])
    for _ in range(3):
        meter.begin()
        calls.listen()
        model(x)
        meter.add(calls.stop())
        COUNT["runs"] = 1
        meter.end()
        COUNT["runs"] = 0
    assert meter.metrics() == {} and len(caplog.records) == 1
    message = caplog.records[0].getMessage()
    assert message.startswith("costlab: the cost of a step is not known, because its trace failed:")
    assert "RuntimeError: no second" in message and "\n" not in message


def test_a_step_without_a_call_of_the_model_says_so(caplog):
    meter = Meter(Ticks(), MADE_UP, params=0)
    meter.begin()
    meter.end()
    assert "no call of the model was seen" in caplog.text and meter.metrics() == {}


def test_only_outermost_calls_of_the_forward_pass_are_found():
    model = nn.ModuleDict({"a": mlp(), "b": Checkpointed(True), "c": mlp()})
    calls = Calls(outside_compiled(model))
    model["a"](torch.randn(4, 8))  # not listening yet
    calls.listen()
    model["a"](torch.randn(4, 8))
    model["b"](torch.randn(2, 8)).sum().backward()  # recomputes its inner layers
    assert [c.module for c in calls.stop()] == [model["a"], model["b"]]
    calls.listen()
    model["c"][0](torch.randn(4, 8))
    assert [c.module for c in calls.stop()] == [model["c"][0]]
    calls.remove()
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


def test_a_compiled_model_is_counted_as_it_was_written_and_compiled_once():
    compiled, model = [], mlp()

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    fast = torch.compile(model, backend=backend, fullgraph=True)
    whole = nn.ModuleDict({"net": fast})
    calls, clock = Calls(outside_compiled(whole)), Ticks()
    meter = Meter(clock, MADE_UP, params=0)
    for _ in range(3):
        meter.begin()
        calls.listen()
        fast(torch.randn(4, 8)).sum().backward()
        meter.add(calls.stop())
        clock.now += 1
        meter.end()
    assert meter.metrics()["costlab/step_macs"] == 1792 and len(compiled) == 1


@pytest.mark.parametrize(
    "given, message",
    [
        ({"flops_per_s": 989e12}, "go together"),
        ({"source": "a datasheet"}, "go together"),
        ({"flops_per_s": 0, "source": "a datasheet"}, "more than 0"),
    ],
)
def test_a_ceiling_has_a_source(given, message):
    with pytest.raises(ValueError, match=message):
        Stated(**given)


def test_a_ceiling_names_the_device_and_where_it_is_from():
    stated = Stated(989e12, "H100 SXM datasheet, bf16 dense").on(torch.device("cpu"), None)
    assert stated is not None and stated.flops_per_s == 989e12
    assert str(stated).endswith(", ceiling 989 TFLOP/s (H100 SXM datasheet, bf16 dense)")
    state = torch.get_rng_state()
    measured = Stated().on(torch.device("cpu"), "fp32")
    assert measured is not None and measured.flops_per_s > 0
    assert measured.source == "fp32 matrix products, measured in this run"
    assert measured.device and torch.equal(state, torch.get_rng_state())
    assert Stated().on(torch.device("meta"), "fp32") is None


@pytest.mark.parametrize(
    "model, autocast, name",
    [
        (mlp(), None, "fp32"),
        (mlp(), torch.bfloat16, "bf16"),
        (mlp().half(), None, "fp16"),
        (mlp().double(), None, None),
        (nn.ReLU(), None, None),
    ],
)
def test_the_dtype_of_the_ceiling(model, autocast, name):
    assert dtype_of_products(model, autocast) == name


def test_costs_add_up():
    assert StepCost(1, 2, 3, 4, 5, 6) + StepCost(1, 1, 1, 1, 1, 1) == StepCost(2, 3, 4, 5, 6, 7)
