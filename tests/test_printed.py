"""The papers' printed figures are data that can be read, each file as `reference.printed` says."""

import pytest

from costlab.reference import printed
from costlab.sources._registry import PREFIXES
from costlab.zoo import names

RESNET = """
paper = "He et al. 2015"
[[totals]]
where = "Table 1"
rows = '''
model,input,params,ops
resnet50,1x3x224x224,,3.8e9
'''
"""


def read(tmp_path, text):
    file = tmp_path / "resnet.toml"
    file.write_text(text)
    return printed.read_paper(file)


def test_a_paper_is_read(tmp_path):
    paper = read(tmp_path, RESNET)
    assert paper.totals == (
        printed.PrintedTotal(
            "resnet50", "1x3x224x224", {"ops": "3.8e9"}, "He et al. 2015", "Table 1"
        ),
    )


SHARES = """
paper = "Howard et al. 2017"
[[shares]]
model = "timm:mobilenetv1_100"
where = "Table 2"
rows = '''
layers,ops,params
linear,0.18%,24.33%
'''
"""


def test_shares_are_read(tmp_path):
    (shares,) = read(tmp_path, SHARES).shares
    assert shares.rows == {"linear": {"ops": "0.18%", "params": "24.33%"}}
    assert (shares.model, shares.input, shares.where) == (
        "timm:mobilenetv1_100", "1x3x224x224", "Table 2",
    )  # fmt: skip


def test_shares_of_what_is_not_counted_are_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown columns of shares: latency"):
        read(tmp_path, SHARES.replace("layers,ops", "layers,latency"))


@pytest.mark.parametrize(
    "old, new, line",
    [
        ("paper =", "citation =", "resnet.toml: unknown keys: citation"),
        ("where =", "table =", "resnet.toml: unknown keys of totals: table"),
        ('where = "Table 1"', "", "resnet.toml: where is missing"),
        ("ops", "FLOPs", "resnet.toml: unknown columns of totals: FLOPs"),
        (
            ",,3.8e9",
            ",3.8e9",
            "resnet.toml: the row resnet50, 1x3x224x224, 3.8e9, None does not match",
        ),
        (",,3.8e9", ",,", "resnet.toml: no total in the row of resnet50"),
    ],
)
def test_a_file_that_is_not_so_is_one_line(tmp_path, old, new, line):
    with pytest.raises(ValueError) as e:
        read(tmp_path, RESNET.replace(old, new))
    assert str(e.value).startswith(line)


def test_where_figures_were_read_is_data(tmp_path):
    """For a whole file, or for one part of it."""
    paper = read(tmp_path, RESNET.replace("[[totals]]", 'read = "a copy"\n[[totals]]'))
    assert [t.read for t in paper.totals] == ["a copy"]
    part = read(tmp_path, RESNET.replace('"Table 1"', '"Table 1"\nread = "a README"'))
    assert [t.read for t in part.totals] == ["a README"]
    assert [t.read for t in read(tmp_path, RESNET).totals] == [""]


def test_squeezenets_rows_add_up_to_its_printed_total():
    (table,), (total,) = (
        of("torchvision:squeezenet1_0") for of in (printed.tables_of, printed.totals_of)
    )
    params = [int(row["params"].replace(",", "")) for row in table.rows if row["params"]]
    assert len(params) == 10
    assert sum(params) == int(total.cells["params"].replace(",", "")) == 1_248_424


@pytest.mark.parametrize("paper", printed.papers(), ids=lambda paper: paper.name)
def test_each_printed_model_can_be_named(paper):
    figures = [*paper.totals, *paper.tables, *paper.shares]
    assert figures
    for figure in figures:
        prefix, colon, _name = figure.model.partition(":")
        assert prefix in PREFIXES if colon else prefix in names(), figure.model
        assert figure.where and figure.paper == paper.citation
