"""Charts: no text under 7 pt, no two texts over one another, none outside the picture; the numbers
beside; the same bytes twice."""

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from selection import MEASURED, measured, slow_but

import costlab
from costlab import zoo
from costlab.cli import main
from costlab.cost import three_digits
from costlab.tables import display_names
from costlab.trace.build import build_on_meta

pytest.importorskip("matplotlib")
from costlab.analysis.aux import read_probe  # noqa: E402
from costlab.render import charts  # noqa: E402
from costlab.render.charts.lettering import text_width, wrapped  # noqa: E402
from costlab.render.charts.themes import LIGHT  # noqa: E402

MODELS = (
    "nin",
    "nin_cifar10",
    "alexnet",
    "zfnet",
    "vgg16",
    "googlenet",
    "cnds8",
    "bn_inception",
    "inception_v2",
    "inception_v3",
    "resnet18",
    "resnet50",
    "resnet152",
    "long paths",
    "one layer",
)


@cache
def traced(name):
    if name == "long paths":
        layers = [torch.nn.Conv2d(4, 4, 1) for _ in range(30)]
        model = torch.nn.Sequential()
        for i, layer in enumerate(layers):
            model.add_module(f"the_encoder_of_the_second_backbone_block_{i}_attention", layer)
        return costlab.trace(model, torch.empty(1, 4, 8, 8), spec="/home/someone/nets/a.py:build")
    if name == "one layer":
        return costlab.trace(torch.nn.Linear(3, 4), torch.empty(1, 3), spec=name)
    return costlab.trace(
        build_on_meta(lambda: zoo.build(name)),
        torch.empty(zoo.input_shape(name), device="meta"),
        spec=name,
    )


def texts(fig):
    """The visible texts of a figure with the boxes that they take, in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    FigureCanvasAgg(fig)  # what measures texts; the pixels are not needed
    fig.draw_without_rendering()
    renderer = fig.canvas.get_renderer()
    seen = [t for t in fig.findobj(Text) if t.get_visible() and t.get_text().strip()]
    hidden = {
        label
        for ax in fig.findobj(lambda a: hasattr(a, "get_xticklabels"))
        for axis in (ax.xaxis, ax.yaxis)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        for label in (tick.label1, tick.label2)
        if not _is_drawn(axis, tick, label)
    }
    return [(t, Text.get_window_extent(t, renderer)) for t in seen if t not in hidden]


def _is_drawn(axis, tick, label):
    low, high = sorted(axis.get_view_interval())
    inside = low - 1e-9 <= tick.get_loc() <= high + 1e-9
    return axis.axes.axison and axis.get_visible() and inside and label.get_visible()


def faults(fig):
    """What is wrong with the texts of a figure, in words."""
    found = texts(fig)
    yield from (f"{t.get_text()!r} is small" for t, _ in found if t.get_fontsize() < 7)
    width, height = fig.get_size_inches() * fig.dpi
    for t, box in found:
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1:
            yield f"{t.get_text()!r} leaves the picture"
    for i, (a, box) in enumerate(found):
        for b, other in found[i + 1 :]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            down = min(box.y1, other.y1) - max(box.y0, other.y0)
            if across > 1 and down > 1:  # pixels of 1/100 inch
                yield f"{a.get_text()!r} is over {b.get_text()!r}"


def drawn(kind, results, look):
    with charts.styled(look.theme):
        return getattr(charts, kind)(*results, look=look)


# text has the least room in one column of a paper
WIDTHS = ["3.3in", pytest.param("6.7in", marks=pytest.mark.slow)]
# branches, the longest names
VARIED = {"googlenet", "long paths"}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in VARIED)) for name in MODELS],
)
def test_the_text_of_every_chart_of_a_model_can_be_read(name, width):
    trace, look = traced(name), charts.look(width)
    profile = costlab.profile(trace)
    results = {
        "stages": (profile,),
        "cumulative": (profile,),
        "memory": (costlab.memory(trace),),
        "comparison": (costlab.compare(trace, traced("alexnet"), traced("resnet50")),),
        "waterfall": (costlab.diff(traced("alexnet"), trace),),
    }
    for kind, result in results.items():
        assert list(faults(drawn(kind, result, look))) == [], kind


@cache
def others(kind) -> tuple[Any, ...]:
    """The results of charts that take no model."""
    if kind == "savings":
        return costlab.rules().chart().results
    if kind == "savings, some cost more":
        return costlab.rules(c_in=2, c_out=64).chart(kernel=5).results
    folder = MEASURED if kind.endswith("all") else measured("*.h100.fp32.nchw.*").name
    if kind.startswith("time_savings"):
        return costlab.savings(folder).chart().results
    if kind.startswith("times"):
        return (costlab.times(folder, on="h100 fp32"),)
    if kind == "roofline":
        return (costlab.roofline(f"{MEASURED}/googlenet.h100.fp32.nchw.1x3x224x224.trace"), None)
    if kind == "gradients":  # costlab aux cnds8 --probe --iterations 3 --seeds 2 --beside all
        return (read_probe(Path(__file__).parent / "data" / "cnds8-gradients.json"),)
    return (DRAWINGS.get(kind, getattr(costlab, kind.split(",")[0]))(),)


DRAWINGS: dict[str, Any] = {
    "aux, one": lambda: costlab.aux("cnds8"),
    "fields, 7x7": lambda: costlab.fields(["7x7", "3x3+3x3+3x3", "1x7+7x1"]),
    "fields, one": lambda: costlab.fields(["31x31"]),
    "mixing, many": lambda: costlab.mixing(c_in=12, c_out=12),
    "mlpconv, deep": lambda: costlab.mlpconv((1024, 96, 96, 96, 10), c_in=512, side=14, kernel=3),
    "towers, five": lambda: costlab.towers(
        ["resnet50", "googlenet", "vgg19", "inception_v3", "nin"]
    ),
}


# one picture of each kind of chart; the others are slow
KINDS = [
    "savings",
    "savings, some cost more",
    "grid",
    "bottleneck",
    "head",
    "saturation",
    "aux",
    "pareto",
    "time_savings",
    "time_savings, all",
    "times",
    "times, all",
    "roofline",
    "gradients",
    "fields",
    "mixing",
    "mlpconv",
    "towers",
    *DRAWINGS,
]
QUICK = {kind for kind in KINDS if "," not in kind} - {"aux"} | {"aux, one"}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", slow_but(QUICK, KINDS))
def test_the_text_of_every_other_chart_can_be_read(kind, width):
    fig = drawn(kind.split(",")[0], others(kind), charts.look(width))
    assert list(faults(fig)) == []


def test_the_check_itself_finds_faults():
    from matplotlib.figure import Figure

    fig = Figure(figsize=(2, 2))
    fig.text(0.5, 0.5, "one label")
    fig.text(0.52, 0.5, "another", fontsize=6)
    fig.text(0.9, 0.9, "a long text outside")
    found = "; ".join(faults(fig))
    assert "is over" in found and "is small" in found and "leaves the picture" in found


@pytest.mark.parametrize("width", WIDTHS)
def test_every_network_of_the_pareto_chart_has_its_name(width):
    (result,) = others("pareto")
    shown = {t.get_text() for t, _ in texts(drawn("pareto", (result,), charts.look(width)))}
    assert all(any(text.startswith(p.name) for text in shown) for p in result.points)
    reasons = [p.mark for p in result.points if p.why_not]
    assert reasons and all(any(f"({mark})" in text for text in shown) for mark in reasons)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_label_of_the_pareto_chart_hides_its_front(width):
    (result,) = others("pareto")
    fig = drawn("pareto", (result,), charts.look(width))
    (ax,) = fig.axes
    front = next(line for line in ax.lines if line.get_linestyle() == "--")
    steps = front.get_path().interpolated(200).transformed(front.get_transform()).vertices
    named = {p.name for p in result.points}
    labels = [(t, box) for t, box in texts(fig) if t.get_text().split()[0] in named]
    assert len(labels) == len(named)
    assert not [t.get_text() for t, box in labels if any(box.contains(*at) for at in steps)]


def test_a_bar_that_is_cut_says_so():
    (rules, _), look = others("savings, some cost more"), charts.look()
    cut = [r for r in rules.rules if r.saving < -1.5]
    fig = drawn("savings", others("savings, some cost more"), look)
    assert cut and sum(line.get_gid() == "cut" for line in fig.axes[0].lines) == 2 * len(cut)
    words = [t.get_text() for t, _ in texts(fig)]
    assert all(f"{-100 * r.saving:,.0f}% more" in words for r in cut)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "kind",
    ["savings", "time_savings", pytest.param("time_savings, all", marks=pytest.mark.slow)],
)
def test_rules_of_savings_have_their_whole_names(kind, width):
    """Neither "5x5 -> depthwise 5..." nor "3x3 -> depthwise 3..." tells what is done."""
    first = others(kind)[0]
    rules = first.rules if kind == "savings" else first[0].rules
    fig = drawn(kind.split(",")[0], others(kind), charts.look(width))
    shown = {" ".join(t.get_text().split()) for t, _ in texts(fig)}
    assert {r.name for r in rules} <= shown


def test_bars_begin_at_zero_and_panels_of_one_chart_share_a_scale():
    result = costlab.compare(traced("googlenet"), traced("alexnet"))
    fig = drawn("comparison", (result,), charts.look())
    for ax in fig.axes:
        assert {bar.get_x() for bar in ax.patches} == {0}
    macs = sorted(bar.get_width() for bar in fig.axes[0].patches)
    both = [stage.macs for side in result.sides for stage in side.stages]
    assert macs[-len(both) :] == sorted(both)  # one axis for both networks
    groups = costlab.savings(measured("5x5*").name).chart().results[0]
    assert len({ax.get_xlim() for ax in drawn("time_savings", (groups,), charts.look()).axes}) == 1


def test_a_waterfall_has_connectors_and_percentages():
    # VGG-19 has a fourth 3x3 convolution in three stages: 256 channels on 56x56, 512 on 28x28 and
    # 14x14: 9 x 256^2 x 56^2 = 9 x 512^2 x 28^2 = 1,849,688,064 MACs, and a quarter of it
    change = costlab.diff(traced("vgg16"), costlab.load("vgg19"))
    fig = drawn("waterfall", (change,), charts.look())
    words = [t.get_text() for t, _ in texts(fig)]
    assert words.count("+1.85G (+12.0%)") == 2 and "+462M (+3.0%)" in words
    assert sum(line.get_gid() == "connector" for line in fig.axes[0].lines) == 4


def test_the_memory_chart_of_a_small_model_is_in_kilobytes():
    """ReLU on 10,000 float32: its output of 40,000 bytes is alive beyond the input."""
    result = costlab.memory(costlab.trace(torch.nn.ReLU(), torch.empty(1, 10_000)))
    (ax,) = drawn("memory", (result,), charts.look()).axes[:1]
    assert result.peak == 40_000 and ax.get_ylabel() == "alive (kB)"


def test_the_memory_chart_has_whole_steps_and_names_of_stages():
    result = costlab.memory(traced("googlenet"))
    fig = drawn("memory", (result,), charts.look())
    ax = fig.axes[0]
    assert ax.get_xlim() == (-0.5, len(result.live) - 0.5)
    assert all(tick == int(tick) for tick in ax.get_xticks())
    words = {t.get_text() for t, _ in texts(fig)}
    assert {f"inception{i}" for i in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a")} <= words
    spans = [(s.first, s.last) for s in result.stages]
    assert spans[0][0] == 0 and spans[-1][1] == len(result.live) - 1
    assert all(a[1] + 1 == b[0] for a, b in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize("theme", charts.THEMES)
def test_themes_have_readable_colours(theme):
    """Text has a contrast of 4.5 to 1 (WCAG 2.1 AA), marks of 3 to 1 or, where they are lighter,
    are told apart by hatch and number."""
    from matplotlib.colors import to_rgb

    def luminance(color):
        parts = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(color)]
        return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    def contrast(a, b):
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    found = charts.THEMES[theme]
    assert contrast(found.ink, found.paper) >= 7 and contrast(found.muted, found.paper) >= 4.5
    assert all(contrast(c, found.paper) >= 2 for c in found.series)
    shades = sorted(luminance(c) for c in (found.macs, found.params))
    assert shades[1] / shades[0] > 1.3  # grey printing keeps the two apart


@pytest.mark.parametrize(
    "kind, models",
    slow_but(
        {"stages", "grid"},
        [
            ("stages", ["googlenet"]),
            ("cumulative", ["resnet50"]),
            ("savings", []),
            ("grid", []),
            ("pareto", []),
            ("bottleneck", []),
            ("head", []),
            ("aux", []),
            ("compare", ["googlenet", "alexnet"]),
            ("waterfall", ["vgg16", "vgg19"]),
        ],
    ),
)
def test_charts_have_their_numbers_beside_and_are_reproducible(kind, models, tmp_path):
    for i in range(2):
        assert main(["chart", kind, *models, "-o", str(tmp_path / f"{i}.svg")]) == 0
    assert (tmp_path / "0.svg").read_bytes() == (tmp_path / "1.svg").read_bytes()
    text = (tmp_path / "0.svg").read_text()
    rows = list(csv.DictReader((tmp_path / "0.csv").open()))
    assert len(rows) > 2
    columns = {
        "bottleneck": ["naive MACs (MACs)", "reduced MACs (MACs)"],
        "head": ["MACs", "params (elements)"],
        "stages": ["MACs"],
        "grid": ["MACs"],
    }
    for column in columns.get(kind, []):
        shown = [r[column] for r in rows if "GoogLeNet, chained" not in r.values()]
        assert all(three_digits(int(value)) in text for value in shown)
    if kind == "aux":
        # both heads' params; three times their MACs, forward and backward
        assert "+6.38M (91.2%)" in text and "+25.1M (0.5%)" in text


@pytest.mark.parametrize(
    "kind",
    slow_but(
        ("gradients", "fields", "mixing"), ("gradients", "fields", "mixing", "mlpconv", "towers")
    ),
)
def test_drawings_follow_width_theme_and_title(kind):
    from matplotlib.colors import to_rgb

    look = charts.look("3.3in", "dark", "Mine")
    fig = drawn(kind, others(kind), look)
    assert fig.get_size_inches()[0] == pytest.approx(3.3)
    assert to_rgb(fig.get_facecolor()) == to_rgb(look.theme.paper)
    inks = {to_rgb(t.get_color()) for t, _ in texts(fig)}
    dark = to_rgb(look.theme.ink)
    assert "Mine" in [t.get_text() for t, _ in texts(fig)] and dark in inks
    assert not {color for color in inks if max(color) < 0.5} - {to_rgb(look.theme.paper)}


@pytest.mark.parametrize(
    "argv",
    [
        ["sweep", "nin", "--over", "batch=1,2"],
        ["factorize", "nin"],
        ["aux", "cnds8"],
    ],
)
def test_a_look_without_a_chart_is_refused(argv, capsys):
    assert main([*argv, "--theme", "dark"]) == 2
    err = capsys.readouterr().err
    option = "--roofline" if argv[0] == "factorize" else "--chart"
    assert f"--theme is for the chart; add {option} FILE" in err and err.count("\n") == 1


@pytest.mark.slow
def test_the_chart_of_a_sweep_has_the_look_that_was_asked_for(tmp_path, capsys):
    file = tmp_path / "s.svg"
    look = ["--width", "3.3in", "--theme", "dark", "--title", "Mine"]
    argv = ["sweep", "nin_cifar10", "--over", "batch=1,2", "--jobs", "1", "--chart", str(file)]
    assert main([*argv, *look]) == 0
    text = file.read_text()
    assert 'width="237.6pt"' in text and "Mine" in text and "#15181c" in text


INCHES = [("3.3in", 3.3), ("17cm", 17 / 2.54), ("240pt", 240 / 72), (5, 5)]


@pytest.mark.parametrize("width, inches", INCHES)
def test_a_width_is_read_in_each_unit(width, inches):
    assert charts.look(width).width == pytest.approx(inches)


@pytest.mark.parametrize("width, inches", slow_but(("17cm",), INCHES))
def test_a_chart_has_the_width_that_was_asked_for(width, inches):
    chart = costlab.profile(traced("nin")).chart().with_look(width=width)
    found = re.search(r'<svg[^>]* width="([\d.]+)pt"', chart.draw("svg").decode())
    assert found and float(found[1]) == pytest.approx(72 * inches, abs=0.01)


def test_titles_are_short_can_be_changed_and_left_out():
    chart = costlab.profile(traced("long paths")).chart()
    assert "a.py:build: cost by stage" in chart.draw("svg").decode()
    assert "/home/someone" not in chart.draw("svg").decode()
    assert "My title" in chart.with_look(title="My title").draw("svg").decode()
    assert "cost by stage" not in chart.with_look(title="").draw("svg").decode()


@pytest.mark.parametrize(
    "models, names",
    [
        (["googlenet", "torchvision:resnet50"], ["googlenet", "torchvision:resnet50"]),
        (["/a/b/net.py:build"], ["net.py:build"]),
        (["/a/old/net.py:build", "/a/new/net.py:build"], ["old/net.py:build", "new/net.py:build"]),
        (["/a/x/m/net.py:f", "/a/y/m/net.py:f", "b"], ["x/m/net.py:f", "y/m/net.py:f", "b"]),
        (["/a/net.py:f", "/a/net.py:f"], ["net.py:f", "net.py:f"]),
        (["/a/b/model.onnx"], ["model.onnx"]),
    ],
)
def test_names_of_models_without_their_folders(models, names):
    assert display_names(models) == names


def test_text_is_measured_in_the_font_that_is_drawn():
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    for bold in (False, True):
        font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
        path = TextPath(
            (0, 0),
            "Multiply-adds",
            size=10,
            prop=font,
        )
        drawn_width = path.get_extents().width
        assert abs(text_width("Multiply-adds", 10, bold=bold) - drawn_width) < 1.5
    assert wrapped("one two three", text_width("one two"), 7) == ["one two", "three"]


@pytest.mark.parametrize(
    "argv, line",
    [
        (["pie"], "unknown chart 'pie'"),
        (["stages"], "needs a model"),
        (["stages", "nin", "alexnet"], "takes one model; leave out alexnet"),
        (["compare", "nin"], "needs two models"),
        (["waterfall", "nin", "nin", "nin"], "takes 2 models at most"),
        (["grid", "nin"], "takes no model"),
        (["aux", "resnet50"], "resnet50 has no auxiliary classifiers"),
        (["times"], "needs measured traces"),
        (["times", "nin"], "nin was not measured"),
        (["times", "--measured", "nowhere"], "there is no folder nowhere"),
        (["stages", "nin", "--width", "3.3"], "cannot read the width '3.3'; write it as 3.3in"),
        (["stages", "nin", "--width", "1in"], "a chart is 3 to 40 inches wide"),
        (["stages", "nin", "--theme", "blue"], "unknown theme 'blue'; choose light, dark, grey"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys, tmp_path):
    assert main(["chart", *argv, "-o", str(tmp_path / "x.svg")]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1 and not list(tmp_path.iterdir())


def test_another_format_is_refused(capsys):
    assert main(["chart", "grid", "-o", "x.gif"]) == 2
    assert "name it .svg, .pdf or .png" in capsys.readouterr().err


def test_light_is_the_default_theme():
    assert charts.look().theme is LIGHT


@pytest.mark.parametrize("width", WIDTHS)
def test_bars_of_a_waterfall_take_most_of_the_width(width):
    """Numbers stand before bars that have room there, so that the scale is not theirs."""
    change = costlab.diff(traced("resnet50"), traced("googlenet"))
    ax = drawn("waterfall", (change,), charts.look(width)).axes[0]
    longest = max(bar.get_x() + bar.get_width() for bar in ax.patches)
    low, high = ax.get_xlim()
    assert longest / (high - low) > 0.65


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("against", slow_but(("h200",), [None, "h200"]))
def test_no_label_of_the_roofline_lies_on_a_ceiling_or_an_arrow(against, width):
    trace = "reports/measurements/googlenet.{}.fp32.nchw.1x3x224x224.trace"
    before = costlab.roofline(trace.format("h100"))
    after = costlab.roofline(trace.format(against)) if against else None
    fig = drawn("roofline", (before, after), charts.look(width))
    (ax,) = fig.axes
    arrows = [t for t in ax.texts if not t.get_text()]
    assert bool(arrows) == (after is not None)
    ways = [ax.transData.transform(line.get_xydata()) for line in ax.lines]
    ways += [ax.transData.transform([a.xy, a.xyann]) for a in arrows]
    points = [
        a + (b - a) * part
        for way in ways
        for a, b in zip(way, way[1:], strict=False)
        for part in np.linspace(0, 1, 300)
    ]
    labels = [(t, box) for t, box in texts(fig) if t in ax.texts]
    assert len(labels) > 5
    assert not [t.get_text() for t, box in labels if any(box.contains(*at) for at in points)]


def test_panels_of_stages_stand_above_each_other_in_one_column():
    profile = (costlab.profile(traced("googlenet")),)
    narrow, wide = (drawn("stages", profile, charts.look(w)) for w in ("3.3in", "6.7in"))
    assert len({round(ax.get_position().x0, 2) for ax in narrow.axes}) == 1
    assert len({round(ax.get_position().y0, 2) for ax in wide.axes}) == 1
    assert narrow.get_figheight() <= 9


def test_stages_of_many_modules_are_those_that_they_are_in():
    result = costlab.memory("torchvision:densenet201")
    fig = drawn("memory", (result,), charts.look("3.3in"))
    names = {t.get_text() for t, _ in texts(fig)}
    assert {f"...denseblock{i}" for i in range(1, 5)} <= names
    assert not [name for name in names if "denselayer" in name and "peak" not in name]


@pytest.mark.usefixtures("sweeps_here")
def test_lines_of_a_sweep_are_the_models_that_it_has_costs_of():
    swept = costlab.sweep("alexnet", "vgg16", over={"batch": [1, 2]}, jobs=1)
    fig = drawn("sweep", (swept,), charts.look())
    assert [t.get_text() for t in fig.legends[0].get_texts()] == ["alexnet", "vgg16"]
    assert fig.get_suptitle() == "alexnet, vgg16: cost over batch"
