"""The audits' verdicts come out of the solver, and agree with the recount in the reference data."""

import csv
import io
import json
import re
from contextlib import redirect_stdout
from functools import cache
from math import log2
from pathlib import Path
from typing import get_args

import pytest
from selection import slow_but

import costlab
from costlab import reference
from costlab.analysis.audit import Printed, published_models
from costlab.analysis.audit import causes as facts
from costlab.analysis.audit import chance
from costlab.analysis.audit import notes as text
from costlab.analysis.audit.conventions import RULES, Rule
from costlab.analysis.audit.result import Cell
from costlab.cli import main
from costlab.render.text import terminal


def audit(*argv):
    """What `costlab audit` prints; of a model against its published figures, run once."""
    return published(*argv) if len(argv) == 1 else printed(*argv)


def printed(*argv):
    with redirect_stdout(io.StringIO()) as out:
        assert main(["audit", *argv, "--format", "json"]) == 0
    return json.loads(out.getvalue())


published = cache(printed)


# row: (params verdict, ops verdict); exact, rounded, explained and unexplained cells are those of
# the recount in ../shared/reference/googlenet_recount.csv. Two of its verdicts are weak: 380K fits
# by one of 18 rules of which none fits another cell that is left over, and 1M has one digit.
GOOGLENET = {
    "conv 7x7/2": ("explained", "explained"),
    "conv 3x3/1": ("exact", "within rounding"),
    "inception (3a)": ("within rounding", "within rounding"),
    "inception (3b)": ("weak evidence", "within rounding"),
    **{
        f"inception ({k})": ("not explained", "within rounding")
        for k in ("4a", "4b", "4c", "4d", "4e", "5b")
    },
    "inception (5a)": ("explained", "explained"),
    "linear": ("exact", "weak evidence"),
}


def test_googlenets_verdicts_are_those_of_the_recount():
    doc = audit("googlenet")
    cells = {(r["row"], r["cell"]): r for r in doc["rows"] if r["row"] != "total"}
    assert {
        row: tuple(cells[row, kind]["verdict"] for kind in ("params", "ops")) for row, _ in cells
    } == GOOGLENET
    stem = (
        cells["conv 7x7/2", "params"]["explanation"],
        cells["conv 7x7/2", "ops"]["explanation"],
    )
    assert "separable 7x7 stem of depth multiplier 8: 2,712" in stem[0] and "34,019,328" in stem[1]
    assert {cells["inception (5a)", k]["explanation"] for k in ("params", "ops")} == {
        "consistent with 928 input channels instead of 832"
    }
    assert cells["inception (4a)", "ops"]["explanation"] == "truncated"
    assert cells["inception (4c)", "params"]["explanation"] == (
        "no convention fits; the nearest, weights only, K = 1024, rounded, is 6.9% more"
    )
    notes = " ".join(doc["notes"])
    assert (
        "params: weights only, K = 1024, truncated fits 4 of 12; so does weights + biases" in notes
        and "params: 5 of 12 cells are accounted for; weak evidence: inception (3b); not "
        "explained: inception (4a)"
        in notes
        and "ops: M = 1e6, one op a multiply-add, rounded fits most cells, 10 of 12" in notes
        and "106 of 106" in notes
        and "the table is read with a separable 7x7 stem" in notes
    )
    assert "6,998,552" not in cells and "1,498,677,248 with a separable 7x7 stem" in notes


@pytest.mark.parametrize(
    "row, kind, chance",
    [
        # 128M is 128,049,152 rounded: [127.5, 128.5) of [64, 256), two octaves
        ("inception (3a)", "ops", log2(128.5 / 127.5) / 2),
        # 73M is 73,608,192 truncated, after 74M rounded; rounded up it is 74M too
        pytest.param("inception (4a)", "ops", log2(74.5 / 72.5) / 2, marks=pytest.mark.slow),
        # 1M is 1,024,000 rounded: [0.5, 1.5)
        ("linear", "ops", log2(1.5 / 0.5) / 2),
    ],
)
def test_the_chance_counts_what_was_tried(row, kind, chance):
    found = {(r["row"], r["cell"]): r for r in audit("googlenet")["rows"]}
    assert found[row, kind]["chance"] == pytest.approx(chance)


@pytest.mark.parametrize(
    "hits, chances, at_least",
    [
        (0, [0.1, 0.2], 1.0),
        (1, [0.1, 0.2], 1 - 0.9 * 0.8),
        (2, [0.1, 0.2], 0.02),
        (3, [0.1, 0.2], 0.0),
        (2, [0.5, 0.5, 0.5], 0.5),
    ],
)
def test_the_chance_of_several_cells(hits, chances, at_least):
    assert chance.at_least(hits, chances) == pytest.approx(at_least)


def test_the_recount_in_the_reference_data_is_met():
    """Exact integers of each row, as recounted independently in the published layer table."""
    doc = audit("googlenet")
    exact = {r["row"]: r["exact"] for r in doc["rows"] if r["cell"] == "ops"}
    layers = reference.load("architectures/googlenet_caffe")
    for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        assert exact[f"inception ({name})"] == sum(
            int(r["macs"]) for r in layers if r["name"].startswith(f"{name}/")
        )


def test_bn_inception_finds_the_contradictory_cells():
    doc = audit("bn_inception")
    rows = [r for r in doc["rows"] if r["row"] != "total"]
    assert {r["verdict"] for r in rows} == {"not explained"}
    assert {(r["row"], r["cell"]): r["explanation"] for r in rows} == {
        ("conv 3x3/1", "depth"): "the row is 2 layers deep",
        ("inception (3c)", "output size"): "the printed grid is that of the row's input",
        **{
            (f"inception ({k})", "output size"): f"the printed filters add up to {n} channels"
            for k, n in (("4c", 608), ("4d", 608), ("4e", 1056))
        },
    }
    assert [r["verdict"] for r in doc["rows"] if r["row"] == "total"] == [
        "not explained",
        "weak evidence",
    ]


@pytest.mark.parametrize(
    "model, paper, verdicts",
    [
        ("alexnet", "ImageNet Classification", ["within rounding", "within rounding"]),
        ("vgg16", "Very Deep", ["within rounding"]),
        ("vgg16", "Deep Residual", ["explained"]),  # the convolutions alone
        ("vgg19", "Very Deep", ["within rounding"]),
        ("vgg19", "Deep Residual", ["within rounding"]),
        ("resnet50", "Deep Residual", ["within rounding"]),
        ("resnet152", "Deep Residual", ["within rounding"]),
        ("inception_v2", "Rethinking", ["not explained"]),
        # 5.713G is neither 4.8 nor 5 billion
        ("inception_v3", "Rethinking", ["not explained", "not explained"]),
        ("googlenet", "Rethinking", ["not explained"]),  # 6.999M is not 5M
        ("googlenet", "Going Deeper", ["explained"]),  # 1.498G with the stem of its own table
    ],
)
def test_published_totals_are_reproduced_or_explained(model, paper, verdicts):
    doc = audit(model)
    totals = [r for r in doc["rows"] if r["row"] == "total" and paper in r["explanation"]]
    assert [r["verdict"] for r in totals] == verdicts


def test_inception_v2s_printed_grids_are_all_met():
    assert "structure: 21 of 21 printed cells" in " ".join(audit("inception_v2")["notes"])


def test_a_submitted_table_is_checked_against_its_code(tmp_path):
    rows = [
        {
            "type": r["type"],
            "output size": r["output_size"],
            "#3x3": r["n3x3"],
            "params": r["params"],
            "ops": r["ops"],
        }
        for r in reference.load("googlenet_table1")
    ]
    rows[4]["#3x3"], rows[5]["ops"] = "129", "340M"
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader(), writer.writerows(rows)
    file = tmp_path / "submitted.csv"
    file.write_text(out.getvalue())
    doc = audit("googlenet", "--against", str(file))
    bad = {(r["row"], r["cell"]): r["verdict"] for r in doc["rows"]}
    assert (
        bad["inception (3a)", "#3x3".strip("#")] == bad["inception (3b)", "ops"] == "not explained"
    )


@pytest.mark.parametrize(
    "text, line",
    [
        ("type,params\nconvolution,lots\n", "cannot read the number 'lots'"),
        ("", "has no table"),
        ("a,b\n1,2\n", "no column has figures to check"),
    ],
)
def test_a_bad_csv_is_one_line(tmp_path, capsys, text, line):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    assert main(["audit", "googlenet", "--against", str(file)]) == 2
    err = capsys.readouterr().err
    assert line in err and str(file) in err and err.count("\n") == 1


def test_a_table_of_layers_that_the_model_has_not_is_one_line(tmp_path, capsys):
    file = tmp_path / "t.csv"
    file.write_text("type,params\nlinear,1M\n")
    assert main(["audit", "nin", "--against", str(file)]) == 2  # convolutions alone
    assert "no printed row has a counterpart" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text, verdicts",
    [
        ("params,ops\n60M,0.72G\n", ["within rounding", "within rounding"]),
        ("type,params,ops\ntotal,62M,0.7B\n", ["not explained", "weak evidence"]),
        ("model,params,neurons\nalexnet,61.0 million,650K\n", ["within rounding"] * 2),
        ("quantity,printed\nparams,60.9M\nops,724 MMACs\n", ["within rounding"] * 2),
        # 60,965,224, and 724,406,816 to two digits; zeros that are said to be significant are
        ("params,ops\n61000K,720M\n", ["within rounding"] * 2),
        ("params,ops\n61000K (5 digits),720M (3 digits)\n", ["not explained", "explained"]),
        ("params (M),FLOPs (G)\n60.97,0.724\n", ["within rounding", "within rounding"]),
        # with a layer the total is one more cell under the table's convention
        ("type,params,ops\nconvolution,35K,105M\nTotal,61M,724M\n", ["within rounding"] * 4),
        ("type,params,ops\nconvolution,35K,105M\nTotal,50M,724M\n", ["within rounding"] * 2
         + ["not explained", "within rounding"]),
    ],
)  # fmt: skip
def test_totals_are_checked_alone_and_below_a_table(tmp_path, text, verdicts):
    file = tmp_path / "t.csv"
    file.write_text(text)
    doc = audit("alexnet", "--against", str(file))
    assert [r["verdict"] for r in doc["rows"]] == verdicts


def test_grids_alone_find_their_rows(tmp_path):
    """Table 1 of the ResNet paper prints grids without channels; conv4_x is 14x14."""
    file = tmp_path / "t.csv"
    lines = ["conv1,112x112", "conv2_x,56 × 56", "conv3_x,28x28", "conv4_x,14x14", "conv5_x,7x7"]
    file.write_text("\n".join(["layer name,output size", *lines]))
    doc = audit("resnet50", "--against", str(file))
    assert doc["rows"] == [] and "structure: 5 of 5" in " ".join(doc["notes"])
    file.write_text(file.read_text().replace("14x14", "15x15"))
    (wrong,) = audit("resnet50", "--against", str(file))["rows"]
    assert (wrong["row"], wrong["printed"], wrong["verdict"]) == (
        "conv4_x",
        "15x15",
        "not explained",
    )


def test_check_makes_what_is_not_explained_an_exit_code(tmp_path, capsys):
    file = tmp_path / "t.csv"
    file.write_text("params,ops\n60M,0.72G\n")
    assert main(["audit", "alexnet", "--against", str(file), "--check"]) == 0
    file.write_text("params,ops\n66M,0.72G\n")
    assert main(["audit", "alexnet", "--against", str(file), "--check"]) == 1
    assert main(["audit", "alexnet", "--against", str(file)]) == 0
    assert "not explained" in capsys.readouterr().out


def test_bias_additions_may_count_as_ops(tmp_path):
    """AlexNet's conv2: 223,948,800 MACs, and a bias for each of 256 x 27 x 27 = 186,624 outputs."""
    file = tmp_path / "t.csv"
    rows = {"55x55x96": 105415200 + 290400, "27x27x256": 223948800 + 186624}
    lines = "".join(f"convolution,{size},{ops}\n" for size, ops in rows.items())
    file.write_text(f"type,output size,ops\n{lines}")
    doc = audit("alexnet", "--against", str(file))
    assert {r["verdict"] for r in doc["rows"]} == {"exact"}
    assert "one a bias addition" in " ".join(doc["notes"])


def test_an_audit_can_be_read_in_80_columns():
    for model in ("googlenet", "bn_inception"):
        out = io.StringIO()
        terminal(costlab.audit(model).sheet, file=out, width=80)
        lines = out.getvalue().splitlines()
        assert max(map(len, lines)) <= 80
        body = [line for line in lines if line.startswith(("inception (", "total  "))]
        assert len(body) >= 5 and not any("..." in line for line in body)


def test_a_model_without_published_figures_says_so(capsys):
    assert (
        main(["audit", "nin"]) == 2
        and "no published figures for nin; there are some for alexnet" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "text, exact, base, rounding, fits",
    [
        ("159K", 163328, 1024, "truncated", True),
        ("159K", 163328, 1024, "rounded", False),
        ("2.7K", 2712, 1000, "rounded", True),
        ("3.8e9", 3857973248, 1000, "truncated", True),
        ("1,024", 1024, 1000, "rounded", True),
        ("1.5G", 1582671872, 1000, "rounded", False),
    ],
)
def test_a_printed_number_fits_under_its_rounding_alone(text, exact, base, rounding, fits):
    number = Printed.parse(text)
    assert number is not None and number.fits(exact, base, rounding) is fits


@pytest.mark.parametrize(
    "text, readings",
    [
        # in units of the last significant digit
        ("15300M", [15300, 153]),
        ("15300M (3 digits)", [153]),
        ("650,000 (2 digits)", [65]),
        ("650K", [650, 65]),
        ("100.0M", [1000]),
        ("3.80e9", [380]),
        ("27.2 M", [272]),
        ("0", [0]),
        ("5M", [5]),
    ],
)
def test_zeros_at_the_end_may_be_significant(text, readings):
    number = Printed.parse(text)
    assert number is not None and [n.last_digits for n in number.readings] == readings


def test_vgg16s_15300_million_is_its_convolutions_to_three_digits():
    """15,346,630,656 multiply-adds in convolutions; with the linear layers 15,470,264,320."""
    rows = [r for r in audit("vgg16")["rows"] if r["printed"] == "15300M"]
    assert [(r["verdict"], r["explanation"]) for r in rows] == [
        (
            "explained",
            "convolutions alone: 15,346,630,656 under M = 1e6, one op a multiply-add, rounded to 3 "
            "digits; Howard et al. 2017, MobileNets (arXiv:1704.04861), Table 8",
        )
    ]


@pytest.mark.parametrize(
    "model",
    slow_but(
        {"googlenet", "alexnet"}, ["googlenet", "vgg16", "resnet50", "alexnet", "inception_v2"]
    ),
)
@pytest.mark.parametrize("convention", ["paper", "macs"])
def test_costlabs_own_table_is_exact(tmp_path, model, convention):
    """In every style, by the names and headers that `costlab table` writes."""
    file = tmp_path / "t.csv"
    assert main(["table", model, "--convention", convention, "-o", str(file)]) == 0
    found = audit(model, "--against", str(file))["rows"]
    numbers = [r for r in found if r["cell"] in ("params", "ops")]
    assert len(numbers) >= 16 and {r["verdict"] for r in found} == {"exact"}


@pytest.mark.parametrize(
    "cells, header",
    slow_but(
        ("0.16,128", "159K,128M", "1.6e5,1.3e8"),
        [
            ("0.16,128", "Params (M),MACs (M)"),
            ("159K,128M", "#params,Mult-Adds"),
            ("159,256M", "PARAMS (K),FLOPs"),
            ("1.6e5,1.3e8", "params,ops"),
            ("0.16e6,0.13e9", "params,ops"),
        ],
    ),
)
def test_columns_and_numbers_as_papers_write_them(tmp_path, header, cells, capsys):
    file = tmp_path / "t.csv"
    file.write_text(f"type,{header}\ninception (3a),{cells}\n")
    assert main(["audit", "googlenet", "--against", str(file), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["rows"]
    assert [r["cell"] for r in found] == ["params", "ops"] and all(
        r["verdict"] != "not explained" for r in found
    )


@pytest.mark.parametrize("cells", slow_but(("0.21M,73.6M",), ["0.21M,", "0.30M,", "0.21M,73.6M"]))
def test_a_wrong_number_is_not_explained_by_an_invented_width(tmp_path, cells, capsys):
    file = tmp_path / "t.csv"
    file.write_text(f"type,params,ops\ninception (4a),{cells}\n")
    assert main(["audit", "googlenet", "--against", str(file), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["verdict"] == "not explained"


@pytest.mark.parametrize(
    "cell",
    slow_but(
        ("1e15", "1,2,3", "3K (two digits)"),
        ["1e15", "9" * 500, ",", "1.2.3K", "1,2,3", "12,34K", "3K (two digits)"],
    ),
)
def test_what_is_no_number_is_said(tmp_path, cell, capsys):
    file = tmp_path / "t.csv"
    file.write_text(f'type,params\ninception (3a),"{cell}"\n')
    assert main(["audit", "googlenet", "--against", str(file)]) == 2
    assert "cannot read the number" in capsys.readouterr().err


@pytest.mark.parametrize(
    "cell, verdict",
    slow_but(
        ("305M", "0.3G", "240M"),
        [
            ("304M", "within rounding"),
            ("0.3G", "weak evidence"),
            ("305M", "within rounding"),
            ("1B", "not explained"),
            ("0.1G", "not explained"),
            ("200M", "not explained"),
            ("240M", "not explained"),
        ],
    ),
)
def test_one_printed_digit_does_not_fit_whatever_it_is(tmp_path, capsys, cell, verdict):
    """3b has 304,267,264: cut off or rounded up it may be off by a tenth, not by two thirds."""
    file = tmp_path / "t.csv"
    file.write_text(
        f"type,ops\nconvolution,118M\nconvolution,360M\ninception (3b),{cell}\nlinear,1M\n"
    )
    assert main(["audit", "googlenet", "--against", str(file), "--format", "json"]) == 0
    found = {r["row"]: r["verdict"] for r in json.loads(capsys.readouterr().out)["rows"]}
    assert found["inception (3b)"] == verdict


def test_ops_are_audited_at_the_printed_input_alone():
    doc = audit("resnet50", "--input", "2x3x224x224")
    assert (
        doc["rows"] == []
        and "ops and sizes are printed for an input of 1x3x224x224 "
        "and not compared with those of 2x3x224x224"
        in doc["notes"]
    )
    doc = audit("googlenet", "--input", "8x3x224x224")
    assert {r["cell"] for r in doc["rows"]} == {"params"} and {
        r["row"]: r["verdict"] for r in doc["rows"]
    }["inception (5a)"] != ""


def test_a_row_that_is_not_there_is_said_to_be_missing(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(
        "type,output size,params,ops\n"
        "convolution,112x112x64,9.2K,118M\n"
        "inception (3a),28x28x256,159K,128M\n"
        "inception (9z),28x28x256,163K,128M\n"
    )
    rows = audit("googlenet", "--against", str(file))["rows"]
    assert [
        (r["cell"], r["explanation"]) for r in rows if r["row"].startswith("inception (9z)")
    ] == [("row", "the trace has no such row here")]


OPS = Rule("ops", 1000, "rounded", factor=2)
CAUSES = {
    facts.Rounded("truncated"): "truncated",
    facts.OtherReading("a stem", 2712, Rule("params", 1000, "rounded")): (
        "a stem: 2,712 under weights only, K = 1000, rounded"
    ),
    facts.OtherWidth(928, 832): "consistent with 928 input channels instead of 832",
    facts.OtherConvention(OPS, 2, 5): (
        "another convention, M = 1e6, two ops a multiply-add, rounded, fits 2 of the 5 cells that "
        "the table's convention does not fit"
    ),
    facts.Rounded("truncated", 2): "truncated to 2 digits",
    facts.NoConvention(OPS, -0.25): (
        "no convention fits; the nearest, M = 1e6, two ops a multiply-add, rounded, is 25.0% more"
    ),
    facts.MissingRow(): "the trace has no such row here",
    facts.InputGrid(): "the printed grid is that of the row's input",
    facts.LayerCount(2): "the row is 2 layers deep",
    facts.FilterSum(608): "the printed filters add up to 608 channels",
}


@pytest.mark.parametrize("cause, words", CAUSES.items(), ids=lambda v: type(v).__name__)
def test_a_cause_is_worded_with_its_numbers_and_its_place(cause, words):
    finding = facts.Finding(facts.Verdict.EXPLAINED, cause)
    cell = Cell("conv1", "ops", "34M", 34019328, finding, where="Section 5")
    assert text.explanation(cell) == f"{words}; Section 5"


def test_every_cause_is_worded_and_every_rule_is_told_apart():
    assert {type(c) for c in CAUSES} == set(get_args(facts.Cause))
    rules = [rule for kind in RULES.values() for rule in kind]
    assert len({text.convention(rule) for rule in rules}) == len(rules) == 18 + 24


# what the page on costlab audit shows of: the tables that print params or filters, and all totals
SHOWN_TABLES = {"googlenet": "Table 1", "bn_inception": "Figure 5"}


def shown_row(name, equal, cells):
    """The page's row of a printed source, None where all of it is accounted for."""
    accounted = equal + sum(c.accounted for c in cells)
    if accounted == equal + len(cells):
        return None
    left = (
        ", ".join(c.printed for c in cells if c.finding.verdict is verdict) or "none"
        for verdict in (facts.Verdict.WEAK, facts.Verdict.UNEXPLAINED)
    )
    return f"| {name} | {accounted} of {equal + len(cells)} | {' | '.join(left)} |"


@pytest.mark.slow
def test_the_page_names_every_cell_of_the_zoo_that_is_not_accounted_for():
    expected = []
    for model in (name for name in published_models() if ":" not in name):
        found = costlab.audit(model)
        equal = found.structure.equal if found.structure else 0
        if model in SHOWN_TABLES:
            cells = [c for c in found.cells if not c.where]
            expected.append(shown_row(f"`{model}`, {SHOWN_TABLES[model]}", equal, cells))
        totals = [c for c in found.cells if c.where]
        expected.append(shown_row(f"`{model}`, totals", 0, totals))
    lines = Path(__file__).parents[1].joinpath("docs/commands/audit.md").read_text().splitlines()
    shown = [line for line in lines if re.match(r"\| `\w+`, (Table 1|Figure 5|totals) \|", line)]
    assert len(shown) >= 5 and sorted(shown) == sorted(filter(None, expected))


def test_a_column_that_nothing_is_compared_with_is_named(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text(
        "type,output size,MFLOPs,latency,top-1\n"
        "convolution,112x112x64,118,0.3,\n"
        "inception (3a),28x28x256,128,0.4,\n"
    )
    doc = audit("googlenet", "--against", str(file))
    assert [r["cell"] for r in doc["rows"]] == ["ops", "ops"]  # 128M of Table 1, in millions
    (note,) = [n for n in doc["notes"] if n.startswith("not compared")]
    assert note.startswith("not compared: latency; ")


@pytest.mark.parametrize("header", ["ops (M)", "M ops", "MMACs", "MFLOPs", "mult-adds (million)"])
def test_a_header_may_name_the_unit(tmp_path, header):
    file = tmp_path / "t.csv"
    file.write_text(f"type,{header}\ninception (3a),128\ninception (3b),304\n")
    rows = audit("googlenet", "--against", str(file))["rows"]
    assert [(r["cell"], r["printed"], r["verdict"]) for r in rows] == [
        ("ops", "128M", "within rounding"),
        ("ops", "304M", "within rounding"),
    ]
