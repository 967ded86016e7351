"""Which convention a table takes by default, and how its numbers are shortened."""

import csv
import io

import pytest
import torch
from torch import nn

import costlab
from costlab.analysis.diagram import diagram
from costlab.analysis.profile import profile
from costlab.api._models import as_trace
from costlab.cli import main
from costlab.cost import CONVENTIONS, scaled
from costlab.render import FORMATS
from costlab.tables import default_convention, table


def total_line(argv, capsys):
    assert main(["table", *argv, "--device", "meta"]) == 0
    out = capsys.readouterr().out
    (line,) = (line.split() for line in out.splitlines() if line.startswith("total"))
    return line, out


@pytest.mark.parametrize(
    "spec, params, ops, convention, why",
    [
        # torchvision's documentation: 25,557,032 params, 4.09 GFLOPS (multiply-adds)
        ("torchvision:resnet50", "25.56M", "4.09G", "macs", "as PyTorch and timm count"),
        # the same with the stride on the 1x1, and no table of params in its paper
        ("resnet50", "25.56M", "3.86G", "macs", "as PyTorch and timm count"),
        # 6,990,272 weights / 1024; 1,582,671,872 MACs / 1e6: the paper's Table 1
        ("googlenet", "6,826K", "1,583M", "paper", "where a paper prints this table"),
        # timm's results table: 61.10 M params
        ("torchvision:alexnet", "61.10M", "714.19M", "macs", "as PyTorch and timm count"),
    ],
)
def test_the_default_is_what_readers_expect(spec, params, ops, convention, why, capsys):
    line, out = total_line([spec], capsys)
    assert (params, ops) == (line[-4], line[-2])
    assert f"convention {convention}: " in out and "; the default" in out
    assert why in out


@pytest.mark.parametrize(
    "spec, convention, params",
    [
        ("torchvision:resnet50", "paper", "24,905K"),  # 25,502,912 weights / 1024
        ("googlenet", "macs", "7.00M"),  # 6,998,552 with biases
    ],
)
def test_a_convention_that_is_asked_for_is_taken_and_said(spec, convention, params, capsys):
    line, out = total_line([spec, "--convention", convention], capsys)
    assert line[-4] == params and f"convention {convention}: " in out and "; as asked for" in out


class googlenet(nn.Module):  # noqa: N801  a user's class of the same name has no printed table
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3)

    def forward(self, x):
        return self.conv1(x)


def test_a_network_is_known_by_its_provenance_and_not_by_its_name():
    trace = costlab.trace(googlenet(), torch.empty(1, 3, 8, 8))
    assert trace.provenance["model"] == "googlenet"
    assert default_convention(trace).name == "macs"


@pytest.mark.parametrize(
    "value, text",
    [
        (0, "0"),
        (512, "512"),
        (999, "999"),
        (2560, "2.56K"),
        (9_995, "9.99K"),  # round half to even of the binary fraction below 9.995
        (999_994, "999.99K"),
        (999_996, "1.00M"),  # never 1000.00K
        (25_557_032, "25.56M"),
        (4_089_184_256, "4.09G"),
        (3_200_000_000_000, "3.20T"),
        (1_234_000_000_000_000, "1,234.00T"),
        (-2560, "-2.56K"),
        (999.7, "1.00K"),
    ],
)
def test_counts_take_the_unit_that_suits_their_size(value, text):
    assert scaled(value) == text


def test_no_cell_of_a_small_layer_reads_zero():
    trace = costlab.trace(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 500)), torch.empty(1, 2))
    sheet = table(trace, "layers", depth=1).sheet
    text = FORMATS["text"](sheet)
    cells = {
        line.split()[1]: line.split() for line in text.splitlines() if line.startswith("Linear")
    }
    assert cells["0"][-4] == "9" and cells["0"][-2] == "6"  # 2 * 3 + 3 params, 2 * 3 MACs
    assert cells["1"][-4] == "2.00K" and cells["1"][-2] == "1.50K"  # 3 * 500 + 500, 3 * 500
    (first, second) = csv.DictReader(io.StringIO(FORMATS["csv"](sheet)))
    assert (first["params (elements)"], second["ops (MACs)"]) == ("9", "1500")


@pytest.mark.parametrize(
    "spec, convention, of_3a, of_all",
    [
        # module 3a: 163,328 weights; 163,696 with the 368 biases (64 + 96 + 128 + 16 + 32 + 32)
        ("googlenet", None, 163_328, 6_990_272),
        ("googlenet", "macs", 163_696, 6_998_552),
        # resnet50: 25,502,912 weights, 25,557,032 with biases and norm scales
        ("resnet50", "paper", None, 25_502_912),
        ("resnet50", None, None, 25_557_032),
    ],
)
def test_charts_and_diagrams_count_params_as_the_table_does(spec, convention, of_3a, of_all):
    trace = as_trace(spec, "table")
    rows = {r.id: r.params for r in table(trace, convention=convention, merge=False).rows}
    steps = profile(trace, convention=convention)
    drawn = diagram(trace, convention=convention)
    assert all(s.params == rows[s.id] for s in steps.steps)
    assert sum(s.params for s in steps.steps) == of_all
    assert sum(b.params for b in drawn.boxes) == of_all
    assert f"{of_all:,} params" in drawn.notes[-1]
    if of_3a:
        assert rows["inception3a"] == of_3a
        assert next(b.params for b in drawn.boxes if b.id == "inception3a") == of_3a
        opened = diagram(trace, module="inception3a", convention=convention)
        assert sum(b.params for b in opened.boxes) == of_3a


@pytest.mark.parametrize(
    "convention, params, macs, spelled",
    [
        ("paper", 163_328, 128_049_152, ("159.5K", "128.0M")),
        ("macs", 163_696, 128_049_152, ("163.70K", "128.05M")),
        ("macs", 0, 0, ("0", "0")),
        ("paper", 0, 0, ("0", "0")),
        ("paper", 6_990_272, 1_582_671_872, ("6,826K", "1,583M")),
    ],
)
def test_pictures_spell_counts_as_tables_do(convention, params, macs, spelled):
    chosen = CONVENTIONS[convention]
    assert (chosen.spell_params(params), chosen.spell_ops(macs)) == spelled
