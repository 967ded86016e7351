"""Factorization, grid reduction, bottlenecks, heads and auxiliary classifiers, against closed
forms and the reference recount."""

import csv
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from costlab import zoo
from costlab.analysis import factorize, grid, head
from costlab.analysis.bottleneck import bottleneck
from costlab.cli import main
from costlab.trace.build import build_on_meta
from costlab.trace.tracer import trace as run


with open(Path(__file__).parent / "data/note_claims.csv", encoding="utf-8") as file:
    RECOUNTED = list(csv.DictReader(file))


def rows(capsys, *argv, code=0):
    assert main([*argv, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


RULES = {  # rule: share of MACs saved at equal widths, same padding, and receptive field
    "5x5 -> 3x3 + 3x3": (1 - 18 / 25, 5),
    "7x7 -> three 3x3": (1 - 27 / 49, 7),
    "3x3 -> depthwise 3x3 + 1x1": (1 - (9 / 64 + 1) / 9, 3),
    "3x3 -> 1x1 + 3x3 + 1x1": (1 - (2 / 4 + 9 / 16) / 9, 3),
    "5x5 -> depthwise 5x5 + 1x1": (1 - (25 / 64 + 1) / 25, 5),
    **{f"{n}x{n} -> 1x{n} + {n}x1": (1 - 2 / n, n) for n in (3, 5, 7, 9, 11, 13, 15)},
}


@pytest.mark.parametrize(
    "name, first, saved",
    [
        (
            "googlenet",
            ("conv2.1.0", "3x3 convolution, then pool", (64, 56, 56), (192, 28, 28)),
            64 * 9 * (192 * 56**2 - 128 * 28**2),
        ),
        (
            "inception_v3",
            ("stem.5.0", "3x3 convolution, then pool", (80, 73, 73), (192, 35, 35)),
            80 * 9 * (192 * 71**2 - 112 * 35**2),
        ),
        (
            "resnet18",
            ("conv3_x.0.body.0.0", "3x3 convolution of stride 2", (64, 56, 56), (128, 28, 28)),
            64 * 9 * 64 * 28**2,
        ),
    ],
)
def test_a_models_grid_reductions(name, first, saved):
    """By hand: a convolution from c to C on D^2 against one to C - c on d^2 beside the pool."""
    found = grid.reductions(
        run(
            build_on_meta(lambda: zoo.build(name)),
            torch.empty(zoo.input_shape(name), device="meta"),
        )
    )
    assert (found[0].place, found[0].scheme, found[0].before, found[0].after, found[0].saved) == (
        *first,
        saved,
    )


def test_a_representational_bottleneck_is_found_in_a_model():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 1),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 32, 3, padding=1),
        nn.MaxPool2d(2),
        nn.AvgPool2d(2),
    )
    found = {r.scheme: r for r in grid.reductions(run(model, torch.empty(2, 3, 16, 16)))}
    before, after = found["pool, then 3x3 convolution"], found["3x3 convolution, then pool"]
    # 8x16x16 = 2,048 elements, pooled 8x8x8 = 512, then 32x8x8 = 2,048; in parallel 24 filters from
    # 8 channels, twice
    assert (before.narrowest, before.bottleneck, before.macs, before.parallel) == (
        512,
        True,
        2 * 64 * 32 * 72,
        2 * 64 * 24 * 72,
    )
    assert (after.narrowest, after.bottleneck, after.macs, after.parallel) == (
        None,
        False,
        2 * 64 * 32 * 72,
        2 * 16 * 24 * 72,
    )
    assert found["pool"].parallel is None and not found["pool"].bottleneck


def test_the_rule_table():
    found = {r.name: (r.saving, r.field) for r in factorize.rules().rules}
    assert found == {k: (pytest.approx(v, abs=1e-12), (f, f)) for k, (v, f) in RULES.items()}
    assert all(r.out[0] == r.out[1] for r in factorize.rules().rules)


# by hand: 5x5 on a valid 28 grid gives 24; the first 3x3 gives 26, so 26^2 * 9 + 24^2 * 9 against
# 24^2 * 25
@pytest.mark.parametrize(
    "kernel, saving",
    [
        (5, 1 - (26 * 26 * 9 + 24 * 24 * 9) / (24 * 24 * 25)),
        (7, 1 - 9 * (26**2 + 24**2 + 22**2) / (22**2 * 49)),
    ],
)
def test_valid_padding_saves_less(kernel, saving):
    rule = factorize.rules(padding="valid", kernels=[kernel]).rules[0]
    assert rule.saving == pytest.approx(saving) and rule.out[0] == rule.out[1]


def test_biases_are_counted():
    rule = factorize.rules(kernels=[5]).rules[0]
    assert rule.params_with_bias == (64 * 64 * 25 + 64, 2 * (64 * 64 * 9 + 64))


@pytest.mark.parametrize(
    "c_in, c_out, mid",
    [
        (16, 32, 29.63),
        (32, 96, 66.67),
        (16, 48, 33.33),
        (24, 64, 48.48),
        (32, 64, 59.26),
        (32, 128, 71.11),
        (48, 128, 96.97),
    ],
)
def test_break_even(c_in, c_out, mid):
    """25 ci co / (9 (ci + co)), for GoogLeNet's own 5x5 branches; costs cross there."""
    assert factorize.break_even(c_in, c_out) == pytest.approx(mid, abs=0.01)
    conv = factorize.Conv(c_in, c_out, (5, 5), padding=(2, 2))
    whole = factorize.predict(conv, None, 0, (14, 14))[1]
    assert (
        factorize.predict(conv, "stacked-3x3", int(mid), (14, 14))[1]
        <= whole
        < factorize.predict(conv, "stacked-3x3", int(mid) + 1, (14, 14))[1]
    )


def test_break_even_of_three():
    m = factorize.break_even(64, 64, 7)
    assert 9 * (64 * m + m * m + 64 * m) == pytest.approx(49 * 64 * 64)


def test_googlenets_own_5x5_get_dearer_at_their_output_width():
    model = build_on_meta(lambda: zoo.build("googlenet"))
    made = run(model, torch.empty(1, 3, 224, 224, device="meta"))
    for mid, macs in (
        ("out", 188762112),
        ("in", 64012032),
    ):  # reference claim C34: 131,712,000 before
        found = [
            c for c in factorize.candidates(made, ["stacked-3x3"], mid) if c.conv.kernel == (5, 5)
        ]
        assert (sum(c.macs[0] for c in found), sum(c.macs[1] for c in found)) == (131712000, macs)


class Net(nn.Module):
    """Strides, padding, biases, a shared convolution, and ones that no rewrite fits."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 7, 2, 3)
        self.shared = nn.Conv2d(8, 8, 5, padding=2, bias=False)
        self.b, self.valid = nn.Conv2d(8, 12, 3, (2, 1), 1), nn.Conv2d(12, 16, 5)
        self.grouped, self.dilated, self.point = (
            nn.Conv2d(16, 16, 3, groups=4),
            nn.Conv2d(16, 16, 3, dilation=2),
            nn.Conv2d(16, 4, 1),
        )

    def forward(self, x):
        return self.point(
            self.dilated(self.grouped(self.valid(self.b(self.shared(self.shared(self.a(x)))))))
        )


X = torch.rand(2, 3, 60, 60)


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("rewrite", factorize.REWRITES)
@pytest.mark.parametrize("mid", ["default", "in", "sqrt", 5])
def test_prediction_and_second_trace_agree_exactly_on_any_model(rewrite, mid, device):
    model = Net()
    found = factorize.candidates(run(model, X, device=device), [rewrite], mid)
    assert {c.path for c in found} == (
        {"a", "shared", "valid"} if rewrite == "stacked-3x3" else {"a", "shared", "b", "valid"}
    )
    result = factorize.factorize(model, X, None, found, "net", device)
    assert result.agrees and result.params[1] != result.params[0] and isinstance(model.a, nn.Conv2d)
    assert next(c.calls for c in found if c.path == "shared") == 2


def test_a_rewritten_model_runs():
    model = Net()
    new = factorize.apply(model, factorize.candidates(run(model, X), ["1xn-nx1"]))
    assert new(X).shape == model(X).shape


def test_the_command_ranks_and_applies(capsys):
    doc = rows(capsys, "factorize", "googlenet", "--top", "3")
    assert len(doc["rows"]) == 3 and doc["rows"][0]["convolution"] == "conv2.1.0"
    doc = rows(
        capsys,
        "factorize",
        "googlenet",
        "--rewrite",
        "stacked-3x3",
        "--mid",
        "in",
        "--apply",
        "inception3a.branch3.1.0",
    )
    # 3a: 784 * (25*16*32 -> 9*16*16 + 9*16*32)
    assert (doc["rows"][0]["MACs before (MACs)"], doc["rows"][0]["MACs after (MACs)"]) == (
        784 * 12800,
        784 * 6912,
    )
    assert (
        doc["total"]["MACs after (MACs)"] == 1582671872 - 784 * (12800 - 6912)
        and "equal the prediction exactly" in doc["notes"][0]
    )


@pytest.mark.parametrize(
    "argv, line",
    [
        (["factorize", "googlenet", "--rewrite", "magic"], "unknown rewrite 'magic'"),
        (["factorize", "googlenet", "--mid", "wide"], "unknown middle width 'wide'"),
        (["factorize", "googlenet", "--apply", "conv3"], "no rewrite 'conv3'"),
        (["factorize", "--padding", "odd"], "unknown padding 'odd'"),
        (
            [
                "factorize",
                "googlenet",
                "--apply",
                "conv1.0:1xn-nx1",
                "--apply",
                "conv1.0:bottleneck",
            ],
            "has two rewrites",
        ),
        (
            [
                "factorize",
                "googlenet",
                "--rewrite",
                "stacked-3x3",
                "--mid",
                "out",
                "--apply",
                "best",
            ],
            "no rewrite saves MACs",
        ),
        (["factorize", "--kernel", "4"], "an even kernel has no same padding"),
        (["factorize", "--c-in", "0"], "at least 1"),
        (
            ["factorize", "googlenet", "--grid", "7"],
            "--grid applies to the rule table, not to a model",
        ),
        (["chart", "bottleneck", "resnet50", "-o", "x.svg"], "the bottleneck chart takes no model"),
        (["chart", "pareto", "--input", "1x3x9x9", "-o", "x.svg"], "takes no model and no input"),
        (["factorize", "--apply", "conv1.0"], "--apply applies to a model"),
        (["grid", "--input", "1x3x9x9"], "--input applies to a model"),
        (["grid", "googlenet", "--d", "7"], "--d applies to the schemes, not to a model"),
        (["bottleneck", "--c-in", "3"], "give its --widths too"),
        (
            ["chart", "stages", "googlenet", "--against", "x", "-o", "x.svg"],
            "--against does nothing for the stages chart",
        ),
        (["chart", "head", "--d", "5", "-o", "x.svg"], "--d does nothing for the head chart"),
        (["head", "-o", "x.xyz"], "cannot tell the format of 'x.xyz'"),
        (["factorize", "--kernel", "1"], "there is nothing to factorize below 2"),
        (["grid", "--kernel", "2"], "choose an odd one"),
        (["grid", "--c-out", "100"], "c_out is greater than c_in"),
        (["grid", "--pool", "2x2"], "35 is odd"),
        (["grid", "--d", "2"], "too small"),
        (["bottleneck", "--widths", "1,2"], "six widths"),
        (["bottleneck", "--widths", "a"], "cannot read --widths"),
        (["head", "--side", "0"], "at least 1"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


NOTE = RECOUNTED[44]["recomputed"]  # C45: the note's case, recounted


@pytest.mark.parametrize(
    "kernel, counts",
    [
        (3, (532684800, 2257920000, 266342400)),
        (1, (59187200, 250880000, 29593600)),
        (5, (1479680000, 6272000000, 739840000)),
    ],
)
def test_the_notes_grid_reduction(kernel, counts):
    """289 * k^2 * 320 * 640; 1225 * k^2 * 320 * 640; 289 * k^2 * 320 * 320."""
    schemes = grid.grid(kernel=kernel).schemes
    assert tuple(s.macs for s in schemes[:3]) == counts and all(
        s.out == (640, 17, 17) for s in schemes
    )
    assert [s.bottleneck for s in schemes] == [True, False, False, False] and schemes[
        0
    ].narrowest == 92480
    if kernel < 5:
        assert all(str(c) in NOTE for c in counts)


def test_figure_10_at_the_notes_widths():
    assert grid.grid().schemes[3].macs == 502287104 and "502287104" in NOTE


@pytest.mark.parametrize(
    "d, pool, ratio",
    [
        (35, "valid", (35 / 17) ** 2),
        (36, "2x2", 4),
        (35, "padded", (35 / 18) ** 2),
        (17, "valid", (17 / 8) ** 2),
    ],
)
def test_the_exact_ratio(d, pool, ratio):
    a, b = grid.grid(d=d, pool=pool).schemes[:2]
    assert b.macs / a.macs == pytest.approx(ratio, rel=1e-12)


def test_naive_against_reduced():
    want = {
        f"inception ({m['module']})": m["ratio"] for m in json.loads(RECOUNTED[9]["recomputed"])
    }
    got = {p.name: p.times for p in bottleneck().pairs}
    chained = bottleneck().pairs[-1]
    assert {k: round(v, 3) for k, v in got.items() if k in want} == {
        k: pytest.approx(v, abs=2e-3) for k, v in want.items()
    }
    assert [(f.macs, f.params, f.channels) for f in (chained.naive, chained.reduced)] == [
        (12568061056, 97526008, 4944),
        (1582671872, 6998552, 1024),
    ]


def test_heads():
    h = head.heads().heads
    assert [(x.params, x.macs) for x in h] == [
        (58631144, 58621952),
        (9217000, 9216000),
        (257000, 9216000),
        (257000, 256000),
    ]
    assert head.pointwise_difference() < 1e-12


def net(*modules):
    model = nn.Sequential(*modules).eval()
    return model, run(model, torch.empty(1, 8, 12, 12))


class Own(nn.Conv2d):
    """A convolution of one's own may do anything."""


def hooked():
    conv = nn.Conv2d(8, 8, 5)
    conv.register_forward_hook(lambda m, args, out: out * 2)
    return conv


def tied():
    a, b = nn.Conv2d(8, 8, 5), nn.Conv2d(8, 8, 5)
    b.weight = a.weight
    return a, b


def read_elsewhere():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv2d(8, 8, 5)

        def forward(self, x):
            return self.c(x) + self.c.weight.sum()

    return (Both(),)


@pytest.mark.parametrize(
    "modules, reason",
    [
        (lambda: (Own(8, 8, 5),), "it is a Own, not an nn.Conv2d"),
        (
            lambda: (nn.Conv2d(8, 8, 5, padding=2, padding_mode="reflect"),),
            "its padding is reflect",
        ),
        (lambda: (hooked(),), "it has hooks or a weight norm, which would be lost"),
        (
            lambda: (nn.utils.weight_norm(nn.Conv2d(8, 8, 5)),),
            "it has hooks or a weight norm, which would be lost",
        ),
        (tied, "its weight is tied to another module's"),
        (read_elsewhere, "its weight is read elsewhere"),
        (lambda: (nn.Conv2d(8, 8, 5),), ""),
    ],
)
def test_a_convolution_that_cannot_be_replaced_is_left_with_its_reason(modules, reason):
    model, trace = net(*modules())
    can, left = factorize.replaceable(model, trace, factorize.candidates(trace))
    assert set(map(str, left.values())) == ({reason} if reason else set()) and bool(can) != bool(
        reason
    )
    if reason:
        with pytest.raises(ValueError, match="cannot be replaced"):
            factorize.choose(can, [next(iter(left))], left)


def test_a_unets_skip_is_no_grid_reduction_and_its_diagram_has_no_cycle():
    class Unet(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.pool, self.b, self.c = (
                nn.Conv2d(8, 8, 3, padding=1),
                nn.MaxPool2d(2),
                nn.Conv2d(8, 8, 3, padding=1),
                nn.Conv2d(16, 8, 3, padding=1),
            )

        def forward(self, x):
            a = self.a(x)
            return self.c(
                torch.cat((a, nn.functional.interpolate(self.b(self.pool(a)), scale_factor=2)), 1)
            )

    from costlab.analysis.diagram import diagram

    trace = run(Unet(), torch.empty(1, 8, 12, 12))
    assert [r.scheme for r in grid.reductions(trace)] == ["pool, then 3x3 convolution"]
    d = diagram(trace)
    order = {b.id: i for i, b in enumerate(d.boxes)}
    assert len(d.edges) >= 5 and all(order[e.source] < order[e.target] for e in d.edges)
    assert d.root.kind == "u"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("alone", [True, False])
def test_rewrites_keep_the_dtype_and_reach_a_model_that_is_one_convolution(dtype, alone):
    conv = nn.Conv2d(8, 8, 5, padding=2)
    model = (conv if alone else nn.Sequential(nn.ModuleDict({"a:b": conv})["a:b"])).to(dtype)
    x = torch.zeros(1, 8, 12, 12, dtype=dtype)
    found = factorize.candidates(run(model, x))
    result = factorize.factorize(model, x, {}, factorize.choose(found, ["best"]), "m")
    assert (
        result.agrees
        and all(f.before == f.after for f in result.fields)
        and result.traces[1].tensors[result.traces[1].outputs[0]].dtype
        == str(dtype).removeprefix("torch.")
    )


def test_the_ranking_counts_all_and_says_how_many_it_shows(capsys):
    doc = rows(capsys, "factorize", "googlenet", "--top", "5")
    assert (
        len(doc["rows"]) == 5
        and doc["notes"][0]
        == "70 rewrites of 20 convolutions, ranked by MACs saved, of which the first 5 are shown; "
        "14 of them would cost more"
    )
    five = rows(capsys, "factorize", "googlenet", "--kernel", "5", "--top", "0")
    assert len(five["rows"]) == 36 and all(r["shape"].startswith("5x5") for r in five["rows"])


def test_a_pool_that_a_skip_goes_round_is_no_bottleneck():
    """Pooling 8 to 8 channels and widening after: narrow, unless what was pooled is read again."""

    class Net(nn.Module):
        def __init__(self, skip):
            super().__init__()
            self.skip, self.a, self.b, self.c = (
                skip,
                nn.Conv2d(3, 8, 3, padding=1),
                nn.Conv2d(8, 64, 3, padding=1),
                nn.Conv2d(72 if skip else 64, 4, 1),
            )

        def forward(self, x):
            a = self.a(x)
            y = self.b(nn.functional.max_pool2d(torch.relu(a), 2))
            return self.c(
                torch.cat((nn.functional.interpolate(y, scale_factor=2), a), 1) if self.skip else y
            )

    for skip in (True, False):
        (found,) = [
            r
            for r in grid.reductions(run(Net(skip), torch.zeros(1, 3, 12, 12)))
            if "pool" in r.scheme
        ]
        assert found.bottleneck == (not skip and found.scheme.startswith("pool"))


def test_shares_are_fractions_for_machines_and_percent_for_people(capsys):
    (row,) = rows(capsys, "factorize", "--kernel", "5", "--rewrite", "stacked-3x3")["rows"]
    assert (
        row["MACs saved (fraction)"] == pytest.approx(0.28)
        and "28.0%" in (main(["factorize", "--kernel", "5"]), capsys.readouterr().out)[1]
    )


def test_the_numbers_beside_the_savings_chart_hold_both_halves(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    assert (
        main(
            [
                "chart",
                "savings",
                "--c-in",
                "16",
                "--c-out",
                "32",
                "--kernel",
                "9",
                "-o",
                str(tmp_path / "s.svg"),
            ]
        )
        == 0
    )
    frame = pandas.read_csv(tmp_path / "s.csv")
    curve = frame[frame["rule"] == "9x9 as stacked 3x3"]
    assert (
        list(curve["middle width (channels)"]) == list(range(1, 65))
        and "break-even at middle width" in frame["notes"][0]
    )


@pytest.mark.parametrize(
    "argv, line",
    [
        (["factorize", "--rewrite", "5x5"], "unknown rewrite '5x5'; choose stacked-3x3"),
        (["factorize", "--kernel", "1"], "nothing to factorize below 2"),
        (
            ["factorize", "--kernel", "9", "--grid", "4", "--padding", "valid"],
            "no kernel fits a 4x4 grid",
        ),
        (["aux", "--diagram", "x.svg"], "draws one network"),
    ],
)
def test_bad_input_of_the_commands(argv, line, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1
