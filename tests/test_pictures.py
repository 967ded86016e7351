"""Charts and diagrams: structure, text inside its box, the same bytes twice, escaping, numbers
beside the picture."""

import csv
import re

import pytest
import torch
from torch import nn

import costlab
from costlab import zoo
from costlab.analysis.diagram import diagram
from costlab.cli import main
from costlab.cost import short
from costlab.tables import table
from costlab.trace.build import build_on_meta

pytest.importorskip("matplotlib")
pytest.importorskip("graphviz")
from costlab.render import charts  # noqa: E402
from costlab.render.diagram import dot, svg  # noqa: E402


def traced(name):
    return costlab.trace(
        build_on_meta(lambda: zoo.build(name)),
        torch.empty(zoo.input_shape(name), device="meta"),
        spec=name,
    )


GOOGLENET = traced("googlenet")


def test_a_module_as_the_paper_draws_it():
    d = diagram(GOOGLENET, module="inception3a")
    names = {b.id: b.lines for b in d.boxes}
    assert d.upward and sorted(
        (" ".join(names[a]), " ".join(names[b])) for a, b in d.edges
    ) == sorted(
        [
            ("previous layer 28x28x192", "1x1 conv 64 filters"),
            ("1x1 conv 64 filters", "filter concat 28x28x256"),
            ("previous layer 28x28x192", "1x1 conv 96 filters"),
            ("1x1 conv 96 filters", "3x3 conv 128 filters"),
            ("3x3 conv 128 filters", "filter concat 28x28x256"),
            ("previous layer 28x28x192", "1x1 conv 16 filters"),
            ("1x1 conv 16 filters", "5x5 conv 32 filters"),
            ("5x5 conv 32 filters", "filter concat 28x28x256"),
            ("previous layer 28x28x192", "3x3 max pool 28x28x192"),
            ("3x3 max pool 28x28x192", "1x1 conv 32 filters"),
            ("1x1 conv 32 filters", "filter concat 28x28x256"),
        ]
    )
    assert sum(b.macs for b in d.boxes) == 128049152


@pytest.mark.parametrize(
    "name, boxes",
    [
        ("googlenet", 19),
        ("inception_v3", 21),
        ("resnet152", 8),
        ("bn_inception", 16),
        ("vgg19", 19),
    ],
)
def test_a_networks_boxes_are_the_tables_rows(name, boxes):
    trace = traced(name)
    d, t = diagram(trace), table(trace, convention="macs", merge=False)
    rows = {r.id for r in t.rows}
    assert {b.id for b in d.boxes} <= rows and len(d.boxes) == boxes
    assert sum(b.macs for b in d.boxes) == t.macs and sum(b.params for b in d.boxes) == t.params
    assert len(d.edges) == len(d.boxes) - 1  # a chain


def test_alike_blocks_are_one_box_times_how_many():
    model = nn.Sequential(
        nn.Conv2d(4, 4, 3, padding=1),
        *(nn.Conv2d(4, 4, 1) for _ in range(5)),
        nn.Flatten(),
        nn.Linear(4 * 64, 2),
    )
    d = diagram(costlab.trace(model, torch.empty(1, 4, 8, 8)), style="paper")
    assert [(b.lines[0], b.times, b.macs) for b in d.boxes] == [
        ("convolution 3x3/1", 1, 64 * 144),
        ("convolution 1x1/1", 5, 5 * 64 * 16),
        ("linear", 1, 512),
    ]
    assert len(d.edges) == 2


def test_opened_blocks_have_frames():
    d = diagram(GOOGLENET, depth=1)
    # the nine modules, and the 1x1 and 3x3 that Table 1 prints as one row
    assert (
        len(d.groups) == 10
        and ("inception4c", "inception (4c)") in d.groups
        and ("conv2.1.0", "convolution") in d.groups
    )
    assert (
        sum(b.group == "inception3a" for b in d.boxes) == 8
        and sum(b.macs for b in d.boxes) == 1582671872
    )


def test_a_thousand_layers_are_collapsed_with_a_note():
    model = build_on_meta(
        lambda: nn.Sequential(*(nn.Conv2d(4 + i % 2, 5 - i % 2, 1) for i in range(1000)))
    )
    trace = costlab.trace(model, torch.empty(1, 4, 8, 8, device="meta"))
    d = diagram(trace, 1)
    assert len(d.boxes) <= 400 and "too many to draw" in d.notes[0]
    svg(dot(d), d.alt)


def boxes_of(text):
    """(frame, texts) of every node of an SVG: left, right, bottom, top; texts as (x, y, size,
    words)."""
    for node in re.findall(r'<g id="[^"]*" class="node">(.*?)</g>\n(?=<!--|<g|</g>)', text, re.S):
        points = [
            tuple(map(float, p.split(",")))
            for d in re.findall(r'(?:d|points)="([^"]*)"', node)
            for p in re.findall(r"-?[\d.]+,-?[\d.]+", d)
        ]
        words = [
            (float(x), float(y), float(size), w)
            for x, y, size, w in re.findall(
                r'<text[^>]*? x="([-\d.]+)" y="([-\d.]+)"[^>]*?font-size="([\d.]+)"[^>]*>([^<]*)<',
                node,
            )
        ]
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        yield (min(xs), max(xs), min(ys), max(ys)), words


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("googlenet", {}),
        ("googlenet", {"module": "inception5b"}),
        ("googlenet", {"depth": 1}),
        ("resnet152", {}),
        ("inception_v3", {"module": "mixed_7c"}),
        ("inception_v2", {}),
    ],
)
def test_text_stays_in_its_box_and_boxes_do_not_overlap(name, arguments):
    import html
    from matplotlib import get_data_path
    from PIL import ImageFont

    font = ImageFont.truetype(get_data_path() + "/fonts/ttf/DejaVuSans.ttf", 100)
    d = diagram(traced(name), **arguments)
    found = list(boxes_of(svg(dot(d), d.alt)))
    assert len(found) == len(d.boxes)
    for (left, right, top, bottom), words in found:
        assert words
        for x, y, size, text in words:
            # DejaVu is about 15% wider than Arial, for which the text was laid out
            width = font.getlength(html.unescape(text)) / 100 * size * 0.86
            assert left - 1 <= x and x + width <= right + 4 and top <= y <= bottom, (
                text,
                x,
                width,
                right,
            )
    frames = [f for f, _ in found]
    for i, a in enumerate(frames):
        for b in frames[i + 1 :]:
            assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]


def test_names_are_escaped_and_the_bytes_are_the_same_twice():
    trace = costlab.trace(nn.Conv2d(3, 4, 3), torch.empty(1, 3, 8, 8), spec='<script>"\\N&é')
    first, second = (svg(dot(diagram(trace)), diagram(trace).alt) for _ in range(2))
    assert first == second and "<script" not in first and "&lt;script&gt;" in first
    assert 'role="img"' in first and 'aria-label="Block diagram of &lt;script&gt;' in first


@pytest.mark.parametrize(
    "suffix, start", [("svg", b"<svg"), ("pdf", b"%PDF"), ("png", b"\x89PNG"), ("dot", b"digraph")]
)
def test_every_format_of_a_diagram(tmp_path, suffix, start):
    if suffix == "pdf":
        pytest.importorskip("typst")
    files = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for f in files:
        assert main(["diagram", "nin_cifar10", "-o", str(f)]) == 0
    assert (
        files[0].read_bytes().startswith(start) and files[0].read_bytes() == files[1].read_bytes()
    )


def test_pairs_before_and_after(tmp_path):
    file = tmp_path / "pair.svg"
    assert (
        main(
            [
                "factorize",
                "googlenet",
                "--rewrite",
                "1xn-nx1",
                "--apply",
                "inception3a.branch3.1.0",
                "--diagram",
                str(file),
            ]
        )
        == 0
    )
    text = file.read_text()
    assert (
        "before: googlenet" in text
        and "5x5 conv" in text
        and "1x5 conv" in text
        and "5x1 conv" in text
    )
    assert (
        main(["factorize", "--kernel", "5", "--rewrite", "stacked-3x3", "--diagram", str(file)])
        == 0
    )
    text = file.read_text()
    assert (
        text.count(">3x3 conv<") == 2
        and text.count(">5x5 conv<") == 1
        and "5x5 -&gt; 3x3 + 3x3: before" in text
    )
    assert (
        main(["bottleneck", "--diagram", str(file)]) == 0
        and file.read_text().count(">filter concat<") == 2
    )
    assert main(["head", "--diagram", str(file)]) == 0 and file.read_text().count(">input<") == 4
    assert (
        main(["aux", "googlenet", "--diagram", str(file)]) == 0
        and file.read_text().count(">linear<") == 5
    )
    assert (
        main(["grid", "--diagram", str(file)]) == 0
        and file.read_text().count(">filter concat<") == 2
    )


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
        (["diagram", "googlenet", "-o", "x.jpg"], "name it .svg"),
        (
            ["diagram", "googlenet", "--module", "inception3x", "-o", "x.svg"],
            "did you mean inception3",
        ),
        (["diagram", "googlenet", "--depth", "3", "-o", "x.svg"], "choose 0"),
        (["factorize", "googlenet", "--diagram", "x.svg"], "name something to apply"),
        (["factorize", "--diagram", "x.svg"], "choose with --kernel or --rewrite"),
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
