"""The papers' drawings: mini-networks over pixels, mlpconv, 1x1 convolutions, networks to scale,
and where activations saturate."""

import math

import pytest
from selection import slow_but

import costlab
from costlab.cli import main

pytest.importorskip("matplotlib")
SMALLEST = 7  # points


@pytest.mark.parametrize(
    "chain, weights, field, macs",
    [  # macs for one output: 3x3 + 3x3 is 9 values of 9 products, and 9 more
        ("5x5", 25, (5, 5), 25),
        ("3x3+3x3", 18, (5, 5), 90),
        ("3x3", 9, (3, 3), 9),
        ("1x3+3x1", 6, (3, 3), 3 * 3 + 3),
        ("7x7", 49, (7, 7), 49),
        ("3x3+3x3+3x3", 27, (7, 7), 25 * 9 + 9 * 9 + 9),
        ("1x7+7x1", 14, (7, 7), 7 * 7 + 7),
        ("2x2+2x2", 8, (3, 3), 4 * 4 + 4),
    ],
)
def test_what_one_output_depends_on(chain, weights, field, macs):
    found = costlab.fields(chain).chains[0]
    assert (found.weights, found.field, found.macs) == (weights, field, macs)
    assert len(found.paths(0)) == field[0] and len(found.paths(0)[0]) == field[1]


@pytest.mark.parametrize(
    "chain, depth, paths",
    [
        ("3x3", 0, ((1, 1, 1),) * 3),
        ("1x3+3x1", 0, ((1, 1, 1),) * 3),  # separable: one path for each input
        ("1x3+3x1", 1, ((1,), (1,), (1,))),
        ("3x3+3x3", 1, ((1, 1, 1),) * 3),
        ("2x2+2x2", 0, ((1, 2, 1), (2, 4, 2), (1, 2, 1))),
        (  # the outer product of 1, 2, 3, 2, 1 with itself
            "3x3+3x3",
            0,
            tuple(tuple(a * b for b in (1, 2, 3, 2, 1)) for a in (1, 2, 3, 2, 1)),
        ),
    ],
)
def test_paths_are_counted_layer_by_layer(chain, depth, paths):
    assert costlab.fields(chain).chains[0].paths(depth) == paths


@pytest.mark.parametrize("c_in, c_out, side", [(4, 2, 6), (1, 1, 1), (12, 3, 5)])
def test_a_1x1_convolution_is_a_linear_layer_at_each_position(c_in, c_out, side):
    found = costlab.mixing(c_in=c_in, c_out=c_out, side=side)
    assert (found.weights, found.biases) == (c_in * c_out, c_out)
    assert found.macs == side**2 * found.linear_macs == side**2 * c_in * c_out


def test_an_mlpconv_is_its_convolution_and_1x1_layers():
    """NIN's first: 3 x 11 x 11 x 96 weights on 54 x 54 positions, then 96 x 96 twice."""
    found = costlab.mlpconv()
    first, both = costlab.total(found.linear), costlab.total(found.mlp)
    assert found.output == (54, 54)
    assert (first.params, first.macs) == (34848 + 96, 54 * 54 * 34848)
    assert both.macs - first.macs == 2 * 54 * 54 * 96 * 96
    assert both.params - first.params == 2 * (96 * 96 + 96)


@pytest.fixture(scope="module")
def towers():
    return costlab.towers()


@pytest.mark.parametrize(
    "place, name, depth, levels, parallel",
    [  # levels are layers and pools in a row: 8 + 3, 16 + 5, 22 + 5
        (0, "alexnet", 8, 11, 1),
        (1, "vgg16", 16, 21, 1),
        (2, "googlenet", 22, 27, 4),
    ],
)
def test_a_tower_has_all_layers_and_all_costs(towers, place, name, depth, levels, parallel):
    tower = towers.towers[place]
    assert (tower.name, tower.depth, len(tower.levels)) == (name, depth, levels)
    assert max(len(level.kinds) for level in tower.levels) == parallel
    assert sum(level.macs for level in tower.levels) == tower.macs
    assert sum(level.params for level in tower.levels) == tower.params


def test_a_sigmoid_saturates_and_a_relu_does_not():
    """s(1 - s) is 1/4 at 0; 1 - s and its product with the slope are the gradients of the losses,
    s - 1 and 2 (s - 1) s (1 - s)."""
    found = costlab.saturation(layers=3)
    sigmoid, tanh, relu = found.activations
    assert [curve.name for curve in found.activations] == ["sigmoid", "tanh", "relu"]
    assert found.left(sigmoid) == (1, 1 / 4, 1 / 16, 1 / 64)
    assert found.left(tanh) == found.left(relu) == (1, 1, 1, 1)
    squared, entropy = found.losses
    for i, x in enumerate(found.inputs):
        s = 1 / (1 + math.exp(-x))
        assert sigmoid.values[i] == pytest.approx(s * (1 - s), rel=1e-9)
        assert entropy.values[i] == pytest.approx(1 - s, rel=1e-9)
        assert squared.values[i] == pytest.approx(2 * s * (1 - s) ** 2, rel=1e-9)
        assert relu.values[i] == (x > 0)


PICTURES = {
    "fields": lambda: costlab.fields(),
    "fields-7": lambda: costlab.fields(["7x7", "3x3+3x3+3x3", "1x7+7x1"]),
    "mixing": lambda: costlab.mixing(),
    "mixing-12": lambda: costlab.mixing(c_in=12, c_out=8),
    "mlpconv": lambda: costlab.mlpconv(),
}


@pytest.mark.parametrize("name", slow_but(("fields", "mixing-12"), [*PICTURES, "towers"]))
def test_no_text_is_small_or_cut_or_over_another(name, towers):
    result = towers if name == "towers" else PICTURES[name]()
    texts, boxes, page = text_of(result)
    assert texts and min(text.get_fontsize() for text in texts) >= SMALLEST
    for i, box in enumerate(boxes):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        assert not any(box.overlaps(other) for other in boxes[:i])


@pytest.mark.slow
def test_a_number_over_a_bar_lower_than_its_letters_has_paper_of_its_own():
    """Five networks in one column, a row each: so that a level has few points."""
    pytest.importorskip("matplotlib")
    from costlab.render.charts import towers as draw
    from costlab.render.charts.looks import Look
    from costlab.render.charts.style import styled
    from costlab.render.charts.themes import LIGHT

    names = ("alexnet", "googlenet", "inception_v2", "inception_v3", "resnet34")
    with styled(LIGHT):
        figure = draw(costlab.towers(names), Look(width=3.3))
        figure.canvas.draw()
    crossed = 0
    for ax in figure.axes:
        for text in ax.texts:
            box = text.get_window_extent()
            over = [
                bar.get_window_extent()
                for bar in ax.patches
                if bar.get_window_extent().width > 0.5 * box.width
                and bar.get_window_extent().overlaps(box)
            ]
            low = [bar for bar in over if bar.height < 0.8 * box.height]
            crossed += bool(low)
            assert not low or text.get_bbox_patch() is not None, text.get_text()
    assert crossed


def text_of(result):
    """All text of a chart, where it stands, and its page, in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    from costlab.render import charts
    from costlab.render.charts.style import styled
    from costlab.render.charts.themes import LIGHT

    with styled(LIGHT):
        figure = getattr(charts, result.chart_kind)(result)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        hidden = {t for ax in figure.axes if not ax.axison for t in ax.findobj(_ticks(ax))}
        seen = [text for text in texts if text not in hidden]
        return seen, [text.get_window_extent(renderer) for text in seen], figure.bbox


def _ticks(ax):
    labels = {*ax.get_xticklabels(which="both"), *ax.get_yticklabels(which="both")}
    return lambda artist: artist in labels


@pytest.mark.parametrize(
    "words",
    slow_but(
        (
            "fields --kernels 5x5 --kernels 3x3+3x3",
            "mixing --c-in 3 --c-out 1",
            "towers nin_cifar10 --beside alexnet",
        ),
        (
            "fields --kernels 5x5 --kernels 3x3+3x3",
            "mixing --c-in 3 --c-out 1",
            "mlpconv --widths 8,8 --c-in 4 --kernel 3",
            "towers nin_cifar10 --beside alexnet",
            "saturation",
        ),
    ),
)
def test_each_is_a_command_with_its_numbers_beside(words, tmp_path, capsys):
    argv = words.split()
    file = tmp_path / "x.svg"
    assert main(["chart", *argv, "-o", str(file)]) == 0
    assert file.read_text().count("<svg") == 1
    assert (tmp_path / "x.csv").read_text().count("\n") >= 2


@pytest.mark.parametrize(
    "argv, line",
    [
        (["fields", "--kernels", "5"], "write kernels as 5x5 or 1x3+3x1"),
        (["fields", "--kernels", "0x3"], "write kernels as 5x5 or 1x3+3x1"),
        (["fields", "--kernels", "33x33"], "choose kernels that see up to 31x31"),
        (["mixing", "--c-in", "13"], "choose each from 1 to 12"),
        (["mlpconv", "--widths", "8"], "at least two widths"),
        (["mlpconv", "--widths", "a,b"], "cannot read --widths a,b"),
        (["mlpconv", "--kernel", "300"], "needs an input of at least 300"),
        (["towers", "resnet152"], "at most 120 can be drawn"),
        (["stages", "googlenet", "--kernels", "3x3"], "--kernels does nothing"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys, tmp_path):
    assert main(["chart", *argv, "-o", str(tmp_path / "x.svg")]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1
