"""Measured traces: statistics, attribution, closure and round trip on the CPU; memory by liveness
against hand counts and the allocator."""

import copy
import dataclasses
import random

import pytest
import torch
from torch import nn

import costlab
from costlab import report
from costlab.analysis.change import change
from costlab.analysis.compare import compare
from costlab.analysis.diagram import diagram
from costlab.analysis.memory import memory
from costlab.analysis.profile import profile
from costlab.analysis.roofline import roofline, time_change
from costlab.cli import main
from costlab.measure import MeasureError, measure, tf32, timing
from costlab.measure.ceilings import precision
from costlab.measure.cpu import memory_by_operation
from costlab.measure.nvml import driver_of
from costlab.measure.stats import align, differ
from costlab.render import charts, plain
from costlab.render.document import Picture
from costlab.tables import table
from costlab.trace import Measured, ModuleTime, OpTime, Timing

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@pytest.mark.parametrize(
    "backend, name, value, products, convolutions",
    [
        (torch.backends.cuda.matmul, "allow_tf32", True, True, True),
        (torch.backends.cuda.matmul, "fp32_precision", "tf32", True, True),
        (torch.backends.cudnn.conv, "fp32_precision", "ieee", False, False),
    ],
    ids=["allow_tf32", "products", "convolutions"],
)
def test_tf32_is_read_and_set_by_the_api_that_the_program_uses(
    backend, name, value, products, convolutions
):
    """torch refuses to read `allow_tf32` in the last two."""
    before = getattr(backend, name)
    try:
        setattr(backend, name, value)
        assert (tf32.in_products(), tf32.in_convolutions()) == (products, convolutions)
        for wanted in ("tf32", "fp32"):
            with precision(wanted):
                assert tf32.in_products() == tf32.in_convolutions() == (wanted == "tf32")
        assert (tf32.in_products(), tf32.in_convolutions()) == (products, convolutions)
        assert getattr(backend, name) == value
    finally:
        setattr(backend, name, before)


# ---- statistics


def test_the_median_and_its_interval():
    t = timing([3.0, 1.0, 2.0, 10.0, 2.5])
    assert (
        (t.median, t.runs, t.spread) == (2.5, 5, 1.0)
        and t.low <= t.median <= t.high
        and t.low >= 1
        and t.high <= 10
    )
    assert timing([2.0]) == Timing(2.0, 2.0, 2.0, 0.0, 1) and timing([1.0, 2.0, 3.0]) == timing(
        [3.0, 1.0, 2.0]
    )
    with pytest.raises(ValueError, match="no samples"):
        timing([])


@pytest.mark.slow
def test_the_interval_covers_the_true_median_as_often_as_it_says():
    draw = random.Random(1)
    hits = sum(
        t.low <= 0 <= t.high
        for t in (timing([draw.gauss(0, 1) for _ in range(25)]) for _ in range(200))
    )
    assert 180 <= hits <= 200  # 95%, in 200 tries


def test_two_times_differ_when_their_intervals_do_not_meet():
    a, b, c = (
        Timing(1, 0.9, 1.1, 0.1, 9),
        Timing(2, 1.9, 2.1, 0.1, 9),
        Timing(1.2, 1.05, 1.3, 0.1, 9),
    )
    assert differ(a, b) and differ(b, a) and not differ(a, c)


# ---- attribution


def ops(*names, module="m", call=0):
    return [(n, module, call) for n in names]


@pytest.mark.parametrize(
    "measured, traced, places",
    [
        (ops("conv2d", "relu"), ops("convolution", "relu"), [0, 1]),
        (
            ops("sdpa"),
            ops("bmm", "softmax", "bmm"),
            [0],
        ),  # a fused form stands at the place of the plain one's first
        (ops("mm", "sdpa", "mm"), ops("mm", "bmm", "softmax", "bmm", "mm"), [0, 1, 4]),
        (
            ops("linear", "gelu", "linear"),
            ops("aten.t", "addmm", "view", "gelu", "aten.t", "addmm", "view"),
            [1, 3, 5],
        ),
        (ops("batch_norm"), ops("empty", "native_batch_norm"), [1]),
        (ops("a") + ops("a", call=1), ops("a") + ops("a", call=1), [0, 1]),
        (ops("x", module="elsewhere"), ops("a"), [-1]),
    ],
)
def test_what_ran_is_laid_on_what_was_traced(measured, traced, places):
    assert align(measured, traced) == places


def test_allocations_go_to_the_operations_that_ran():
    found, most = memory_by_operation(
        [
            ("memory", 50),
            ("start", 0),
            ("memory", 100),
            ("memory", 30),
            ("memory", -30),
            ("end", 0),
            ("memory", -50),
            ("start", 1),
            ("memory", 40),
            ("memory", -100),
            ("end", 1),
        ]
    )
    assert found == {0: (150, 180), 1: (40, 140)} and most == 180


# ---- the protocol on the CPU


class Net(nn.Module):
    """A convolution, a functional activation, a shared linear layer called twice, a residual sum,
    in-place work."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.act = (
            nn.Conv2d(3, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
        )
        self.fc, self.head = nn.Linear(16, 16), nn.Linear(16, 4)

    def forward(self, x):
        x = self.act(self.norm(self.conv(x))).mean((2, 3))
        return self.head(x + torch.tanh(self.fc(self.fc(x))))


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    return measure(Net(), torch.randn(4, 3, 32, 32), device="cpu", blocks=6, spec="net")


def test_every_operation_has_its_time_and_its_place(made):
    m = made.measured
    assert [o.name for o in m.ops] == [
        "aten.conv2d",
        "aten.batch_norm",
        "aten.relu_",
        "aten.mean",
        "aten.linear",
        "aten.linear",
        "aten.tanh",
        "aten.add",
        "aten.linear",
    ]
    names = [made.ops[o.of].name for o in m.ops]
    assert names == [
        "aten.convolution",
        "aten.native_batch_norm",
        "aten.relu_",
        "aten.mean",
        "aten.addmm",
        "aten.addmm",
        "aten.tanh",
        "aten.add",
        "aten.addmm",
    ]
    assert all(o.seconds > 0 for o in m.ops) and [
        (made.ops[o.of].module, made.ops[o.of].call) for o in m.ops[4:6]
    ] == [("fc", 0), ("fc", 1)]


def test_bytes_are_of_the_tensors_as_they_ran(made):
    x, y, w = 4 * 3 * 1024, 4 * 16 * 1024, 16 * 27 + 16
    assert [o.bytes for o in made.measured.ops][:4] == [
        4 * (x + w + y),
        4 * (y + 64 + y),
        4 * (y + y),
        4 * (y + 64),
    ]


def test_every_leaf_module_call_is_measured_alone(made):
    modules = made.measured.modules
    assert [(t.path, t.call) for t in modules] == [
        ("conv", 0),
        ("norm", 0),
        ("act", 0),
        ("fc", 0),
        ("fc", 1),
        ("head", 0),
    ]
    assert all(t.warm.low <= t.warm.median <= t.warm.high and t.host >= 0 for t in modules)
    assert modules[3].warm == modules[4].warm  # alike ones are measured once


def test_the_conditions_are_told(made):
    c = made.measured.conditions
    assert (
        c["dtype"] == "fp32"
        and c["layout"] == "contiguous"
        and c["threads"] == torch.get_num_threads()
        and c["method"] == "calls from Python"
        and c["cache"] > 0
    )
    assert (
        made.measured.ceilings["float32"] > 1e8
        and made.measured.ceilings["bandwidth"] > 1e8
        and made.measured.total.runs == 6
    )


def test_a_measured_trace_is_saved_whole(made, tmp_path):
    made.save(tmp_path / "m.trace")
    assert costlab.Trace.load(tmp_path / "m.trace") == made
    assert costlab.total(made) == costlab.total(
        costlab.trace(Net().eval(), torch.empty(4, 3, 32, 32))
    )


def test_the_model_and_the_flags_are_left_as_they_were():
    model, flags = (
        Net().train(),
        lambda: (
            torch.backends.cudnn.benchmark,
            torch.backends.cuda.matmul.allow_tf32,
            torch.is_inference_mode_enabled(),
        ),
    )  # noqa: E731
    state, was, rng = (
        {k: v.clone() for k, v in model.state_dict().items()},
        flags(),
        torch.get_rng_state(),
    )
    measure(
        model,
        torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)),
        device="cpu",
        blocks=2,
        isolate=False,
    )
    assert (
        model.training
        and flags() == was
        and all(torch.equal(v, model.state_dict()[k]) for k, v in state.items())
        and torch.equal(rng, torch.get_rng_state())
    )


def test_dtype_layout_and_compile():
    class Odd(nn.Conv2d):
        def forward(self, x):
            assert x.dtype == torch.bfloat16 and x.is_contiguous(memory_format=torch.channels_last)
            return super().forward(x)

    m = measure(
        Odd(4, 4, 3),
        torch.randn(1, 4, 8, 8),
        device="cpu",
        dtype="bf16",
        channels_last=True,
        blocks=2,
        isolate=False,
    ).measured
    assert (m.conditions["dtype"], m.conditions["layout"], m.conditions["product"]) == (
        "bf16",
        "channels-last",
        "bfloat16",
    ) and "bfloat16" in m.ceilings


@pytest.mark.parametrize(
    "options, line",
    [
        ({"device": "meta"}, "meta tensors take no time"),
        ({"dtype": "fp8"}, "unknown dtype 'fp8'; choose fp32"),
        ({"dtype": "tf32", "device": "cpu"}, "for CUDA devices"),
        pytest.param(
            {"device": "cuda"},
            "sees no CUDA device",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here"),
        ),
        ({"device": "tpu"}, "unknown device 'tpu'"),
    ],
)
def test_what_cannot_be_measured_is_said(options, line):
    with pytest.raises(MeasureError, match=line):
        measure(nn.Linear(2, 2), torch.randn(1, 2), **options)


def test_a_model_that_changes_its_mind_is_refused():
    class Fickle(nn.Module):
        def __init__(self):
            super().__init__()
            self.n = 0

        def forward(self, x):
            self.n += 1
            return x.relu() if self.n % 2 else x.tanh()

    with pytest.raises(MeasureError, match="does not run the same operations each time"):
        measure(Fickle(), torch.randn(3), device="cpu", blocks=2, isolate=False)


def test_meta_weights_are_refused():
    with pytest.raises(MeasureError, match="real weights"):
        measure(nn.Linear(2, 2, device="meta"), torch.randn(1, 2), device="cpu")


# ---- the views


def fake(trace, seconds, total=None, *, host=0.0, device="Test GPU", peak=1e12, bandwidth=1e11):
    """A trace whose first operations took `seconds` each, in order; closure is `total` over their
    sum."""
    took = [
        OpTime(op.name, i, s, sum(4 * trace.tensors[t].numel for t in (*op.inputs, *op.outputs)))
        for i, (op, s) in enumerate(zip(trace.ops, seconds, strict=False))
    ]
    whole = total or sum(seconds)
    t = Timing(whole, 0.99 * whole, 1.01 * whole, 0.01 * whole, 20)
    one = lambda s: Timing(s, s, s, 0.0, 7)  # noqa: E731
    modules = tuple(
        ModuleTime(op.module, op.call, one(s), one(2 * s), host)
        for op, s in zip(trace.ops, seconds, strict=False)
        if op.module
    )
    m = Measured(
        t,
        t,
        tuple(took),
        modules,
        0.0,
        12345,
        {"float32": peak, "bandwidth": bandwidth},
        {
            "device": device,
            "dtype": "fp32",
            "layout": "contiguous",
            "product": "float32",
            "method": "CUDA graph replay",
        },
    )
    return dataclasses.replace(trace, measured=m)


def chain(width=8, spec="chain"):
    return costlab.trace(
        nn.Sequential(nn.Conv2d(4, width, 1, bias=False), nn.Conv2d(width, 8, 1, bias=False)),
        torch.empty(1, 4, 10, 10),
        spec=spec,
    )


def test_a_tables_times_are_those_of_its_rows():
    t = table(fake(chain(), [0.002, 0.001]), "layers")
    assert (
        [r.seconds for r in t.rows] == [0.002, 0.001]
        and [r.cells["time"] for r in t.rows] == [2.0, 1.0]
        and t.totals["time"] == 3.0
    )
    assert (
        "the whole model 3.000 ms (95% interval 2.970 to 3.030, CUDA graph replay), its "
        "operations add up to 100% of it" in t.notes[-1]
    )
    assert "time (ms)" in plain(t.sheet)


def test_the_roofline_by_hand():
    """10x10 positions, 4 to 8 channels and 8 to 8: 2 * 3,200 and 2 * 6,400 FLOPs; 4 (400 + 32 +
    800) and 4 (800 + 64 + 800) bytes."""
    r = roofline(fake(chain(), [1e-6, 4e-6], peak=1e10, bandwidth=1e10))
    assert [(p.flops, p.moved) for p in r.places] == [
        (6400, 4928),
        (12800, 6656),
    ] and r.ridge == 1.0
    assert [p.bound for p in r.places] == ["compute", "compute"]
    assert [p.reached for p in r.places] == [
        pytest.approx(6400 / 1e-6 / 1e10),
        pytest.approx(12800 / 4e-6 / 1e10),
    ]
    slow = roofline(fake(chain(), [1e-6, 4e-6], peak=1e10, bandwidth=1e9)).places
    assert [p.bound for p in slow] == ["memory", "memory"] and slow[0].reached == pytest.approx(
        6400 / 1e-6 / (6400 / 4928 * 1e9)
    )
    assert [(p.warm, p.cold) for p in slow] == [(1e-6, 2e-6), (4e-6, 8e-6)]


def test_a_block_that_the_host_holds_up_is_launch_bound():
    r = roofline(fake(chain(), [1e-6, 4e-6], host=2e-6))
    assert [p.bound for p in r.places] == ["launch", "memory"] and any(
        n == "launch-bound, the host takes longer than the kernels: 0" for n in r.notes
    )


@pytest.mark.parametrize(
    "total, closed", [(3e-3, True), (3.1e-3, True), (3.3e-3, False), (2.7e-3, False)]
)
def test_parts_and_whole_are_compared(total, closed):
    r = roofline(fake(chain(), [2e-3, 1e-3], total))
    assert r.closed is closed and r.closure == pytest.approx(3e-3 / total)
    assert ("differs by more than 5%" in plain(r.sheet)) is not closed and any(
        "add up to" in n for n in r.notes[1:]
    ) is not closed


def test_closure_on_a_real_run(made):
    r = roofline(made)
    assert r.closure == pytest.approx(
        sum(o.seconds for o in made.measured.ops) / made.measured.total.median
    )
    assert sum(p.seconds for p in r.places) == pytest.approx(
        sum(o.seconds for o in made.measured.ops)
    )


def test_fewer_operations_are_not_less_time():
    a, b = fake(chain(8, "wide"), [2e-3, 1e-3]), fake(chain(4, "narrow"), [1.9e-3, 0.95e-3])
    said = str(time_change(a, b))
    assert said == (
        "narrow has 50% fewer MACs than wide and takes 5% less time (3.000 to 2.850 ms): the "
        "change of 50% fewer operations is not one of 50% in time"
    )
    near = str(time_change(a, fake(chain(4, "narrow"), [1.99e-3, 1e-3])))
    assert "so no difference is shown" in near
    assert (
        time_change(a, fake(chain(4), [1e-3, 1e-3], device="another")) is None
        and time_change(a, chain(4)) is None
    )


def test_a_small_difference_between_two_runs_may_be_drift():
    a, b = fake(chain(8, "wide"), [2e-3, 1e-3]), fake(chain(8, "again"), [1.96e-3, 0.98e-3])
    assert "so small a difference may be drift between the runs" in str(time_change(a, b))


def test_one_model_against_itself_in_turns_takes_as_long():
    from costlab.measure import paired

    model, wide = (
        nn.Sequential(nn.Linear(n, n), nn.ReLU(), nn.Linear(n, n)).eval() for n in (64, 64)
    )
    slow = nn.Sequential(*(nn.Linear(64, 64) for _ in range(24))).eval()
    x = torch.randn(32, 64)
    same, more = (
        paired(model, copy.deepcopy(model), x, device="cpu"),
        paired(wide, slow, x, device="cpu"),
    )
    assert (
        same.runs == 20 and same.low < 1.2 and same.high > 0.8 and more.low > 2
    )  # 24 layers against two


def test_time_of_operations_that_the_trace_does_not_have_is_in_no_row():
    t = fake(chain(), [2e-3, 1e-3])
    extra = dataclasses.replace(
        t,
        measured=dataclasses.replace(
            t.measured, ops=(*t.measured.ops, OpTime("aten.mm", -1, 5e-4, 64))
        ),
    )
    r = roofline(extra)
    assert [p.seconds for p in r.places] == [
        p.seconds for p in roofline(t).places
    ] and r.lost == 5e-4
    assert r.closure == pytest.approx(
        3.5e-3 / t.measured.total.median
    ) and "operations that the trace does not have" in plain(r.sheet)


def test_an_encoder_layer_is_timed_by_its_modules():
    """torch's fast path would run the layer as one operation, of no module."""
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 2, 64, batch_first=True), 1).eval()
    t = measure(model, torch.randn(2, 8, 32), device="cpu", blocks=3, isolate=False)
    took = {}
    for o in t.measured.ops:
        took[t.ops[o.of].module] = took.get(t.ops[o.of].module, 0) + o.seconds
    assert (
        all(
            took.get(f"layers.0.{name}", 0) > 0
            for name in ("linear1", "linear2", "norm1", "self_attn")
        )
        and torch.backends.mha.get_fastpath_enabled()
    )


def test_a_users_modules_that_look_alike_are_timed_each():
    class Mine(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.w = nn.Parameter(torch.randn(n, 256))

        def forward(self, x):
            return (x @ self.w.t()).mean(1, keepdim=True) + x

    model = nn.Sequential(Mine(4096), Mine(4)).eval()
    times = {
        m.path: m.warm.median
        for m in measure(model, torch.randn(16, 256), device="cpu", blocks=3).measured.modules
    }
    assert times["0"] > 3 * times["1"]


def test_every_view_has_the_times():
    a, b = fake(chain(8, "wide"), [2e-3, 1e-3]), fake(chain(4, "narrow"), [1e-3, 1e-3])
    assert [s.seconds for s in profile(a).steps] == [
        2e-3,
        1e-3,
    ] and "time (ms)" in charts.render(charts.stages, profile(a)).decode()
    assert [box.seconds for box in diagram(a).boxes] == [None, 2e-3, 1e-3, None]
    assert compare([a, b]).sentences[0].endswith(
        "and takes 1.5 times as long"
    ) and "time, measured" in plain(compare([a, b]).sheet)
    times = [s.figures["time"] for s in change(a, b).steps]
    assert times == [(2e-3, 1e-3), (1e-3, 1e-3)]
    assert change(a, b).figures["time"] == (pytest.approx(3e-3), pytest.approx(2e-3))
    assert all(s.what == "equal" for s in change(a, a).steps)


def test_reports_show_measurements_where_they_are_and_say_where_not():
    a, b = fake(chain(8, "wide"), [2e-3, 1e-3]), fake(chain(4, "narrow"), [1.9e-3, 0.95e-3])
    doc = report.build(
        report.Config(sections=("summary", "measurements")), [a, b], None, "costlab report", None
    )
    text = repr(doc)
    assert (
        "wide takes 3 ms on Test GPU" in text
        and "the change of 50% fewer operations is not one of 50% in time" in text
        and "Time: 3 ms on Test GPU (fp32)" in text
    )
    assert {p.id for p in doc.parts() if isinstance(p, Picture)} == {
        "roofline",
        "roofline-2",
        "memory",
    }
    assert "Not measured: counts say what must be done" in repr(
        report.build(
            report.Config(sections=("conventions",)), [chain()], None, "costlab report", None
        )
    )


@pytest.mark.slow
def test_the_roofline_chart_has_arrows_to_a_second_run():
    a, b = (
        roofline(fake(chain(8, "wide"), [2e-3, 1e-3])),
        roofline(fake(chain(4, "narrow"), [1e-3, 1e-3])),
    )
    one, two = (charts.render(charts.roofline, *r).decode() for r in ((a,), (a, b)))
    assert (
        "arrows to narrow" in two
        and two.count("<path") > one.count("<path")
        and "ceilings: 1.00 TFLOP/s" in one
    )


def test_the_commands(tmp_path, capsys):
    net = tmp_path / "net.py"
    net.write_text(
        "from torch import nn\n"
        "def build():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))\n"
    )
    file = tmp_path / "net.trace"
    assert (
        main(
            [
                "trace",
                f"{net}:build",
                "--input",
                "1x3x8x8",
                "--measure",
                "--device",
                "cpu",
                "-o",
                str(file),
            ]
        )
        == 0
    )
    assert " ms on " in capsys.readouterr().out
    assert main(["roofline", str(file)]) == 0 and "closure (all parts)" in capsys.readouterr().out
    assert main(["memory", str(file)]) == 0 and "measured: " in capsys.readouterr().out
    for kind in ("roofline", "memory", "stages"):
        assert (
            main(["chart", kind, str(file), "-o", str(tmp_path / f"{kind}.svg")]) == 0
            and (tmp_path / f"{kind}.csv").exists()
        )


@pytest.mark.parametrize(
    "argv, line",
    [
        (["trace", "nin", "--dtype", "bf16", "-o", "x"], "add --measure"),
        (["trace", "nin", "--measure", "--device", "meta", "-o", "x"], "meta tensors take no time"),
        (["trace", "nin", "--measure", "--mode", "train", "-o", "x"], "times inference"),
        (["roofline", "none.trace"], "cannot read none.trace"),
        (
            ["chart", "roofline", "nin", "-o", "x.svg"],
            "nin was not measured; trace it with --measure",
        ),
        (["chart", "memory", "-o", "x.svg"], "needs a model"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


# ---- memory by liveness


def test_liveness_by_hand():
    """Widths 8, 16, 4 of one float each: while the second layer runs, its input (8) and output (16)
    are alive."""
    model = nn.Sequential(
        nn.Linear(2, 8, bias=False), nn.Linear(8, 16, bias=False), nn.Linear(16, 4, bias=False)
    )
    m = memory(costlab.trace(model, torch.empty(1, 2)))
    assert (m.params, m.buffers, m.inputs) == (4 * (16 + 128 + 64), 0, 8)
    assert m.live == (0, 32, 32, 96, 64, 80) and (m.peak, m.place, m.least) == (
        96,
        "1",
        96,
    )  # transposes of weights are views


def test_a_tensor_lives_until_the_module_that_was_given_it_returns():
    class Inner(nn.Module):
        def forward(self, x):
            y = x.relu()
            return y.tanh().exp()

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def forward(self, x):
            return self.inner(x.sigmoid())

    m = memory(costlab.trace(Outer(), torch.empty(10)))
    # sigmoid's output is held by the call of inner to its end: three alive from tanh on, though two
    # would do
    assert m.live == (40, 80, 120, 120) and (m.peak, m.least) == (120, 80)


def test_in_place_work_and_views_take_no_memory():
    class M(nn.Module):
        def forward(self, x):
            return x.exp().relu_().view(2, 5).t().contiguous()

    assert memory(costlab.trace(M(), torch.empty(10))).live == (40, 40, 40, 40, 80)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.n = nn.Linear(64, 256), nn.Linear(256, 64), nn.LayerNorm(64)

    def forward(self, x):
        return x + self.b(torch.relu(self.a(self.n(x))))


@pytest.mark.parametrize(
    "make, shape",
    [
        (lambda: nn.Sequential(*(Residual() for _ in range(3))), (512, 64)),
        (
            lambda: nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 32), nn.Tanh()),
            (256, 64),
        ),
    ],
)
def test_the_estimate_is_the_allocators_peak(make, shape):
    trace = measure(make(), torch.randn(shape), device="cpu", blocks=2, isolate=False)
    assert memory(trace).measured == pytest.approx(memory(trace).peak, rel=0.02)


def test_a_training_step_keeps_what_its_backward_pass_needs():
    # 32 floats in, 64 and 4 out: gradients 4 x (32 x 64 + 64 x 4) bytes come on top of the kept
    # activations
    model = nn.Sequential(nn.Linear(32, 64, bias=False), nn.ReLU(), nn.Linear(64, 4, bias=False))
    plain_, step = (
        memory(costlab.trace(model, torch.empty(16, 32), backward=b)) for b in (False, True)
    )
    grads = 4 * (32 * 64 + 64 * 4)
    assert (
        step.trained
        and step.gradients == grads
        and step.peak >= grads + 4 * 16 * 64
        and plain_.peak == 2 * 4 * 16 * 64
    )
    assert step.optimizers == {"SGD": 0, "SGD with momentum": grads, "Adam": 2 * grads}


def test_the_training_estimate_is_near_the_allocators_peak():
    from torch.profiler import ProfilerActivity, profile

    torch.manual_seed(0)
    model, x = nn.Sequential(*(Residual() for _ in range(3))), torch.randn(512, 64)
    estimate = memory(costlab.trace(model, x, device="cpu", backward=True)).peak
    model(x).sum().backward()
    model.zero_grad()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as p:
        model(x).sum().backward()
    events = sorted(
        (e for e in p.profiler.kineto_results.events() if e.name() == "[memory]"),
        key=lambda e: e.start_ns(),
    )
    _, most = memory_by_operation([("memory", e.nbytes()) for e in events])
    assert most == pytest.approx(estimate, rel=0.1)


# ---- rewrites


def test_a_rewrite_measured_before_and_after(tmp_path, capsys):
    net = tmp_path / "net.py"
    net.write_text(
        "from torch import nn\n"
        "def build():\n"
        "    return nn.Sequential(nn.Conv2d(8, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 4, 1))\n"
    )
    common = ["factorize", f"{net}:build", "--input", "1x8x12x12", "--apply", "0:stacked-3x3"]
    assert (
        main([*common, "--measure", "--device", "cpu", "--roofline", str(tmp_path / "r.svg")]) == 0
    )
    out = capsys.readouterr().out
    # 64 (25 a position, then 18) and 32: 144 positions
    assert "times as long, run in turns)" in out and "equal the prediction exactly" in out
    assert "arrows to" in (tmp_path / "r.svg").read_text() and (tmp_path / "r.csv").exists()
    assert (
        main([*common, "--roofline", str(tmp_path / "x.svg")]) == 2
        and not (tmp_path / "x.svg").exists()
    )


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC\n",
            "550.54.15",
        ),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build\n",
            "570.124.06",
        ),
        ("GCC version: 12.2.0\n", None),
    ],
)
def test_the_version_of_the_driver_as_the_driver_says_it(text, version, tmp_path):
    file = tmp_path / "version"
    file.write_text(text)
    assert driver_of(file) == version
    assert driver_of(tmp_path / "none") is None
