"""Block diagrams: what is drawn, sizes of the traced tensors, pages, text inside its box."""

import html
import io
import re
import subprocess
import sys
import time
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from selection import slow_but
from torch import nn

import costlab
from costlab import zoo
from costlab.api._models import as_trace
from costlab.analysis.diagram import compared, diagram, modules, with_open_block
from costlab.analysis.diagram.units import units
from costlab.cli import main
from costlab.cost import total
from costlab.graph.layout import layouts
from costlab.tables import table
from costlab.trace.build import build_on_meta

pytest.importorskip("matplotlib")
from costlab.render.diagram import A4, clock, dot, sheets, svg  # noqa: E402
from costlab.render.diagram.measure import width  # noqa: E402
from costlab.render.diagram.metrics import MARKS  # noqa: E402
from costlab.render.diagram.pages import fold, single  # noqa: E402
from costlab.render.diagram.routes import route  # noqa: E402


@cache
def traced(name):
    return costlab.trace(
        build_on_meta(lambda: zoo.build(name)),
        torch.empty(zoo.input_shape(name), device="meta"),
        spec=name,
    )


GOOGLENET = traced("googlenet")


def convs(a, b):
    layers = (nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU())
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """So many levels above the bottom, the first `first` channels wide."""

    def __init__(self, levels=2, first=8):
        super().__init__()
        sides = [(first << i, 2 * first << i) for i in range(levels)]
        self.down = nn.ModuleList([convs(3, first), *(convs(a, b) for a, b in sides[:-1])])
        self.bottom = convs(*sides[-1])
        self.up = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, 2) for a, b in sides[::-1]])
        self.join = nn.ModuleList([convs(b, a) for a, b in sides[::-1]])

    def forward(self, x):
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, block, skip in zip(self.up, self.join, kept[::-1], strict=True):
            x = block(torch.cat([skip, up(x)], 1))
        return x


class Cells(nn.Module):
    """A loop over time, written by hand."""

    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.LSTMCell(6, 5), nn.Linear(5, 2)

    def forward(self, x):
        h = c = x.new_zeros(1, 5)
        found = []
        for t in range(x.shape[1]):
            h, c = self.cell(x[:, t], (h, c))
            found.append(self.out(h))
        return torch.stack(found, 1)


class Peephole(nn.LSTM):
    """A recurrent layer under a name of its own."""


class Elman(nn.Module):
    """A cell (Elman 1990) with weights of its own, and no layer of torch.nn."""

    def __init__(self):
        super().__init__()
        self.w, self.u = nn.Parameter(torch.rand(5, 6)), nn.Parameter(torch.rand(5, 5))

    def forward(self, x, h):
        return torch.tanh(nn.functional.linear(x, self.w) + nn.functional.linear(h, self.u))


class Looped(nn.Module):
    """An Elman cell in a loop over time."""

    def __init__(self):
        super().__init__()
        self.cell = Elman()

    def forward(self, x):
        h = x.new_zeros(1, 5)
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
        return h


class Twice(nn.Module):
    """One recurrent layer over a sequence, and again over what it gave."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(4, 4, batch_first=True)

    def forward(self, x):
        return self.rnn(self.rnn(x)[0])[0]


class Shortcut(nn.Module):
    """Two weights on one sum, each applied once: no recurrence."""

    def __init__(self):
        super().__init__()
        self.w, self.u = nn.Parameter(torch.rand(5, 6)), nn.Parameter(torch.rand(5, 5))

    def forward(self, x):
        h = nn.functional.linear(x, self.w)
        return h + nn.functional.linear(torch.relu(h), self.u)


class Towers(nn.Module):
    """Two inputs, each with layers of its own, and a product of what they give."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4)), nn.Linear(5, 4)

    def forward(self, x, y):
        return self.a(x) @ self.b(y).T


class PreNorm(nn.Module):
    """A block of a transformer: the norms are in the branches, not before the skips."""

    def __init__(self, d=8):
        super().__init__()
        self.n1, self.n2, self.mix = nn.LayerNorm(d), nn.LayerNorm(d), nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x):
        x = x + self.mix(self.n1(x))
        return x + self.mlp(self.n2(x))


def small(name):
    """A small trace by name."""
    models = {
        "unet": (UNet, (torch.rand(1, 3, 16, 16),)),
        "cells": (Cells, (torch.rand(1, 7, 6),)),
        "towers": (Towers, (torch.rand(2, 6), torch.rand(3, 5))),
        "subclass": (lambda: Peephole(4, 6, batch_first=True), (torch.rand(1, 32, 4),)),
        "own cell": (Looped, (torch.rand(1, 7, 6),)),
        "twice": (Twice, (torch.rand(1, 3, 4),)),
        "shortcut": (Shortcut, (torch.rand(1, 6),)),
        "lstm": (lambda: nn.LSTM(4, 6, batch_first=True), (torch.rand(1, 32, 4),)),
        "prenorm": (
            lambda: nn.Sequential(nn.Linear(8, 8), PreNorm(), PreNorm(), nn.LayerNorm(8)),
            (torch.rand(1, 5, 8),),
        ),
    }
    build, inputs = models[name]
    return costlab.trace(build().eval(), inputs, spec=name)


def nested(part, d):
    """A part as text: boxes by their names."""
    names = {b.id: b.name for b in d.boxes}
    if part.kind == "box":
        return names[part.box]
    inside = [nested(c, d) for c in part.children]
    return (part.kind, *inside, part.label) if part.label else (part.kind, *inside)


# --- what is drawn ---


def test_a_module_as_the_paper_draws_it():
    d = diagram(GOOGLENET, module="inception3a", convention="macs")
    assert d.upward and d.style == "paper"
    assert nested(d.root, d) == (
        "chain",
        "previous layer",
        (
            "row",
            "1x1 conv, 64",
            ("chain", "1x1 conv, 96", "3x3 conv, 128"),
            ("chain", "1x1 conv, 16", "5x5 conv, 32"),
            ("chain", "3x3 max pool", "1x1 conv, 32"),
        ),
        "filter concat",
    )
    sizes = {e.size for e in d.edges if e.source.startswith("input/")}
    assert sizes == {"28x28x192"} and d.boxes[-1].size == "28x28x256"
    assert sum(b.macs for b in d.boxes) == 128049152
    assert sum(b.params for b in d.boxes) == 163696


# *Rethinking the Inception Architecture*, Figures 4 to 7 and 10, and the reductions of Inception-v2
# and -v3, which are made like Figure 10: branches from the base to the
# concat, by kernel; Figure 7's pairs of 1x3 and 3x1 end in the one concat
@pytest.mark.parametrize(
    "model, module, branches",
    [
        ("googlenet", "inception4a", ["1x1", "1x1 3x3", "1x1 5x5", "pool 1x1"]),  # Figure 4
        ("inception_v2", "figure5_1", ["1x1", "1x1 3x3", "1x1 3x3 3x3", "pool 1x1"]),
        (
            "inception_v2",
            "figure6_1",
            ["1x1", "1x1 1x7 7x1", "1x1 7x1 1x7 7x1 1x7", "pool 1x1"],
        ),
        (
            "inception_v2",
            "figure7_1",
            ["1x1", "1x1 1x3", "1x1 3x1", "1x1 3x3 1x3", "1x1 3x3 3x1", "pool 1x1"],
        ),
        ("inception_v3", "mixed_5b", ["1x1", "1x1 5x5", "1x1 3x3 3x3", "pool 1x1"]),
        ("inception_v3", "mixed_6a", ["3x3", "1x1 3x3 3x3", "pool"]),
        ("inception_v2", "reduction1", ["3x3", "1x1 3x3 3x3", "pool"]),
        ("inception_v2", "reduction2", ["1x1 3x3", "1x1 1x7 7x1 3x3", "pool"]),
        ("inception_v3", "mixed_7a", ["1x1 3x3", "1x1 1x7 7x1 3x3", "pool"]),
    ],
)
def test_modules_of_rethinking_are_drawn_from_the_trace(model, module, branches):
    d = diagram(traced(model), module=module)
    texts = {b.id: "pool" if "pool" in b.text else b.text.split()[0] for b in d.boxes}
    readers = {}
    for e in d.edges:
        readers.setdefault(e.source, []).append(e.target)

    def ways(box):
        if box not in readers:
            return [[]]
        return [[texts[n], *way] for n in readers[box] for way in ways(n)]

    found = sorted(" ".join(way[:-1]) for way in ways(d.boxes[0].id))
    assert found == sorted(branches)
    assert [b.text for b in d.boxes].count("filter concat") == 1
    # the branches are at one level, between the base and the concat
    assert [part.kind for part in d.root.children] == ["box", "row", "box"]


@pytest.mark.parametrize("arguments", [{}, {"style": "paper"}], ids=str)
def test_mlpconv_layers_are_framed(arguments):
    """*Network in Network*, Figures 1 and 2: a convolution and an MLP of 1x1 layers."""
    d = diagram(traced("nin_cifar10"), **arguments)
    frames = [nested(part, d) for part in d.root.children if part.kind == "frame"]
    assert frames == [
        ("frame", ("chain", "5x5 conv, 192", "1x1 conv, 160", "1x1 conv, 96"), "mlpconv"),
        ("frame", ("chain", "5x5 conv, 192", "1x1 conv, 192", "1x1 conv, 192"), "mlpconv"),
        ("frame", ("chain", "3x3 conv, 192", "1x1 conv, 192", "1x1 conv, 10"), "mlpconv"),
    ]


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "vgg16", "resnet50", "inception_v3"])
def test_other_networks_have_no_mlpconv(name):
    assert not any(p.label == "mlpconv" for p in diagram(traced(name)).root.children)


@pytest.mark.parametrize(
    "name, boxes",
    [
        # the rows of Table 1, the input, the output and the two LRN
        ("googlenet", 24),
        # the same of Inception-v3: 21 rows, input, output
        ("inception_v3", 23),
        ("vgg19", 28),
    ],
)
def test_a_networks_boxes_hold_all_of_its_costs(name, boxes):
    trace = traced(name)
    d = diagram(trace, convention="macs")
    rows = {r.id for r in table(trace, convention="macs", merge=False).rows}
    assert {b.id.split("/")[0] for b in d.boxes} - {"input", "output"} <= rows
    assert len(d.boxes) == boxes and len(d.edges) == boxes - 1  # a chain
    whole = total(trace)
    assert (sum(b.macs for b in d.boxes), d.params) == (whole.macs, whole.params)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "name", ["googlenet", "resnet50", "inception_v3", "prenorm", "unet", "cells", "lstm", "towers"]
)
def test_costs_and_order_are_kept_at_every_depth(name, depth):
    trace = traced(name) if name in zoo.names() else small(name)
    for d in (diagram(trace, depth, style=s, convention="macs") for s in ("cost", "paper")):
        whole = total(trace)
        assert sum(b.macs for b in d.boxes) == whole.macs and d.params == whole.params
        ids = [b.id for b in d.boxes]
        assert len(ids) == len(set(ids)) and sorted(d.root.boxes()) == sorted(ids)
        order = {b: i for i, b in enumerate(d.root.boxes())}
        assert all(order[e.source] < order[e.target] for e in d.edges)
        reached = {e.target for e in d.edges} | {b.id for b in d.boxes if b.kind == "input"}
        assert reached == set(ids)  # nothing hangs in the air


def test_alike_blocks_are_one_box_times_how_many():
    d = diagram(traced("resnet34"))
    # 3, 4, 6 and 3 blocks (Table 1 of that paper); the first of a stage that halves the grid has a
    # projection
    assert [b.times for b in d.boxes if b.times > 1] == [3, 4, 6, 3]
    opened = diagram(traced("resnet34"), style="paper").shorter
    frames = [p.label for p in opened.root.children if p.kind == "frame"]
    assert frames == ["x 3", "x 3", "x 5", "x 2"]


def test_a_unet_is_a_u():
    d = diagram(small("unet"), style="paper")
    down, up = ("2x2 max pool, /2", "2x2 transposed conv")
    assert nested(d.root, d) == (
        "u",
        ("chain", "input", "3x3 conv, 8", "3x3 conv, 8"),
        (
            "u",
            ("chain", down, "3x3 conv, 16", "3x3 conv, 16"),
            ("chain", down, "3x3 conv, 32", "3x3 conv, 32", f"{up}, 16, /2"),
            ("chain", "filter concat", "3x3 conv, 16", "3x3 conv, 16", f"{up}, 8, /2"),
        ),
        ("chain", "filter concat", "3x3 conv, 8", "3x3 conv, 8", "output"),
    )


@pytest.mark.parametrize(
    "name, boxes",
    [
        (
            "lstm",
            [
                ("input", "32x4"),
                ("LSTM x 32 steps", "32x6"),  # not h_n, which is 1x6
                ("output", "32x6"),
                ("output", "1x6"),
                ("output", "1x6"),
            ],
        ),
        (
            "cells",
            [
                ("input", "7x6"),
                ("LSTMCell x 7 steps", "1x1x5"),
                ("linear, 2 x 7 steps", "1x1x2"),
                ("stack", "7x2"),
                ("output", "7x2"),
            ],
        ),
        (
            "subclass",
            [
                ("input", "32x4"),
                ("Peephole x 32 steps", "32x6"),
                ("output", "32x6"),
                ("output", "1x6"),
                ("output", "1x6"),
            ],
        ),
        ("own cell", [("input", "7x6"), ("Elman x 7 steps", "1x1x5"), ("output", "1x1x5")]),
        (
            "twice",  # each call runs all steps
            [
                ("input", "3x4"),
                ("RNN x 3 steps", "3x4"),
                ("RNN x 3 steps", "3x4"),
                ("output", "3x4"),
            ],
        ),
        (
            "shortcut",
            [
                ("input", "1x1x6"),
                ("linear, 5", "1x1x5"),
                ("residual block", "1x1x5"),
                ("output", "1x1x5"),
            ],
        ),
    ],
)
def test_recurrence_is_rolled_up(name, boxes):
    d = diagram(small(name))
    assert [(b.name, b.size) for b in d.boxes] == boxes


def test_towers_stand_beside_each_other_and_their_product_is_one():
    d = diagram(small("towers"))
    assert nested(d.root, d) == (
        "chain",
        ("row", ("chain", "input", "linear, 8", "linear, 4"), ("chain", "input", "linear, 4")),
        "matrix product",
        "output",
    )


def test_a_bag_of_embeddings_is_a_box_with_its_own_params():
    bag = nn.Sequential(nn.EmbeddingBag(50, 4), nn.Linear(4, 3))
    d = diagram(costlab.trace(bag, torch.zeros(1, 7, dtype=torch.long)))
    assert [(b.name, b.size, b.params) for b in d.boxes] == [
        ("input", "7", 0),
        ("embedding", "1x1x4", 50 * 4),
        ("linear, 3", "1x1x3", 3 * 4 + 3),
        ("output", "1x1x3", 0),
    ]


def test_norms_stand_where_they_run():
    d = diagram(small("prenorm"), 1)
    assert nested(d.root, d) == (
        "chain",
        "input",
        "linear, 8",
        (
            "frame",
            (
                "chain",
                "layer norm",
                "linear, 8",
                "+",
                "layer norm",
                "linear, 16",
                "linear, 8",
                "+",
            ),
            "x 2",
        ),
        "layer norm",
        "output",
    )
    # 8 scales and 8 shifts a norm: two blocks, then the last one; nothing on an addition
    assert [b.params for b in d.boxes if b.kind == "norm"] == [32, 32, 16]
    assert all(b.params == 0 for b in d.boxes if b.kind == "join")


def test_lrn_is_drawn():
    texts = [b.text for b in diagram(GOOGLENET).boxes]
    assert texts[3:8] == ["LRN", "1x1 conv, 64", "3x3 conv, 192", "LRN", "3x3 max pool, /2"]


def test_heads_in_training_are_drawn_for_one_image():
    picture = costlab.aux("googlenet").diagram()
    text = picture.draw("dot").decode()
    assert text.count("[label=output") == 3 and "118.01M MACs" in text


# --- sizes ---

MODELS = (
    *("googlenet", "inception_v2", "inception_v3", "bn_inception", "vgg16", "alexnet", "zfnet"),
    *("nin_cifar10", "nin", "resnet34", "resnet50", "unet", "cells", "lstm", "towers"),
    "prenorm",
)
OTHERS = (
    "torchvision:swin_t",
    "torchvision:vit_b_16",
    "torchvision:densenet121",
    "timm:convnext_atto",
)
# branches, residual, skips, cells, recurrent, towers, tokens
SIZED = {"googlenet", "alexnet", "nin_cifar10", "resnet34", "unet", "cells", "lstm", "towers"}
SIZED |= {"prenorm", "timm:convnext_atto"}


@pytest.mark.parametrize("name", slow_but(SIZED, [*MODELS, *OTHERS]))
def test_sizes_are_those_of_the_traced_tensors(name):
    if name in OTHERS:
        pytest.importorskip(name.partition(":")[0])
        trace = as_trace(name, "diagram")
    else:
        trace = traced(name) if name in zoo.names() else small(name)
    d = diagram(trace, 3, style="paper")
    found, shown = units(trace), layouts(trace)
    read = {i for op in trace.forward for i in op.inputs} | set(trace.outputs)
    true = {shown[t].size for t in read}
    assert {e.size for e in d.edges} <= true
    between = {shown[t].size for t in found.edges.values()}
    assert {e.size for e in d.edges} <= between


@pytest.mark.parametrize(
    "name, text, size",
    [
        ("torchvision:swin_t", "+", "56x56x96"),  # NHWC
        ("torchvision:vit_b_16", "layer norm", "197x768"),  # 14 * 14 patches and the class token
    ],
)
def test_tokens_and_channels_last_have_their_own_sizes(name, text, size):
    pytest.importorskip("torchvision")
    d = diagram(as_trace(name, "diagram"), 2, style="paper")
    first = next(b for b in d.boxes if b.text == text)
    assert first.size == size
    assert {e.size for e in d.edges if e.source == first.id} == {size}


# --- pages ---


def drawn_size(text):
    return tuple(map(float, re.search(r'width="(\d+)pt" height="(\d+)pt"', text).groups()))


@pytest.mark.parametrize("name", ["googlenet", "resnet34", "inception_v2", "inception_v3"])
def test_whole_networks_fit_one_page(name):
    """Every layer of the paper's figure on one A4 page (595 x 842 points), upright or turned."""
    d = diagram(traced(name), style="paper")
    (page,) = sheets([d])
    wide, high = drawn_size(page)
    assert min(wide, high) <= 595 and max(wide, high) <= 842
    assert min(float(s) for s in re.findall(r'font-size="([\d.]+)"', page)) >= 7


@pytest.mark.parametrize(
    "name, sizes",
    [
        # Figure 3 of He et al. 2015 has "output size: 112" to 1 at these places
        ("resnet34", ["112x112", "56x56", "28x28", "14x14", "7x7", "1x1"]),
        # a filter concat says its own size
        ("googlenet", ["112x112", "56x56", "28x28", "14x14", "7x7", "1x1"]),
        ("inception_v3", ["149x149", "147x147", "73x73", "71x71", "35x35", "1x1"]),
    ],
)
def test_the_grid_stands_beside_the_spine_where_it_changes(name, sizes):
    page = svg([diagram(traced(name), style="paper")])
    beside = re.findall(
        r'<text x="([\d.]+)" y="([\d.]+)" font-size="7" text-anchor="end"[^>]*>([^<]*)<', page
    )
    assert [text for _, _, text in beside] == sizes
    for x, y, text in beside:
        right, left = float(x), float(x) - width(text, 7)
        rect = (left, right, float(y) - 5, float(y))
        assert left >= 0 and all(apart(rect, box) for box, _ in boxes_of(page))


@pytest.mark.parametrize(
    "spec, sizes",
    [
        ("torchvision:vit_b_16", ["14x14"]),  # patches; then tokens, which have no grid
        ("torchvision:swin_t", ["56x56", "1x1"]),  # 64x49x288 are windows; a concat has its size
    ],
)
def test_tokens_and_windows_are_no_grids(spec, sizes):
    page = svg([diagram(as_trace(spec, "diagram"), style="paper")])
    assert re.findall(r'font-size="7" text-anchor="end"[^>]*>([^<]*)<', page) == sizes


def test_a_module_and_the_cost_style_have_no_grids_beside_boxes():
    for arguments in ({}, {"module": "inception3a"}):
        assert 'text-anchor="end"' not in svg([diagram(GOOGLENET, **arguments)])


def test_a_long_network_becomes_pages_of_a4():
    model = build_on_meta(
        lambda: nn.Sequential(
            *(nn.Conv2d(4 + i % 2, 5 - i % 2, 1 + 2 * (i % 3)) for i in range(300))
        )
    )
    trace = costlab.trace(model, torch.empty(1, 4, 900, 900, device="meta"))
    pages = sheets([diagram(trace)])
    assert len(pages) > 1
    for page in pages:
        wide, high = drawn_size(page)
        assert wide <= 595 and high <= 842
    shown = sum(page.count('class="node"') for page in pages)
    assert shown == 302


@pytest.mark.slow
def test_a_depth_that_needs_too_many_boxes_is_reduced_in_time():
    """Blocks with branches that differ, so that none are alike: 600 blocks of 3 boxes."""

    class Wide(nn.Module):
        def __init__(self, i):
            super().__init__()
            self.a, self.b = nn.Conv2d(12, 1 + i % 11, 1), nn.Conv2d(12, 11 - i % 11, 1)

        def forward(self, x):
            return torch.cat([self.a(x), self.b(x)], 1)

    model = build_on_meta(lambda: nn.Sequential(*(Wide(i) for i in range(600))))
    trace = costlab.trace(model, torch.empty(1, 12, 8, 8, device="meta"))
    start = time.process_time()
    d = diagram(trace, 1)
    svg([d])
    assert len(d.boxes) <= 1500
    assert d.notes[0].startswith("depth 1 has more than 1,500 boxes: drawn at depth 0")
    assert time.process_time() - start < 30


def test_a_layout_that_takes_too_long_is_given_up_for_a_smaller_depth(monkeypatch):
    d = diagram(GOOGLENET, 2)
    within = svg([d])
    assert "to lay out" not in within and within == svg([d])
    monkeypatch.setattr(clock, "SECONDS", -1.0)
    late = html.unescape(svg([d]))
    assert "depth 2 takes more than -1 s to lay out: drawn at depth 0" in words_of(late)
    assert late.count('class="node"') == len(diagram(GOOGLENET, 0).boxes)


@pytest.mark.parametrize(
    "spec, opened, closed",
    [
        # the branches of these two beside each other are wider than a turned page
        ("inception_v3", ("mixed_6b",), ("mixed_7b", "mixed_7c")),
        pytest.param("torchvision:maxvit_t", (), ("blocks.2.layers x 5",), marks=pytest.mark.slow),
    ],
)
def test_only_a_part_that_is_larger_than_a_page_is_closed(spec, opened, closed):
    d = diagram(as_trace(spec, "diagram"), 1, style="cost")
    drawn = fold(d, A4, lambda d, wide: 90.0).diagram
    names = [b.name for b in drawn.boxes]
    assert set(closed) <= set(names) and not set(opened) & set(names)
    assert len(names) > 2 * len(diagram(as_trace(spec, "diagram"), 0).boxes)
    assert (drawn.own_macs, drawn.params) == (d.own_macs, d.params)
    assert len({b.id for b in drawn.boxes}) == len(names)
    read = {e.target for e in drawn.edges}
    assert [b.name for b in drawn.boxes if b.id not in read] == ["input"]
    place = {b.id: i for i, b in enumerate(drawn.boxes)}
    assert sorted(drawn.root.boxes()) == sorted(place)
    assert all(place[e.source] < place[e.target] for e in drawn.edges)
    *_, note = drawn.notes
    verb = "is" if len(closed) == 1 else "are"
    assert note.startswith(f"{', '.join(closed)} {verb} larger than a page at depth 1")


# plain, with branches, residual, the longest
QUICK = {"alexnet", "nin_cifar10", "vgg16", "googlenet", "inception_v3", "resnet50", "resnet152"}


def words_of(text):
    """All texts of a picture in one line."""
    return " ".join(re.findall(r">([^<>\n]+)</text>", text))


@pytest.mark.parametrize("name", slow_but(QUICK, zoo.names()))
@pytest.mark.parametrize("arguments", [{}, {"style": "paper"}, {"depth": 2}], ids=str)
def test_every_page_is_a4_with_no_text_under_7_points(name, arguments):
    pages = sheets([diagram(traced(name), **arguments)])
    for page in pages:
        wide, high = sorted(drawn_size(page))
        assert wide <= 595 and high <= 842
        assert min(float(s) for s in re.findall(r'font-size="([\d.]+)"', page)) >= 7


@pytest.mark.parametrize("style", ["cost", "paper"])
@pytest.mark.parametrize(
    "levels, pages", [(3, {"cost": 1, "paper": 1}), (4, {"cost": 1, "paper": 1}), (5, {"cost": 2})]
)
def test_a_unet_is_on_one_page_or_has_whole_levels_on_each(levels, pages, style):
    """Of the size of the paper's (Ronneberger et al. 2015: 4 levels, 64 to 1024 channels)."""
    model = build_on_meta(lambda: UNet(levels, 64))
    d = diagram(costlab.trace(model, torch.empty(1, 3, 256, 256, device="meta")), style=style)
    found = sheets([d])
    assert len(found) == pages.get(style, 1)
    for page in found:
        wide, high = sorted(drawn_size(page))
        assert wide <= 595 and high <= 842
        assert min(float(s) for s in re.findall(r'font-size="([\d.]+)"', page)) >= 7
        frames = [frame for frame, _ in boxes_of(page)]
        assert all(apart(a, b) for i, a in enumerate(frames) for b in frames[i + 1 :])
    shown = [i for page in found for i in re.findall(r'<g id="([^"]*)" class="node"', page)]
    assert sorted(shown) == sorted(b.id for b in d.boxes)
    # what is not drawn joins two pages: down to the inner level, and up from it
    drawn = sum(page.count('class="edge"') for page in found)
    assert len(d.edges) - drawn == 2 * (len(found) - 1)
    said = "the inner levels of the U are on the pages that follow" in words_of(found[0])
    assert said == (len(found) > 1)


# --- text inside its box ---


def boxes_of(text):
    """(left, right, top, bottom), and texts as (left, right, baseline, words), of every box."""
    for node in re.findall(r'<g id="[^"]*" class="node">(.*?)</g>', text, re.S):
        path = re.search(r'<path d="([^"]*)"', node)[1]
        points = [tuple(map(float, p.split(","))) for p in re.findall(r"[\d.-]+,[\d.-]+", path)]
        xs, ys = zip(*points, strict=True)
        words = []
        for found in re.finditer(
            r'<text x="([\d.-]+)" y="([\d.-]+)" font-size="([\d.]+)"([^>]*)>([^<]*)<', node
        ):
            x, y, size = map(float, found.groups()[:3])
            long = width(html.unescape(found[5]), size, "bold" in found[4])
            left = x - long / 2 if "middle" in found[4] else x
            words.append((left, left + long, y, found[5]))
        yield (min(xs), max(xs), min(ys), max(ys)), words


DRAWN = [
    ("googlenet", {}),
    ("googlenet", {"module": "inception5b"}),
    ("googlenet", {"module": "inception5b", "style": "cost"}),
    ("googlenet", {"depth": 1}),
    ("googlenet", {"style": "paper"}),
    ("resnet152", {}),
    ("resnet152", {"depth": 1}),
    ("inception_v3", {"module": "mixed_7c"}),
    ("inception_v2", {"style": "paper"}),
    ("unet", {"depth": 0}),
    ("towers", {"depth": 2}),
]


@pytest.mark.parametrize("name", ["googlenet", "resnet152", "inception_v3", "densenet121"])
def test_a_block_that_is_opened_alone_is_framed_with_its_own_costs(name):
    trace = traced(name) if name in zoo.names() else costlab.trace(f"torchvision:{name}")
    closed = diagram(trace)
    blocks = [b for b in closed.boxes if b.kind == "block"]
    for block in blocks[:: max(1, len(blocks) // 3)]:
        opened = with_open_block(trace, block)
        assert (opened.params, opened.own_macs) == (closed.params, closed.own_macs)
        frame = next(p for p in opened.root.children if p.kind == "frame" and p.box == block.id)
        inside = [b for b in opened.boxes if b.id in set(frame.boxes())]
        assert len(inside) > 1 and sum(b.macs for b in inside) == block.macs
        others = [b.name for b in closed.boxes if b != block]
        assert [b.name for b in opened.boxes if b not in inside] == others
        page = next(p for p in sheets([opened]) if f'id="open/{block.id}"' in p)
        check_boxes(page, block.id)


def check_boxes(page, opened):
    """Boxes do not overlap and are in the frame of the opened block or beside it."""
    frame = re.search(rf'<g id="open/{opened}" class="node">', page)
    first, *rest = boxes_of(page[frame.start() :])
    (left, right, top, bottom), [(start, end, y, _)] = first
    assert left < start and end < right and top < y < bottom
    inside = 0
    for i, (a, _) in enumerate(rest):
        within = left < a[0] and a[1] < right and top < a[2] and a[3] < bottom
        assert within or apart(a, (left, right, top, bottom))
        assert all(apart(a, b) for b, _ in rest[i + 1 :])
        inside += within
    assert inside > 1


def apart(a, b):
    return a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]


def test_only_a_block_can_be_opened():
    with pytest.raises(ValueError, match="3x3 max pool, /2 is not a block that can be opened"):
        with_open_block(GOOGLENET, diagram(GOOGLENET).boxes[2])


@pytest.mark.parametrize("name, arguments", DRAWN)
def test_text_stays_in_its_box_and_boxes_do_not_overlap(name, arguments):
    trace = traced(name) if name in zoo.names() else small(name)
    for page in sheets([diagram(trace, **arguments)]):
        found = list(boxes_of(page))
        assert found
        for (left, right, top, bottom), words in found:
            assert words
            for start, end, y, text in words:
                assert left <= start and end <= right and top < y < bottom, text
        frames = [f for f, _ in found]
        for i, a in enumerate(frames):
            for b in frames[i + 1 :]:
                assert apart(a, b)
        assert min(float(s) for s in re.findall(r'font-size="([\d.]+)"', page)) >= 7


@pytest.mark.parametrize(
    "name, arguments",
    [
        DRAWN[0],
        DRAWN[1],
        DRAWN[4],
        pytest.param("googlenet", {"style": "cost", "depth": 1}, marks=pytest.mark.slow),
    ],
)
def test_the_pdf_has_no_text_under_7_points_or_beyond_its_page(name, arguments):
    pytest.importorskip("typst")
    pypdf = pytest.importorskip("pypdf")
    from costlab.render.diagram import picture

    data = picture([diagram(traced(name), **arguments)], "pdf")
    assert data == picture([diagram(traced(name), **arguments)], "pdf")
    for page in pypdf.PdfReader(io.BytesIO(data)).pages:
        sizes = []

        def visit(text, *how, sizes=sizes, page=page):
            matrix, text_matrix, _, size = how
            if text.strip():
                # fonts in an image are set at size 1 under a matrix
                scale = abs(matrix[3] * text_matrix[3]) * size
                sizes.append(scale)
                x = matrix[0] * text_matrix[4] + matrix[4]
                assert 0 <= x <= float(page.mediabox.width)

        page.extract_text(visitor_text=visit)
        assert sizes and min(sizes) >= 6.95


def test_headings_are_wrapped_to_what_is_drawn():
    name = "a_network_with_a_name_that_goes_on_for_much_longer_than_any_page_is_wide" * 2
    trace = costlab.trace(nn.Conv2d(3, 4, 3), torch.empty(1, 3, 8, 8), spec=name)
    page = svg([diagram(trace)])
    wide, _ = drawn_size(page)
    for size, weight, words in re.findall(
        r'font-size="([\d.]+)"( font-weight="bold")?>([^<]+)<', page
    ):
        assert width(html.unescape(words), float(size), bool(weight)) <= wide
    assert A4.wide > wide


# --- beside each other ---


def test_before_and_after_share_one_scale():
    """5x5 to two 3x3: 25 and 2 * 9 multiply-adds a position, 100% and 36% + 36%."""
    trace = lambda *kernels: costlab.trace(  # noqa: E731
        nn.Sequential(*(nn.Conv2d(4, 4, k, padding=k // 2, bias=False) for k in kernels)),
        torch.empty(1, 4, 8, 8),
    )
    pair = modules([("before", trace(5)), ("after", trace(3, 3))])
    shares = [[d.share(b) for b in d.boxes if b.macs] for d in pair]
    assert shares == [[1.0], [pytest.approx(9 / 25)] * 2]
    text = svg(pair)
    assert ">-28% MACs<" in text and ">-28% params<" in text
    assert text.count(">36.0%<") == 2 and text.count(">100.0%<") == 1


def test_savings_that_are_not_against_the_neighbour_say_so():
    """Of three frames, an arrow leads from the first to the second alone. 8x8 becomes 6x6 and 4x4:
    9 * 36 / 64 and 25 * 16 / 64 times as many multiply-adds, both 5.06 and 6.25 the first's."""
    drawings = modules(
        [
            (name, costlab.trace(nn.Conv2d(4, 4, k), torch.empty(1, 4, 8, 8)))
            for name, k in (("a", 1), ("b", 3), ("c", 5))
        ]
    )
    page = svg(drawings)
    assert [w for w in re.findall(r">([^<]*MACs)<", page) if "%" in w] == [
        "+406.2% MACs",
        "+525.0% MACs",
    ]
    assert page.count("vs. the first") == 1 and page.count('<path d="M8 ') == 1


def test_frames_of_equally_many_pages_stand_beside_each_other(tmp_path):
    """The four schemes of `costlab grid --body inception` take two pages upright or turned."""
    file = tmp_path / "grid.svg"
    assert main(["grid", "--body", "inception", "--diagram", str(file)]) == 0
    page = file.read_text()
    frames = re.findall(r'translate\(([\d.]+) ([\d.]+)\)">\n<rect[^>]* rx="5"', page)
    assert [(float(x) > 100, float(y)) for x, y in frames[:2]] == [(False, 0), (True, 0)]
    assert len(frames) == 4 and max(drawn_size(page)) <= 842


def version(width, act=nn.ReLU, more=()):
    layers = (nn.Conv2d(4, width, 1), act(), nn.Conv2d(width, 4, 1), *more)
    return costlab.trace(nn.Sequential(*layers), torch.empty(1, 4, 8, 8), spec="m")


@pytest.mark.parametrize(
    "base, head, before, after",
    [
        (
            version(8),
            version(6),
            [("1x1 conv, 8", "changed"), ("1x1 conv, 4", "changed")],
            [("1x1 conv, 6", "changed"), ("1x1 conv, 4", "changed")],
        ),
        (version(8), version(8), [], []),
        # of one cost, but the activation is another
        (
            version(8),
            version(8, nn.GELU),
            [("1x1 conv, 8", "changed")],
            [("1x1 conv, 8", "changed")],
        ),
        # its output is half as wide
        (
            version(8),
            version(8, more=[nn.MaxPool2d(2)]),
            [("output", "changed")],
            [("2x2 max pool, /2", "added"), ("output", "changed")],
        ),
        (
            version(8, more=[nn.Dropout()]),
            version(8),
            [("dropout", "removed")],
            [],
        ),
    ],
    ids=["changed", "equal", "activation", "added", "removed"],
)
def test_two_versions_are_drawn_with_what_changed_marked(base, head, before, after):
    pair = compared(base, head, words=("before", "after"))
    assert [[(b.text, b.mark) for b in d.boxes if b.mark] for d in pair] == [before, after]
    assert [d.title for d in pair] == ["before", "after"] and pair[0].macs == pair[1].macs
    text = svg(pair)
    marks = {mark for _, mark in before + after}
    assert {m for m in MARKS if f">{m}<" in text} == marks  # the legend
    # each has a badge with its sign, for print without colours; the legend one more
    for mark in marks:
        badges = re.findall(rf'<circle [^>]*fill="{MARKS[mark].color}"/>', text)
        assert len(badges) == 1 + [m for _, m in before + after].count(mark)


def test_marks_are_told_apart_without_colours():
    assert len({mark.strokes for mark in MARKS.values()}) == len(MARKS) == 3


def test_networks_beside_each_other_count_params_alike():
    """Weights only, K = 1,024, is of GoogLeNet's table and not of AlexNet's."""
    pair = costlab.compare(GOOGLENET, traced("alexnet"))
    drawings = compared(*pair.traces)
    assert [d.convention.name for d in drawings] == ["macs", "macs"]
    assert [d.params for d in drawings] == [total(t).params for t in pair.traces]
    assert drawings[0].macs == drawings[1].macs == total(GOOGLENET).macs
    text = pair.diagram().draw("svg").decode()
    assert text.count('class="node"') == sum(len(d.boxes) for d in drawings)


def test_versions_that_are_longer_than_a_page_are_folded_and_stay_readable():
    def chain(n):
        layers = (nn.Conv2d(4 + i % 2, 5 - i % 2, 1 + 2 * (i % 3)) for i in range(n))
        model = build_on_meta(lambda: nn.Sequential(*layers))
        return costlab.trace(model, torch.empty(1, 4, 900, 900, device="meta"), spec="m")

    for base, head in ((30, 33), (30, 150)):
        pages = sheets(compared(chain(base), chain(head)))
        assert sum(page.count('class="node"') for page in pages) == base + head + 4
        for page in pages:
            wide, high = sorted(drawn_size(page))
            assert wide <= 595 and high <= 842


# --- formats and the command ---


def test_names_are_escaped_and_the_bytes_are_the_same_twice():
    trace = costlab.trace(nn.Conv2d(3, 4, 3), torch.empty(1, 3, 8, 8), spec='<script>"&é')
    first, second = (svg([diagram(trace)]) for _ in range(2))
    assert first == second and "<script" not in first and "&lt;script&gt;" in first
    assert 'role="img"' in first and 'aria-label="Block diagram of &lt;script&gt;' in first
    assert dot(diagram(trace)) == dot(diagram(trace))


@pytest.mark.parametrize("spec", ['<script>"\\N&é', "a:b\x00\x1b[31m", "<b>bold</b>"])
def test_graphviz_lays_out_the_dot_text_whatever_the_names_are(spec):
    """Boxes and edges of one diagram and of two beside each other, as Graphviz reads them."""
    engine = Path(sys.executable).with_name("graphviz-pure")
    if not engine.exists():
        pytest.skip("no graphviz-pure")
    d = diagram(costlab.trace(nn.Conv2d(3, 4, 3), torch.empty(1, 3, 8, 8), spec=spec))
    for shown in ((d,), (d, d)):
        out = subprocess.run(
            [str(engine), "-Tsvg"], input=dot(*shown).encode(), capture_output=True, check=True
        ).stdout.decode()
        assert out.count('class="node"') == len(shown) * len(d.boxes)
        assert out.count('class="edge"') == len(shown) * len(d.edges)


@pytest.mark.parametrize(
    "suffix, start", [("svg", b"<svg"), ("pdf", b"%PDF"), ("png", b"\x89PNG"), ("dot", b"digraph")]
)
def test_every_format_of_a_diagram(tmp_path, suffix, start):
    if suffix in ("pdf", "png"):
        pytest.importorskip("typst")
    files = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for f in files:
        assert main(["diagram", "nin_cifar10", "-o", str(f)]) == 0
    assert files[0].read_bytes().startswith(start)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    "argv, texts",
    [
        (
            "factorize googlenet --rewrite 1xn-nx1 --apply inception3a.branch3.1.0",
            {"before: googlenet": 1, "5x5 conv, 32": 1, "1x5 conv, 32": 1, "5x1 conv, 32": 1},
        ),
        ("factorize --kernel 5 --rewrite stacked-3x3", {"3x3 conv, 64": 2, "5x5 conv, 64": 1}),
        ("bottleneck", {"filter concat": 2}),
        ("head", {"input": 4}),
        ("aux googlenet", {"linear, 1024": 2, "linear, 1000": 3}),
        ("grid", {"filter concat": 2}),
        ("diagram googlenet --depth 1 --style paper", {"filter concat, 28x28x256": 1}),
    ],
)
def test_commands_draw_their_modules(tmp_path, argv, texts):
    file = tmp_path / "pair.svg"
    name = "-o" if argv.startswith("diagram") else "--diagram"
    assert main([*argv.split(), name, str(file)]) == 0
    text = file.read_text()
    assert {words: text.count(f">{words}<") for words in texts} == texts


def test_all_rules_are_drawn_in_pairs(tmp_path):
    """As its page says: a row a rule, before and after."""
    file = tmp_path / "rules.svg"
    assert main(["factorize", "--diagram", str(file)]) == 0
    text = file.read_text()
    assert text.count(": before<") + text.count("before</text>") >= 10


@pytest.mark.parametrize(
    "argv, line",
    [
        (["diagram", "googlenet", "-o", "x.jpg"], "name it .svg"),
        (
            ["diagram", "googlenet", "--module", "inception3x", "-o", "x.svg"],
            "did you mean inception3",
        ),
        (["diagram", "googlenet", "--depth", "-1", "-o", "x.svg"], "choose 0"),
        (["factorize", "googlenet", "--diagram", "x.svg"], "name something to apply"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "argv, pages",
    [
        ("grid --body inception --diagram", 2),
        ("factorize --diagram", 5),
        ("diagram torchvision:resnet50 --depth 2 -o", 2),
        ("diagram alexnet -o", 1),
    ],
)
def test_a_picture_of_several_pages_says_so(argv, pages, tmp_path):
    file = tmp_path / "picture.svg"
    assert main([*argv.split(), str(file)]) == 0
    said = re.findall(r">(\d+) pages of A4 below each other", file.read_text())
    assert said == ([str(pages)] if pages > 1 else [])


def test_a_diagram_of_a_file_is_named_without_its_folders(tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef build():\n    return nn.Linear(3, 2)\n"
    )
    trace = costlab.trace(f"{tmp_path}/net.py:build", "1x3")
    assert diagram(trace).title == "net.py:build"


@pytest.mark.parametrize(
    "spec, blocks",
    [
        (
            "torchvision:efficientnet_b0",  # 1, 2, 2, 3, 3, 4, 1 layers (Tan and Le 2019, Table 1)
            {
                **{f"features.{i}.0.block": 1 for i in range(1, 8)},
                "features.2.1": 1,
                "features.3.1": 1,
                "features.4": 2,
                "features.5": 2,
                "features.6": 3,
            },
        ),
        ("torchvision:densenet201", {f"features.denseblock{i}": 1 for i in range(1, 5)}),
    ],
)
def test_blocks_with_and_without_a_shortcut_are_boxes_alike(spec, blocks):
    d = diagram(as_trace(spec, "diagram"))
    assert {b.text: b.times for b in d.boxes if b.kind == "block"} == blocks


def test_a_norm_after_the_last_of_alike_blocks_leaves_them_alike():
    """ConvNeXt-T: 3, 3, 9 and 3 blocks (Liu et al. 2022), of which the last has a norm after it."""
    d = diagram(as_trace("torchvision:convnext_tiny", "diagram"), depth=1)
    frames = [p.label for p in d.root.children if p.kind == "frame"]
    assert frames == ["x 3", "x 3", "x 9", "x 3"]


class WNet(nn.Module):
    """Two alike U-Nets in a row, between a stem and a head."""

    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 1, 1)
        self.parts = nn.Sequential(*(nn.Sequential(UNet(), nn.Conv2d(8, 3, 1)) for _ in range(2)))

    def forward(self, x):
        return self.head(self.parts(self.stem(x)))


class UnlikeUs(nn.Module):
    """A U-Net of two levels, a layer, and a U-Net of one level."""

    def __init__(self):
        super().__init__()
        self.first, self.mid, self.second = UNet(), nn.Conv2d(8, 3, 1), UNet(1, 16)

    def forward(self, x):
        return self.second(self.mid(self.first(x)))


class UsInOneModule(nn.Module):
    """Two levels of U-Nets whose layers are all of one module; no layer is between them."""

    def forward(self, x):
        for _ in range(2):
            down = nn.functional.max_pool2d(x, 2)
            x = torch.cat([x, nn.functional.interpolate(down.sigmoid(), scale_factor=2)], 1)
        return x


def test_unlike_us_follow_each_other():
    """The layer between them is the last of the first one: it is not a level of the second."""
    d = diagram(costlab.trace(UnlikeUs().eval(), torch.rand(1, 3, 16, 16)), style="paper")
    first, second = d.root.children
    down, up = ("2x2 max pool, /2", "2x2 transposed conv")
    ends = [nested(u.children[i], d) for u in (first, second) for i in (0, 2)]
    assert (first.kind, second.kind) == ("u", "u") and ends == [
        ("chain", "input", "3x3 conv, 8", "3x3 conv, 8"),
        ("chain", "filter concat", "3x3 conv, 8", "3x3 conv, 8", "1x1 conv, 3"),
        ("chain", "3x3 conv, 16", "3x3 conv, 16"),
        ("chain", "filter concat", "3x3 conv, 16", "3x3 conv, 16", "output"),
    ]
    bottom = ("chain", down, "3x3 conv, 32", "3x3 conv, 32", f"{up}, 16, /2")
    assert nested(second.children[1], d) == bottom


def test_us_without_a_layer_between_them_are_drawn():
    d = diagram(costlab.trace(UsInOneModule(), torch.rand(1, 3, 16, 16)), style="paper")
    assert sorted(d.root.boxes()) == sorted(b.id for b in d.boxes)
    assert sum(b.kind == "cat" for b in d.boxes) == 2 and single(d).rects.keys() == {
        b.id for b in d.boxes
    }


@pytest.mark.parametrize("network", [WNet, UnlikeUs])
def test_no_edge_of_two_us_in_a_row_runs_through_a_box(network):
    trace = costlab.trace(network().eval(), torch.rand(1, 3, 16, 16), spec="wnet")
    d = diagram(trace, style="paper")
    piece = single(d)
    assert sum(p.kind == "u" for p in d.root.children) == 2
    for edge in d.edges:
        path = route(piece, edge.source, edge.target).path
        numbers = [float(n) for n in re.findall(r"[\d.]+", path)]
        corners = list(zip(numbers[::2], numbers[1::2], strict=True))
        others = [r for box, r in piece.rects.items() if box not in (edge.source, edge.target)]
        for (x0, y0), (x1, y1) in pairwise(corners):
            points = [(x0 + (x1 - x0) * k / 50, y0 + (y1 - y0) * k / 50) for k in range(51)]
            crossed = [
                r for r in others for x, y in points if r.x < x < r.right and r.y < y < r.bottom
            ]
            assert not crossed
