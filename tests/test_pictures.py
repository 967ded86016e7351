"""Charts: the same bytes twice, numbers beside the picture, labels that do not overlap."""

import csv

import pytest
import torch

import costlab
from costlab import zoo
from costlab.cli import main
from costlab.cost import short
from costlab.trace.build import build_on_meta

pytest.importorskip("matplotlib")
from costlab.render import charts  # noqa: E402


def traced(name):
    return costlab.trace(
        build_on_meta(lambda: zoo.build(name)),
        torch.empty(zoo.input_shape(name), device="meta"),
        spec=name,
    )


GOOGLENET = traced("googlenet")


@pytest.mark.parametrize(
    "kind, model",
    [
        ("stages", "googlenet"),
        ("cumulative", "resnet50"),
        ("savings", None),
        ("grid", None),
        ("pareto", None),
        ("bottleneck", None),
        ("head", None),
        ("aux", None),
    ],
)
def test_charts_have_their_numbers_beside_and_are_reproducible(kind, model, tmp_path):
    for i in range(2):
        assert (
            main(["chart", kind, *([model] if model else []), "-o", str(tmp_path / f"{i}.svg")])
            == 0
        )
    assert (tmp_path / "0.svg").read_bytes() == (tmp_path / "1.svg").read_bytes()
    text, rows = (
        (tmp_path / "0.svg").read_text(),
        list(
            csv.reader(
                line
                for line in (tmp_path / "0.csv").read_text().splitlines()
                if not line.startswith("#")
            )
        ),
    )
    assert len(rows) > 3
    if kind in ("bottleneck", "head"):
        columns = [
            i
            for i, c in enumerate(rows[0])
            if c in ("naive MACs (MACs)", "reduced MACs (MACs)", "MACs", "params (elements)")
        ]
        assert len(columns) == 2 and all(
            short(int(r[c])) in text
            for c in columns
            for r in rows[1:]
            if r[0] != "GoogLeNet, chained"
        )
    if kind == "aux":
        assert (
            "+6.38M (91.2%)" in text and "+25.1M (0.5%)" in text
        )  # both heads' params; three times their MACs, forward and backward
    if kind in ("stages", "grid"):
        column = rows[0].index("MACs") if "MACs" in rows[0] else rows[0].index("MACs (MACs)")
        assert all(short(int(r[column])) in text for r in rows[1:])


@pytest.mark.parametrize(
    "value, text",
    [
        (128049152, "128M"),
        (1582671872, "1.58G"),
        (9472, "9.47K"),
        (64, "64"),
        (1024000, "1.02M"),
        (0, "0"),
    ],
)
def test_short_numbers(value, text):
    assert short(value) == text


def no_text_overlaps(fig):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    FigureCanvasAgg(fig).draw()
    renderer = fig.canvas.get_renderer()
    for ax in fig.axes:
        found = [
            Text.get_window_extent(t, renderer) for t in ax.texts if t.get_text()
        ]  # a label without its leader line
        assert not any(a.overlaps(b) for i, a in enumerate(found) for b in found[i + 1 :])


def test_labels_of_the_charts_do_not_overlap():
    import matplotlib
    from costlab.analysis.factorize import curve, rules
    from costlab.analysis.aux import aux_costs
    from costlab.analysis.bottleneck import bottleneck
    from costlab.analysis.head import heads
    from costlab.analysis.pareto import pareto
    from costlab.analysis.profile import profile

    with matplotlib.rc_context(charts.style.STYLE):
        for fig in (
            charts.pareto(pareto()),
            charts.stages(profile(GOOGLENET)),
            charts.cumulative(profile(GOOGLENET)),
            charts.savings(rules(), curve(64, 64)),
            charts.savings(rules(16, 32), curve(16, 32)),
        ):
            no_text_overlaps(fig)
        for fig in (charts.bottleneck(bottleneck()), charts.head(heads()), charts.aux(aux_costs())):
            no_text_overlaps(fig)


@pytest.mark.parametrize(
    "argv, line",
    [
        (["chart", "pie", "-o", "x.svg"], "unknown chart 'pie'"),
        (["chart", "stages", "-o", "x.svg"], "needs a model"),
        (["chart", "grid", "-o", "x.gif"], "name it .svg, .pdf or .png"),
        (["factorize", "--rewrite", "5x5"], "unknown rewrite '5x5'; choose stacked-3x3"),
        (["factorize", "--kernel", "1"], "nothing to factorize below 2"),
        (
            ["factorize", "--kernel", "9", "--grid", "4", "--padding", "valid"],
            "no kernel fits a 4x4 grid",
        ),
        (["aux", "--diagram", "x.svg"], "draws one network"),
        (["chart", "aux", "resnet50", "-o", "x.svg"], "resnet50 has no auxiliary classifiers"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1
