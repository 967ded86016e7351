"""Table 1 of Going Deeper with Convolutions, from a trace: exact weights and MACs of every row."""

import json
from pathlib import Path

import pytest

from costlab.cli import main

# row: weights, MACs, (#1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj).
# Independent recount: c_in*c_out*k*k by hand.
ROWS = [
    ("convolution", 9408, 118013952, ()),
    ("max pool", 0, 0, ()),
    ("convolution", 114688, 359661568, ()),
    ("max pool", 0, 0, ()),
    ("inception (3a)", 163328, 128049152, (64, 96, 128, 16, 32, 32)),
    ("inception (3b)", 388096, 304267264, (128, 128, 192, 32, 96, 64)),
    ("max pool", 0, 0, ()),
    ("inception (4a)", 375552, 73608192, (192, 96, 208, 16, 48, 64)),
    ("inception (4b)", 448512, 87908352, (160, 112, 224, 24, 64, 64)),
    ("inception (4c)", 509440, 99850240, (128, 128, 256, 24, 64, 64)),
    ("inception (4d)", 604672, 118515712, (112, 144, 288, 32, 64, 64)),
    ("inception (4e)", 867328, 169996288, (256, 160, 320, 32, 128, 128)),
    ("max pool", 0, 0, ()),
    ("inception (5a)", 1042432, 51079168, (256, 160, 320, 32, 128, 128)),
    ("inception (5b)", 1442816, 70697984, (384, 192, 384, 48, 128, 128)),
    ("avg pool", 0, 0, ()),
    ("dropout (40%)", 0, 0, ()),
    ("linear", 1024000, 1024000, ()),
    ("softmax", 0, 0, ()),
]


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_table_1(capsys, device):
    assert main(["table", "googlenet", "--format", "json", "--device", device]) == 0
    doc = json.loads(capsys.readouterr().out)
    keys = ("#1x1", "#3x3 reduce", "#3x3", "#5x5 reduce", "#5x5", "pool proj")
    got = [
        (
            r["type"],
            r["params (elements)"],
            r["ops (MACs)"],
            tuple(r[k] for k in keys) if r["type"].startswith("inception") else (),
        )
        for r in doc["rows"]
    ]
    assert got == ROWS
    assert doc["total"] == {"params (elements)": 6990272, "ops (MACs)": 1582671872}
    assert sum(r["depth"] for r in doc["rows"]) == 22  # the paper's "22 layers"


def test_a_saved_trace_gives_the_same_table(tmp_path, capsys):
    file = tmp_path / "g.trace"
    assert main(["trace", "googlenet", "-o", str(file)]) == 0
    capsys.readouterr()
    tables = []
    for model in ("googlenet", str(file)):
        assert main(["table", model, "--format", "csv"]) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    "argv, line",
    [
        (["table", "googlnet"], "did you mean googlenet"),
        (["table", "googlenet", "--input", "1x3"], "the model failed in conv1.0"),
        (["table", "googlenet", "--input", "1xax3"], "cannot read input '1xax3'"),
        (
            ["table", "googlenet", "--columns", "receptive-feild"],
            "unknown column 'receptive-feild'",
        ),
        (["table", "googlenet", "--format", "parquet"], "give a file with -o FILE"),
        (["table", "torchvision:resnet51"], "did you mean resnet50"),
        (["table", "googlenet", "--style", "nice"], "unknown style 'nice'"),
        (["table", "googlenet", "-o", "/nowhere/x"], "cannot write /nowhere/x"),
        (["table", "no_such_package:thing"], "there is no Python module no_such_package"),
        (["table", str(Path(__file__).parents[1] / "pyproject.toml")], "is not a costlab trace"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(argv, line, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def test_a_cut_or_newer_file_is_named(tmp_path, capsys):
    import gzip

    file = tmp_path / "g.trace"
    main(["trace", "googlenet", "-o", str(file)])
    capsys.readouterr()
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    assert main(["table", str(file)]) == 2 and "damaged or cut short" in capsys.readouterr().err
    file.write_bytes(
        gzip.compress(gzip.decompress(data).replace(b'"version":2', b'"version":9', 1))
    )
    assert main(["table", str(file)]) == 2 and "trace format 9" in capsys.readouterr().err
