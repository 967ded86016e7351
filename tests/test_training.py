"""The backward pass against torch's own counter, and what it keeps in memory."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import costlab
from costlab import zoo
from costlab.cli import main
from costlab.cost import training
from costlab.trace.build import build_on_meta


def torch_count(model, x):
    model.train()
    with FlopCounterMode(display=False) as counter:
        out = model(x)
        forward = counter.get_total_flops() // 2
        outs = [t for t in (out if isinstance(out, tuple) else (out,)) if t.requires_grad]
        torch.autograd.grad(
            outs,
            [p for p in model.parameters() if p.requires_grad],
            [torch.ones_like(t) for t in outs],
            allow_unused=True,
        )
    return forward, counter.get_total_flops() // 2 - forward


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("googlenet", {"aux": True}),
        ("resnet18", {}),
        pytest.param("inception_v3", {"aux": True}, marks=pytest.mark.slow),
        pytest.param("cnds8", {"aux": True}, marks=pytest.mark.slow),
        ("nin_cifar10", {}),
        ("zfnet", {}),
    ],
)
def test_backward_macs_are_torchs(name, arguments):
    shape = (2, *zoo.input_shape(name)[1:])
    trace = costlab.trace(
        build_on_meta(lambda: zoo.build(name, **arguments)),
        torch.empty(shape, device="meta"),
        backward=True,
    )
    with torch.device("meta"):
        want = torch_count(zoo.build(name, **arguments), torch.empty(shape))
    step = costlab.training(trace)
    assert (step.forward_macs, step.backward_macs) == want
    assert (
        all(op.of >= 0 for op in trace.backward)
        and not costlab.total(trace, trace.backward, strict=True).unknown
    )


CASES = {  # name: (model, input, forward MACs, backward MACs, saved bytes) by hand
    # the input's gradient is not asked for: only the weight's, 4*5*3; the input 3*4 is kept
    "linear": (nn.Linear(4, 5), (3, 4), 60, 60, 48),
    # second layer both, first only the weight's; kept: x, h = relu's output
    "two linear": (
        nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6)),
        (3, 4),
        60 + 90,
        60 + 2 * 90,
        48 + 60,
    ),
    "conv 3->8 k3 on 6x6": (nn.Conv2d(3, 8, 3), (1, 3, 6, 6), 3456, 3456, 4 * 108),
    "frozen": (
        nn.Sequential(nn.Linear(4, 5).requires_grad_(False), nn.Linear(5, 6)),
        (3, 4),
        150,
        90,
        60,
    ),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("model, shape, forward, backward, saved", CASES.values(), ids=CASES)
def test_closed_forms(model, shape, forward, backward, saved, device):
    step = costlab.training(costlab.trace(model, torch.rand(shape), device=device, backward=True))
    assert (step.forward_macs, step.backward_macs, step.saved) == (forward, backward, saved)


class Scaled(nn.Module):
    """A layer, of an input that needs a gradient."""

    def __init__(self, layer):
        super().__init__()
        self.scale, self.layer = nn.Parameter(torch.ones(1)), layer

    def forward(self, x):
        return self.layer(x * self.scale)


IMAGE, VOLUME = (1, 2, 6, 6), (1, 2, 4, 4, 4)
# model, input, the operation of its backward pass, its FLOPs: one an element of the gradient, or
# two for each neighbour that an element is interpolated from
BACKWARD = {
    # 2 channels of 8 x 8
    "reflection": (nn.ReflectionPad2d(1), IMAGE, "aten.reflection_pad2d_backward", 128),
    "replication": (nn.ReplicationPad2d(1), IMAGE, "aten.replication_pad2d_backward", 128),
    "replication 3-d": (nn.ReplicationPad3d(1), VOLUME, "aten.replication_pad3d_backward", 432),
    "adaptive maximum": (nn.AdaptiveMaxPool2d(2), IMAGE, "aten.adaptive_max_pool2d_backward", 8),
    "adaptive mean 3-d": (
        *(nn.AdaptiveAvgPool3d(2), VOLUME, "aten._adaptive_avg_pool3d_backward", 16),
    ),
    "nearest 1-d": (nn.Upsample(scale_factor=2), (1, 2, 6), "aten.upsample_nearest1d_backward", 24),
    "nearest 3-d": (nn.Upsample(scale_factor=2), VOLUME, "aten.upsample_nearest3d_backward", 1024),
    "exact": (
        nn.Upsample(scale_factor=2, mode="nearest-exact"),
        *(IMAGE, "aten._upsample_nearest_exact2d_backward", 2 * 144),
    ),
    # 8 neighbours
    "trilinear": (
        nn.Upsample(scale_factor=2, mode="trilinear"),
        *(VOLUME, "aten.upsample_trilinear3d_backward", 2 * 8 * 1024),
    ),
    "softshrink": (nn.Softshrink(), IMAGE, "aten.softshrink_backward", 72),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("model, shape, name, flops", BACKWARD.values(), ids=BACKWARD)
def test_backward_operations_of_layers_without_weights(model, shape, name, flops, device):
    trace = costlab.trace(Scaled(model), torch.rand(shape), device=device, backward=True)
    ops = [op for op in trace.backward if op.name == name]
    assert len(ops) == 1
    assert costlab.total(trace, ops, strict=True).flops == flops
    assert not costlab.training(trace).unknown


def test_memory_of_the_optimizers():
    step = costlab.training(costlab.trace(nn.Linear(4, 5), torch.rand(3, 4), backward=True))
    assert (step.weights, step.gradients, step.optimizers) == (
        100,
        100,
        {"SGD": 0, "SGD with momentum": 100, "Adam": 200},
    )


def test_each_backward_operation_knows_its_module():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(64, 2)
    )
    trace = costlab.trace(model, torch.rand(2, 3, 6, 6), device="meta", backward=True)
    found = {op.name: op.module for op in trace.backward}
    assert (
        found["aten.convolution_backward"],
        found["aten.native_batch_norm_backward"],
        found["aten.threshold_backward"],
        found["aten.mm"],
    ) == ("0", "1", "2", "4")


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_the_model_is_left_as_it_was(device):
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout()).eval()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    costlab.trace(model, torch.rand(3, 4), device=device, backward=True)
    assert (
        all(p.grad is None and p.device.type == "cpu" for p in model.parameters())
        and not model.training
    )
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in before.items())


def test_the_table_has_the_backward_pass(capsys, tmp_path):
    assert (
        main(["table", "googlenet", "--mode", "train", "--format", "json", "--arg", "aux=True"])
        == 0
    )
    import json

    doc = json.loads(capsys.readouterr().out)
    assert (
        sum(r["backward (MACs)"] for r in doc["rows"])
        == doc["total"]["backward (MACs)"]
        == 6128148480 // 2
    )
    assert any("Adam" in n for n in doc["notes"])
    file = tmp_path / "g.trace"
    assert main(["trace", "googlenet", "--mode", "train", "-o", str(file)]) == 0
    assert costlab.Trace.load(file).trained and main(["table", str(file), "--mode", "train"]) == 0
    main(["trace", "googlenet", "-o", str(file)])
    assert (
        main(["table", str(file), "--mode", "train"]) == 2
        and "no backward pass" in capsys.readouterr().err
    )


def test_nothing_to_train_is_refused():
    with pytest.raises(costlab.TraceError, match="nothing here can be trained"):
        costlab.trace(nn.ReLU(), torch.rand(3), backward=True)


def test_frozen_parameters_take_no_gradients_and_no_state():
    """1,000 x 10 and 10 biases of the head alone, four bytes each."""
    model = nn.Sequential(nn.Linear(1000, 1000), nn.ReLU(), nn.Linear(1000, 10))
    model[0].requires_grad_(False)
    t = training(costlab.trace(model, torch.zeros(1, 1000), backward=True))
    assert (t.gradients, t.optimizers["Adam"], t.backward_macs) == (
        40040,
        80080,
        10000,
    ) and t.weights == 4 * (1001000 + 10010)


def test_backward_operations_without_a_formula_are_named(tmp_path, capsys):
    import uuid

    kind = f"costlab_test_{uuid.uuid4().hex[:8]}"

    @torch.library.custom_op(f"{kind}::twice", mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @torch.library.custom_op(f"{kind}::back", mutates_args=())
    def back(g: torch.Tensor) -> torch.Tensor:
        return g * 2

    twice.register_fake(torch.empty_like), back.register_fake(torch.empty_like)
    twice.register_autograd(lambda ctx, g: back(g))
    costlab.formula(f"{kind}::twice")(lambda t, op: (0, 1))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return twice(self.fc(x))

    trace = costlab.trace(Model(), torch.zeros(2, 4), backward=True)
    notes = " ".join(costlab.table(trace).notes)
    assert f"not counted: {kind}.back x1" in notes and "training step, a lower bound" in notes
    with pytest.raises(ValueError, match=f"no formula for {kind}.back"):
        costlab.table(trace, strict=True)


@pytest.mark.parametrize(
    "wrap",
    [lambda m: nn.DataParallel(m), lambda m: Again(m)],
    ids=["DataParallel", "reentrant checkpoint"],
)
def test_wrapped_models_are_traced_with_their_backward_pass(wrap):
    trace = costlab.trace(
        wrap(nn.Linear(4, 4)), torch.ones(2, 4, requires_grad=True), backward=True
    )
    assert costlab.total(trace, trace.backward).macs >= 32 and len(trace.gradients) == 2


class Again(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        from torch.utils.checkpoint import checkpoint

        return checkpoint(self.inner, x, use_reentrant=True)


class Loss(nn.Module):
    """Gives a number: its gradient is expanded from one element."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.fc(x).sum()


class Force(Loss):
    """Gives the gradient of an energy by its input."""

    def forward(self, x):
        x.requires_grad_()
        return torch.autograd.grad(super().forward(x), x)[0]


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_the_gradient_of_a_sum_is_spread_before_it_is_multiplied(device):
    trace = costlab.trace(Loss(), torch.rand(2, 4), device=device, backward=True)
    assert costlab.total(trace, trace.backward).macs == 2 * 4 * 4


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_gradients_in_forward_are_part_of_it(device):
    trace = costlab.trace(Force(), torch.rand(2, 4), device=device)
    assert costlab.total(trace).macs == 2 * (2 * 4 * 4) and not trace.trained


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_gradients_of_inputs_are_counted_where_they_are_asked_for(device):
    for asked, macs in ((False, 200), (True, 400)):  # 4 x 10 x 5 for the weight, as much for x
        x = torch.rand(4, 10, requires_grad=asked)
        trace = costlab.trace(nn.Linear(10, 5), x, device=device, backward=True)
        assert costlab.total(trace, trace.backward).macs == macs
