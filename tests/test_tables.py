"""Tables from the traced graph: columns of every kind of branch, residual stages, receptive
fields, formats."""

import json

import pytest
import torch
from torch import nn

import costlab
from costlab.cli import main
from costlab.graph import forks, layer_graph, partition
from costlab.render import FORMATS
from costlab.tables import table


def conv(i, o, k, s=1, p="same", **kw):
    return nn.Conv2d(i, o, k, s, p if s == 1 else 0, bias=False, **kw)


class Fork(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([b(x) for b in self.branches], 1)


def seq(*m):
    return nn.Sequential(*m)


def rows(*modules, size=16, **kw):
    trace = costlab.trace(
        seq(*modules).eval(), torch.empty(1, 8, size, size, device="meta"), device="meta"
    )
    return table(trace, **kw)


POOL = lambda: nn.MaxPool2d(3, 1, 1)  # noqa: E731
AVG = lambda: nn.AvgPool2d(3, 1, 1)  # noqa: E731
BRANCHES = [
    ("1x1", seq(conv(8, 4, 1)), {"#1x1": 4}),
    ("reduced 3x3", seq(conv(8, 2, 1), conv(2, 4, 3)), {"#3x3 reduce": 2, "#3x3": 4}),
    ("naive 5x5", seq(conv(8, 4, 5)), {"#5x5": 4}),
    (
        "double 3x3",
        seq(conv(8, 2, 1), conv(2, 4, 3), conv(4, 4, 3)),
        {"double #3x3 reduce": 2, "double #3x3": 4},
    ),
    (
        "1x7 then 7x1",
        seq(conv(8, 2, 1), conv(2, 3, (1, 7)), conv(3, 4, (7, 1))),
        {"#1x7+7x1 reduce": 2, "#1x7+7x1": "3→4"},
    ),
    (
        "two pairs",
        seq(conv(8, 2, 1), *(conv(2, 2, k) for k in ((7, 1), (1, 7)) * 2)),
        {"double #7x1+1x7 reduce": 2, "double #7x1+1x7": 2},
    ),
    ("max pool, 1x1", seq(POOL(), conv(8, 3, 1)), {"pool proj": 3}),
    ("avg pool, 1x1", seq(AVG(), conv(8, 3, 1)), {"pool proj": "avg + 3"}),
    ("bare pool", POOL(), {"pool proj": "max + pass through"}),
    ("identity", nn.Identity(), {"pass through": "yes"}),
    (
        "nested fork",
        seq(conv(8, 2, 1), Fork(conv(2, 3, (1, 3)), conv(2, 3, (3, 1)))),
        {"#{1x3, 3x1} reduce": 2, "#{1x3, 3x1}": "3+3"},
    ),
    ("depthwise", seq(conv(8, 8, 3, groups=8), conv(8, 4, 1)), {"#3x3 depthwise+1x1": "8→4"}),
    ("transposed", seq(nn.ConvTranspose2d(8, 4, 3, padding=1)), {"#transposed conv": 4}),
    ("pool after", seq(conv(8, 4, 3), POOL()), {"#3x3+max pool": 4}),
]


@pytest.mark.parametrize("branch, cells", [b[1:] for b in BRANCHES], ids=[b[0] for b in BRANCHES])
def test_each_kind_of_branch_has_its_column(branch, cells):
    t = rows(Fork(seq(conv(8, 5, 1), conv(5, 6, 11)), branch), style="paper")
    (row,) = t.rows
    fixed = (
        "type",
        "name",
        "patch size/stride",
        "output size",
        "depth",
        "params",
        "ops",
        "#11x11 reduce",
        "#11x11",
    )
    assert {k: v for k, v in row.cells.items() if k not in fixed} == cells
    assert row.cells["#11x11"] == 6
    assert [c.key for c in t.columns].count(next(iter(cells))) == 1


def test_two_branches_of_one_kind_keep_both_widths():
    (row,) = rows(Fork(conv(8, 4, 1), conv(8, 6, 1), conv(8, 4, 1)), style="paper").rows
    assert (row.cells["#1x1"], row.cells["#1x1 (2)"], row.cells["#1x1 (3)"]) == (4, 6, 4)


def test_a_squeeze_before_the_fork_is_in_its_row():
    (row,) = rows(conv(8, 2, 1), Fork(conv(2, 4, 1), conv(2, 4, 3)), style="paper").rows
    assert (row.cells["#1x1 squeeze"], row.cells["depth"], row.params) == (2, 2, 16 + 8 + 72)


class Dense(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(conv(8 + 4 * i, 4, 3) for i in range(layers))

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat((x, layer(x)), 1)
        return x


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.a, self.b = nn.Conv2d(i, o, 3, stride, 1, bias=False), conv(o, o, 3)
        self.down = conv(i, o, 1) if i == o else nn.Conv2d(i, o, 1, stride, bias=False)

    def forward(self, x):
        return torch.relu(
            self.b(torch.relu(self.a(x))) + (x if self.a.stride == (1, 1) else self.down(x))
        )


def test_a_dense_block_of_many_layers_ends_and_keeps_every_count():
    t = rows(Dense(40), style="paper")
    assert (
        t.macs == sum(r.macs for r in t.rows) == sum(256 * 9 * 4 * (8 + 4 * i) for i in range(40))
    )


class Excite(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.f = (
            conv(8, 6, 3),
            seq(nn.AdaptiveAvgPool2d(1), conv(6, 2, 1), nn.ReLU(), conv(2, 6, 1), nn.Sigmoid()),
        )

    def forward(self, x):
        x = self.c(x)
        return x * self.f(x)


class Shortcut(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.d = conv(8, 8, 3), conv(8, 6, 1)

    def forward(self, x):
        return self.d(x + self.c(x))


class Attend(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.MultiheadAttention(8, 2, batch_first=True, bias=False)

    def forward(self, x):
        y = x.flatten(2).transpose(1, 2)
        return self.a(y, y, y)[0].transpose(1, 2).reshape(x.shape)


@pytest.mark.parametrize(
    "branch, column, widths, macs",
    [
        (Excite(), "#3x3+avg pool+1x1+1x1+join", "6→2", 256 * 9 * 8 * 6 + 12 + 12),
        (Shortcut(), "#3x3+join+1x1", "8→6", 256 * 9 * 8 * 8 + 256 * 8 * 6),
        (
            Attend(),
            "#linear+product+softmax+product+linear",
            "24→8",
            256 * 8 * 24 + 2 * 256 * 256 * 8 + 256 * 8 * 8,
        ),
    ],
    ids=["squeeze and excite", "residual", "attention"],
)
def test_a_fork_of_any_branch_is_a_row(branch, column, widths, macs):
    (row,) = rows(Fork(conv(8, 5, 1), branch), style="paper").rows
    assert (row.cells["#1x1"], row.cells[column], row.macs) == (5, widths, 256 * 8 * 5 + macs)


def test_residual_stages():
    t = rows(conv(8, 8, 7), Block(8, 8, 1), Block(8, 8, 1), Block(8, 16, 2), Block(16, 16, 1))
    assert t.style == "resnet"
    assert [(r.cells["layers"], r.cells["output size"], r.cells["depth"]) for r in t.rows] == [
        ("7x7, 8", "16x16x8", 1),
        ("[3x3, 8; 3x3, 8] x 2", "16x16x8", 4),
        ("[3x3, 16; 3x3, 16] x 2", "8x8x16", 4),
    ]


@pytest.mark.parametrize(
    "name, repeats",
    [
        # the blocks of one width after the first, which has another stride (Table 2 of the paper)
        ("mobilenet_v2", ["features.5-6", "features.8-10", "features.12-13", "features.15-16"]),
        ("mobilenet_v3_large", ["features.5-6", "features.9-10", "features.14-15"]),
        ("mobilenet_v3_small", ["features.5-6", "features.10-11"]),
        ("resnet18", []),
        ("efficientnet_b0", []),
        ("shufflenet_v2_x1_0", []),
    ],
)
def test_rows_of_a_table_have_names_of_their_own(name, repeats):
    names = [row.name for row in costlab.table(f"torchvision:{name}").rows]
    assert len(set(names)) == len(names)
    assert [n for n in names if "-" in n and n.startswith("features.")] == repeats


class Attended(nn.Module):
    """A residual block, and an attention whose products are rows of one module."""

    def __init__(self):
        super().__init__()
        self.a, self.b = (nn.Conv2d(16, 16, 3, padding=1) for _ in range(2))
        self.mix = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x):
        x = (x + self.b(torch.relu(self.a(x)))).flatten(2).transpose(1, 2)
        return self.mix(x, x, x, need_weights=False)[0]


def test_rows_of_one_module_are_told_apart_by_their_layers():
    """Charts and sentences once said "mix" three times."""
    rows = table(costlab.trace(Attended(), torch.empty(1, 16, 4, 4)), "resnet").rows
    assert [r.own_name for r in rows if r.path == "mix"] == [
        "mix: linear, 48",
        "mix: attention",
        "mix: linear, 16",
    ]
    assert {r.cells["layer name"] for r in rows if r.path == "mix"} == {"mix"}


def test_a_grid_with_its_channels_last_is_spelt_so():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.norm, self.conv = nn.Linear(8, 6), nn.LayerNorm(6), nn.Conv2d(6, 5, 1)

        def forward(self, x):
            return self.conv(self.norm(self.fc(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2))

    t = table(costlab.trace(Last(), torch.empty(1, 8, 4, 3)), "layers")
    assert [(r.cells["name"], r.cells["output size"]) for r in t.rows] == [
        ("(model)", "4x3x6"),
        ("fc", "4x3x6"),
        ("norm", "4x3x6"),
        ("conv", "4x3x5"),
    ]


class Tagger(nn.Module):
    """Reads the output of a recurrent layer, not its states."""

    def __init__(self, kind):
        super().__init__()
        self.rnn, self.out = kind(4, 6, num_layers=2, batch_first=True), nn.Linear(6, 3)

    def forward(self, x):
        return self.out(self.rnn(x)[0])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("build", [Tagger, lambda kind: kind(4, 6, 2, batch_first=True)])
def test_the_output_of_a_recurrent_layer_is_not_its_states(kind, build):
    row = next(r for r in rows_of(build(kind), torch.empty(1, 9, 4)) if r.macs)
    assert row.cells["output size"] == "9x6"  # h_n is 2x1x6


def rows_of(model, *inputs):
    return table(costlab.trace(model, *inputs), "layers").rows


class Mix(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.mlp = nn.LayerNorm(8), seq(nn.Linear(8, 32), nn.GELU(), nn.Linear(32, 8))

    def forward(self, x):
        return x + self.mlp(self.norm(x))


class Transformer(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.inside = nn.ModuleDict(
            {"layers": nn.ModuleList(Mix() for _ in range(blocks)), "head": nn.Linear(8, 4)}
        )

    def forward(self, x):
        for layer in self.inside["layers"]:
            x = layer(x)
        return self.inside["head"](x)


def test_without_a_depth_dear_modules_are_opened_and_alike_ones_are_one_row():
    trace = costlab.trace(Transformer(12), torch.empty(1, 5, 8))
    t = table(trace, "layers", "macs")
    seen = [
        (r.cells["name"], r.cells.get("times"), r.cells["depth"], r.params, r.macs) for r in t.rows
    ]
    linear = 5 * 8 * 32 * 12  # tokens x weights x blocks
    assert seen == [
        ("inside.layers.0-11.norm", 12, 0, 12 * 16, 0),
        ("inside.layers.0-11.mlp.0", 12, 12, 12 * 288, linear),
        ("inside.layers.0-11.mlp.2", 12, 12, 12 * 264, linear),
        ("inside.head", None, 1, 36, 160),
    ]
    assert sum(r.macs for r in t.rows) == t.macs and any(
        "--depth N lists each" in n for n in t.notes
    )
    assert [r.id for r in table(trace, "layers", depth=1).rows] == ["inside"]
    assert len(table(trace, "layers", merge=False).rows) == 12 + 1


def test_auto_says_what_it_chose():
    assert rows(Fork(conv(8, 4, 1), conv(8, 4, 3))).style == "paper"
    t = rows(conv(8, 4, 3), nn.Flatten(), nn.Linear(4 * 256, 3))
    assert t.style == "layers" and "style layers (chosen by auto)" in t.notes[2]


FIELDS = [  # receptive field by hand: r += (k - 1) * dilation * jump; jump *= stride
    ((conv(8, 4, 3), conv(4, 4, 3)), "5x5"),
    ((conv(8, 4, 3, 2), conv(4, 4, 3)), "7x7"),
    ((conv(8, 4, 3, dilation=2),), "5x5"),
    ((conv(8, 4, (1, 7)), conv(4, 4, (7, 1))), "7x7"),
    (
        (nn.MaxPool2d(2), conv(8, 4, 3), nn.Upsample(scale_factor=2), conv(4, 4, 3)),
        "8x8",
    ),  # 2, 2+2*2=6, jump 1, 6+2
    ((conv(8, 4, 3, 2), nn.Flatten(), nn.Linear(4 * 49, 5)), "15x15"),  # 3 + 6*2
]


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_written_through_a_view_is_read_with_what_it_is_a_view_of(whole, device):
    """A 1x1 and a 5x5 write parts of one tensor: what comes after sees 5x5."""

    class Parts(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = conv(8, 8, 1), conv(8, 4, 5), conv(8, 4, 1)

        def forward(self, x):
            y = self.a(x) if whole else x.new_empty(x.shape)
            if not whole:
                y[:, 4:] = self.a(x)[:, 4:]
            y[:, :4] = self.b(x)
            return self.c(y)

    trace = costlab.trace(Parts(), torch.zeros(1, 8, 9, 9), device=device)
    fields = {
        r.id: r.cells["receptive field"]
        for r in table(trace, "layers", columns="receptive-field").rows
    }
    assert (fields["a"], fields["b"], fields["c"]) == ("1x1", "5x5", "5x5")
    assert costlab.total(trace).coverage.startswith(f"{len(trace.ops)} of")


def test_receptive_field_of_a_sequence():
    """3; then 3 + 4; then, on jump 2, 7 + 2 * 2 * 2."""
    model = seq(nn.Conv1d(2, 4, 3), nn.Conv1d(4, 4, 5, stride=2), nn.Conv1d(4, 4, 3, dilation=2))
    t = table(costlab.trace(model, torch.zeros(1, 2, 64)), "layers", columns=["receptive-field"])
    assert [r.cells["receptive field"] for r in t.rows] == ["3", "7", "15"]


def test_receptive_field_of_alexnets_classifier(capsys):
    """195 at pool5, whose 6 places are 32 apart: 195 + 5 * 32."""
    assert (
        main(
            [
                "table",
                "alexnet",
                "--style",
                "layers",
                "--columns",
                "receptive-field",
                "--format",
                "json",
            ]
        )
        == 0
    )
    fields = {
        r["name"]: r["receptive field (pixels)"]
        for r in json.loads(capsys.readouterr().out)["rows"]
    }
    assert fields["pool5"] == "195x195" and fields["head.fc8"] == "355x355"


def test_a_csv_has_what_a_reader_loads_and_its_notes_in_a_column(tmp_path):
    pandas = pytest.importorskip("pandas")
    out = tmp_path / "t.csv"
    assert main(["table", "googlenet", "-o", str(out)]) == 0
    frame = pandas.read_csv(out)
    assert (
        len(frame) == 19
        and frame["ops (MACs)"].sum() == 1582671872
        and "convention paper" in frame["notes"][0]
        and frame["notes"][1:].isna().all()
    )


@pytest.mark.parametrize("modules, field", FIELDS)
def test_receptive_field(modules, field):
    assert (
        rows(*modules, style="layers", columns=["receptive-field"])
        .rows[-1]
        .cells["receptive field"]
        == field
    )


def test_graph_regions_of_a_unet_are_not_modules():
    class Unet(nn.Module):
        def __init__(self):
            super().__init__()
            self.mid, self.out = Fork(conv(8, 4, 1), conv(8, 4, 3)), conv(16, 8, 3)

        def forward(self, x):
            return self.out(
                torch.cat(
                    (
                        x,
                        nn.functional.interpolate(
                            self.out(torch.cat((self.mid(x), x), 1)), scale_factor=1
                        ),
                    ),
                    1,
                )
            )

    trace = costlab.trace(Unet(), torch.empty(1, 8, 8, 8, device="meta"), device="meta")
    nodes = layer_graph(trace)
    assert all(nodes[f.end].op.module != "" or len(f.members) < 6 for f in forks(nodes))
    assert not any(b.kind == "residual" for b in partition(trace).walk())


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_states_convention_and_coverage_and_escapes(name, tmp_path):
    trace = costlab.trace(
        Fork(conv(8, 4, 1), conv(8, 4, 3)), torch.empty(1, 8, 4, 4), spec="<script>&_#1|\\input{x}"
    )
    out = FORMATS[name](table(trace, columns=["activations"]).sheet)
    if name == "parquet":
        pq = pytest.importorskip("pyarrow.parquet")
        path = tmp_path / "t.parquet"
        path.write_bytes(out)
        read = pq.read_table(path)
        assert (
            read.column("ops (MACs)").to_pylist() == [16 * 8 * 4 * 10]
            and b"convention macs" in read.schema.metadata[b"notes"]
        )
        return
    assert "convention macs" in out and "coverage" in out
    plain = {
        "html": "&lt;script&gt;&amp;",
        "latex": r"\textbackslash{}input\{x\}",
        "md": r"\<script\>&\_\#1\|",
    }
    assert plain.get(name, "<script>") in out and (name != "html" or "<script" not in out)


def test_a_frame_has_exact_integers():
    pytest.importorskip("pandas")
    frame = rows(Fork(conv(8, 4, 1), conv(8, 4, 3))).to_frame()
    assert frame["ops (MACs)"].sum() == 256 * 8 * 4 * 10 and frame["#3x3"].iloc[0] == 4


def test_the_format_follows_the_suffix(tmp_path, capsys):
    file = tmp_path / "t.json"
    assert main(["table", "googlenet", "-o", str(file)]) == 0
    assert json.loads(file.read_text())["convention"] == "paper" and not capsys.readouterr().out


def test_a_model_that_runs_no_operation():
    """What it returns is its input: a table without rows, which says so."""
    found = costlab.table(costlab.trace(torch.nn.Identity(), torch.rand(1, 3)))
    assert (found.rows, found.macs, found.params) == ((), 0, 0)
    assert "nothing to count: the model runs no operation" in found.notes
    lines = str(found).splitlines()
    assert lines[1].split() == ["type", "params", "ops", "(MACs)"] and lines[4].startswith("total")
