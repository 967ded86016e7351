"""What only a GPU can show. `make gpu` runs these; elsewhere they are skipped. They need torch,
numpy and pytest alone."""

import statistics

import pytest
import torch
from torch import nn

import costlab
from costlab import zoo
from costlab.analysis.memory import memory
from costlab.analysis.roofline import roofline
from costlab.measure import MeasureError, measure, paired
from costlab.measure.cuda import Cuda

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def block(channels=64):
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()
    )


@pytest.mark.parametrize("dtype", ["fp32", "tf32", "bf16", "fp16"])
def test_a_run_closes_and_its_memory_is_the_allocators(dtype):
    torch.manual_seed(0)
    trace = measure(
        nn.Sequential(*(block() for _ in range(6))),
        torch.randn(16, 64, 56, 56),
        device="cuda",
        dtype=dtype,
        channels_last=dtype != "fp32",
        spec="net",
    )
    m, r = trace.measured, roofline(trace)
    assert m.conditions["method"] == "CUDA graph replay" and m.account.replayed
    assert m.eager.median >= 0.9 * m.total.median
    assert 0.8 < r.closure < 1.1 and all(o.seconds > 0 for o in m.ops if "view" not in o.name)
    assert m.account.span == pytest.approx(m.total.median, rel=0.15)
    assert m.peak == max(o.peak for o in m.ops) and memory(trace).peak <= 1.2 * m.peak
    assert m.ceilings["bfloat16"] > m.ceilings["float32"]
    assert statistics.median(t.cold.median / t.warm.median for t in m.modules if t.cold) > 0.7


@pytest.mark.parametrize("name", ["googlenet", "alexnet", "resnet50"])
def test_a_whole_network_can_be_measured(name):
    """The next capture used to free what the graphs before it read."""
    trace = measure(zoo.build(name), torch.randn(zoo.input_shape(name)), device="cuda", blocks=5)
    m = trace.measured
    assert len(m.modules) > 10 and m.account.replayed
    assert abs(roofline(trace).closure - 1) < 0.1
    torch.cuda.synchronize()  # the context is still there


def test_groups_that_run_side_by_side_count_once():
    groups = nn.Sequential(*(nn.Conv2d(96, 256, 5, padding=2, groups=2) for _ in range(1)))
    m = measure(groups, torch.randn(1, 96, 27, 27), device="cuda", blocks=5).measured
    assert sum(o.seconds for o in m.ops) <= 1.05 * m.account.busy


def test_a_module_with_dropout_alone_measures_nothing():
    m = measure(
        nn.Sequential(nn.Dropout(), nn.Flatten()), torch.randn(8, 8), device="cuda", blocks=5
    )
    assert m.measured.total.median < 1e-3 and m.measured.account.kernels == 0


def test_models_in_turns():
    torch.manual_seed(0)
    slow = nn.Sequential(*(block() for _ in range(4)))
    ratio = paired(block(), slow, torch.randn(16, 64, 56, 56), device="cuda", blocks=5)
    assert ratio.median > 2


def test_what_does_not_fit_is_one_line(monkeypatch):
    monkeypatch.setattr(Cuda, "free_bytes", lambda self: 1000)
    with pytest.raises(MeasureError, match=r"the weights take .* free; choose a smaller model"):
        measure(nn.Linear(64, 64), torch.randn(1, 64), device="cuda")
    monkeypatch.undo()

    class Huge(nn.Module):
        def forward(self, x):
            return x.expand(1 << 42).clone()

    with pytest.raises(MeasureError, match="does not fit: .* ran out of memory"):
        measure(Huge(), torch.randn(1), device="cuda")


@pytest.mark.parametrize(
    "before, after, steady",
    [(1980, 1980, True), (1980, 1755, False), (None, 1980, True), (None, None, True)],
)
def test_a_block_during_which_the_clock_moved_is_not_kept(before, after, steady):
    sample = lambda mhz: {} if mhz is None else {"sm_mhz": mhz}  # noqa: E731 a local word
    assert Cuda().steady(sample(before), sample(after)) is steady


FIELDS = ("ops", "macs", "flops", "activations", "outputs", "read", "written", "params")


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "inception_v3"])
def test_counts_are_the_same_on_the_gpu(name):
    model, x = zoo.build(name).eval(), torch.empty(zoo.input_shape(name))
    totals = [costlab.total(costlab.trace(model, x, device=d)) for d in ("cuda", "meta")]
    a, b = ({f: getattr(t, f) for f in FIELDS} for t in totals)
    assert a == b
