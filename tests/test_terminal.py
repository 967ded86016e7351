"""Tables in a terminal: one line a row, percentages kept, bars from one edge."""

import io
import re

import pytest
import torch
from selection import slow_but

import costlab
from costlab.cost import in_unit, short, three_digits
from costlab.render import plain, terminal
from costlab.render.cells import columns
from costlab.render.fit import fit
from costlab.render.shorten import shorten, shorten_alike, shorten_list, shorten_to
from costlab.tables import Column, Sheet


def model_of_long_paths():
    """Modules whose paths have 60 characters."""
    block = torch.nn.Sequential(torch.nn.Conv2d(8, 8, 3), torch.nn.BatchNorm2d(8))
    for name in ("attention_of_the_second_kind", "encoder_layers_of_the_backbone"):
        block = torch.nn.Sequential(torch.nn.ModuleDict({name: block})[name])
        outer = torch.nn.Module()
        outer.add_module(name, block)
        outer.forward = block.forward
        block = outer
    return costlab.trace(block, torch.empty(1, 8, 16, 16), spec="long paths")


def training():
    """A training step."""
    net = costlab.load("nin_cifar10")
    assert not isinstance(net, costlab.Trace)
    return costlab.trace(net.model, net.inputs, device="meta", backward=True)


SHEETS = {
    "paper": lambda: costlab.table("googlenet").sheet,
    "paper, many branches": lambda: costlab.table("inception_v2").sheet,
    "paper, asked columns": lambda: (
        costlab.table("googlenet", columns=["receptive field", "activations"]).sheet
    ),
    "resnet": lambda: costlab.table("resnet50").sheet,
    "layers": lambda: costlab.table("resnet50", style="layers").sheet,
    "layers, long paths": lambda: costlab.table(model_of_long_paths()).sheet,
    "training": lambda: costlab.table(training()).sheet,
    "compare": lambda: costlab.compare("googlenet", "alexnet", "resnet50").sheet,
    "memory": lambda: costlab.memory("googlenet").sheet,
    "rules": lambda: costlab.rules().sheet,
    "rewrites": lambda: costlab.factorize("nin").sheet,
    "grid": lambda: costlab.grid().sheet,
    "grid of a model": lambda: costlab.reductions("resnet50").sheet,
    "bottleneck": lambda: costlab.bottleneck().sheet,
    "head": lambda: costlab.head().sheet,
    "aux": lambda: costlab.aux().sheet,
    "audit": lambda: costlab.audit("googlenet").sheet,
}


@pytest.fixture(scope="module", params=slow_but(SHEETS.keys() - {"aux"}, SHEETS))
def sheet(request):
    return SHEETS[request.param]()


def printed(sheet, width, **options):
    """The lines between the first rule and the notes."""
    out = io.StringIO()
    terminal(sheet, out, width, **options)
    return out.getvalue().splitlines()


def body(lines, sheet):
    """The lines of the rows; a group's heading and the blank line before it left out."""
    first = next(i for i, line in enumerate(lines) if line.startswith("──"))
    headings = {h for h in sheet.headings() if h}
    rest = [line for line in lines[first + 1 :] if line.strip() and line not in headings]
    return rest[: len(sheet.rows)]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_each_row_is_one_line_with_its_percentages(sheet, width):
    lines = printed(sheet, width)
    rows = body(lines, sheet)
    assert max(map(len, lines)) <= width
    shown = fit(sheet, width).columns
    for column in columns(sheet, grouped=True):
        if column.header == "%" or column.header.endswith("(%)"):
            assert column.header in [c.header for c in shown]
            for line, cell in zip(rows, column.cells, strict=True):
                assert cell in line


def test_all_columns_are_there_or_named(sheet):
    every = [c.header for c in columns(sheet, grouped=True)]
    found = fit(sheet, 80)
    assert sorted([c.header for c in found.columns] + list(found.hidden)) == sorted(every)
    text = "".join(" ".join(printed(sheet, 80)).split())  # a note is wrapped at spaces
    assert all("".join(header.split()) in text for header in found.hidden)
    assert ("--wide" in text) == bool(found.hidden or found.shortened)


def test_wide_shows_every_cell(sheet):
    rows = body(printed(sheet, 80, wide=True), sheet)
    for column in columns(sheet, grouped=True):
        assert all(cell in line for line, cell in zip(rows, column.cells, strict=True))


def test_bars_start_at_one_edge():
    lines = body(printed(costlab.table("resnet50", style="layers").sheet, 160), SHEETS["layers"]())
    starts = {m.start() for line in lines for m in re.finditer("(?<= )[▏▎▍▌▋▊▉█]+", line)}
    assert len(starts) == 2  # one of params, one of ops


def test_exact_changes_take_a_unit_and_keep_their_signs_where_there_is_little_room():
    column = Column("change", "MACs", format="+,d")
    rows = tuple({"what": "w" * 30, "change": n} for n in (231_211_008, -4_720_640, 0, 999))
    found = Sheet("t", (Column("what"), column), rows)
    assert fit(found, 80).columns[1].cells == ("+231,211,008", "-4,720,640", "+0", "+999")
    assert fit(found, 43).columns[1].cells == ("+231M", "-4.72M", "+0", "+999")


def test_columns_of_one_importance_go_together():
    names = [Column("a"), *(Column(k, importance=3) for k in "bc"), Column("d", importance=4)]
    sheet = Sheet("t", tuple(names), ({k: k * 10 for k in "abcd"},))
    assert fit(sheet, 46).hidden == ()
    assert fit(sheet, 45).hidden == ("b", "c")
    assert fit(sheet, 21).hidden == ("b", "c", "d")


@pytest.mark.parametrize(
    "text, width, found",
    [
        ("encoder.layers.0.mlp", 20, "encoder.layers.0.mlp"),
        ("encoder.layers.0.mlp", 15, "enco...rs.0.mlp"),
        ("a sentence of very many words", 15, "a sentence o..."),
        ("[1x1, 64; 3x3, 64; 1x1, 256] x 36", 18, "[1x1,... 256] x 36"),
        ("abcdefghij", 3, "abc"),
        ("stride 16 (14x14 | 14x14): params", 20, "stride 16...: params"),
        ("stride 16 (14x14 | 14x14): params", 19, "stride 16 (14x14..."),
    ],
)
def test_a_text_is_cut_where_it_says_least(text, width, found):
    cut = shorten(text, width)
    assert cut == found and len(cut) <= width


@pytest.mark.parametrize(
    "text, width, found",
    [
        ("[1x1, 64; 3x3, 64; 1x1, 256] x 3", 31, "[1x1,64;3x3,64;1x1,256]x3"),
        ("[1x1, 64; 3x3, 64; 1x1, 256] x 3", 24, "[1x1,64;...;1x1,256]x3"),
        ("[1x1, 64; 3x3, 64; 1x1, 256] x 3", 18, "[1x1,64;...]x3"),
        (
            "[1x1, 96; 3x3 depthwise, 96; squeeze-excite, 4; 1x1, 24] x 1, no shortcut",
            48,
            "[1x1,96;3x3dw,96;SE,4;1x1,24]x1, no shortcut",
        ),
        (
            "[1x1, 96; 3x3 depthwise, 96; 1x1, 24] x 1, no shortcut",
            30,
            "[1x1,96;3x3dw,96;1x1,24]x1",
        ),
        ("{[3x3, 48] | [1x1, 48] | pass}", 29, "{[3x3,48]|[1x1,48]|pass}"),
        ("3x3 max pool, stride 2", 30, "3x3 max pool, stride 2"),
    ],
)
def test_a_list_of_layers_loses_blanks_then_layers_of_its_middle(text, width, found):
    assert shorten_list(text, width) == found and len(found) <= width


@pytest.mark.parametrize(
    "name, cell",
    [
        # 1x1, 3x3, 1x1 of conv4_x: ResNet-50 has 6 blocks and ResNet-152 36 (Table 1 of the paper)
        ("resnet50", "[1x1,256;3x3,256;1x1,1024]x6"),
        ("resnet152", "[1x1,256;3x3,256;1x1,1024]x36"),
        ("torchvision:resnext50_32x4d", "[1x1,512;3x3,512,g32;1x1,1024]x6"),
    ],
)
def test_blocks_of_residual_networks_are_whole_before_the_depth_is_shown(name, cell):
    width = 80 + max(0, len(cell) - len("[1x1,256;3x3,256;1x1,1024]x36"))
    lines = printed(costlab.table(name).sheet, width)
    assert any(cell in line for line in lines) and max(map(len, lines)) <= width


def test_cut_names_still_differ():
    names = [f"encoder.layers.{i}.the_same_end" for i in range(3)]
    assert len(set(shorten_alike(names, 20))) == 3
    assert shorten_to(names, lambda text: len(text) <= 20) == (
        "...0.the_same_end",
        "...1.the_same_end",
        "...2.the_same_end",
    )
    assert shorten_to(names, lambda text: len(text) <= 16) == shorten_alike(names, 16)


@pytest.mark.parametrize(
    "names, width, found",
    [
        # one of them does not fit with its grids: all lose them
        (
            ["depth", "stride 2 (7x7 | -): MACs", "stride 4 (14x14 | 14x14): MACs"],
            24,
            ("depth", "stride 2: MACs", "stride 4: MACs"),
        ),
        (["stride 2 (7x7): MACs", "stride 4 (3x3): MACs"], 20, None),  # all fit
        # without what is in brackets they would be the same
        (["conv (a): MACs", "conv (b): MACs"], 13, ("conv (a...ACs", "conv (b...ACs")),
        # not before a colon
        (["inception (3a) 1x1", "pool"], 16, ("inception... 1x1", "pool")),
    ],
)
def test_grids_before_a_colon_go_from_all_names_or_from_none(names, width, found):
    assert tuple(shorten_alike(names, width)) == (found or tuple(names))


def test_a_name_without_end_is_measured_a_few_times_only():
    measured = []

    def fits(text):
        measured.append(len(text))
        return len(text) <= 20

    assert shorten_to(["n" * 10**6], fits) == ("n" * 6 + "..." + "n" * 11,)
    assert len(measured) <= 10 and max(measured) <= 1000  # of each halving one


def test_a_piped_table_has_all_columns():
    sheet = SHEETS["paper"]()
    text = plain(sheet)
    for column in columns(sheet):
        assert all(cell in text for cell in column.cells)


@pytest.mark.parametrize(
    "value, axis, label",
    [
        (0, "0", "0"),
        (999, "999", "999"),
        (1000, "1K", "1.00K"),
        (9_500, "9.5K", "9.50K"),
        (999_400, "999K", "999K"),
        (999_600, "1M", "1.00M"),
        (12_000_000, "12M", "12.0M"),
        (128_049_152, "128M", "128M"),
        (-5_000_000, "-5M", "-5.00M"),
        (10**15, "1000T", "1000T"),
    ],
)
def test_counts_have_three_digits(value, axis, label):
    assert (short(value), three_digits(value)) == (axis, label)


def test_a_small_count_is_never_zero_in_a_large_unit():
    assert in_unit(2_560, 10**6, "M") == "2.56K"
    assert in_unit(2_560, 1024, "K") == "2.50K"
