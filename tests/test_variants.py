"""Variants against one base: counts, changes, and which measured time is the shorter."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

import costlab
from costlab.analysis.variants import Condition, Lead, variants
from costlab.cli import main
from costlab.trace import Timing

ROOT = Path(costlab.__file__).parent.parent
REPORTS = ROOT / "reports"


def net(kernel, name):
    """3 -> 8 channels on 8x8: 64 * 24 * k * k MACs, 24 * k * k + 8 params."""
    return costlab.trace(
        nn.Sequential(nn.Conv2d(3, 8, kernel, padding=kernel // 2)),
        torch.zeros(1, 3, 8, 8),
        spec=name,
    )


def timing(low, median, high):
    return Timing(median, low, high, 0.0, 20)


def test_each_variant_is_counted_against_the_base():
    found = variants(net(3, "base"), [net(5, "large"), net(1, "small")])
    assert [v.name for v in (found.base, *found.others)] == ["base", "large", "small"]
    assert [v.figures["macs"] for v in found.others] == [64 * 24 * 25, 64 * 24]
    assert [v.change(found.base, "macs") for v in found.others] == [
        pytest.approx(25 / 9 - 1),
        pytest.approx(1 / 9 - 1),
    ]
    row = found.sheet.records()[1]
    assert row["version"] == "large" and row["params (elements)"] == 608
    assert found.conditions == () and found.sentences()[1] == "small: -88.9% MACs; not measured"


@pytest.mark.parametrize(
    "base, head, lead",
    [
        (timing(9, 10, 11), timing(7, 8, 8.9), Lead.FASTER),
        (timing(9, 10, 11), timing(7, 8, 9.1), Lead.NEITHER),
        (timing(9, 10, 11), timing(11.1, 12, 13), Lead.SLOWER),
        (timing(9, 10, 11), timing(10.9, 12, 13), Lead.NEITHER),
        (timing(9, 10, 11), None, None),
    ],
)
def test_a_time_is_shorter_where_the_intervals_do_not_overlap(base, head, lead):
    assert Condition("H100 fp32", base, (head,)).lead(0) is lead


def test_runs_of_one_condition_stand_beside_each_other():
    """Of the committed measurements of the worked review: two devices, two dtypes."""
    names = ("base", "asymmetric", "narrow")
    traces = [net(k, f"reports/review/backbone.py:{n}") for k, n in enumerate(names, 1)]
    runs = [costlab.Trace.load(f) for f in sorted((REPORTS / "measurements").glob("backbone*"))]
    other = costlab.Trace.load(next((REPORTS / "measurements").glob("alexnet.h100.fp32*")))
    found = variants(traces[0], traces[1:], [*runs, other])
    assert len(runs) == 12 and [c.name for c in found.conditions] == [
        f"{device} {how}, 32x3x224x224"
        for device in ("H100", "H200")
        for how in ("bf16 NHWC", "fp32 NCHW")
    ]
    by_name = {t.provenance["model"]: t.measured for t in runs[:3]}
    assert by_name and all(None not in c.variants for c in found.conditions)
    alone = variants(traces[0], traces[1:], runs[:1])
    assert alone.conditions == ()


def test_there_must_be_a_variant():
    with pytest.raises(ValueError, match="no variant to compare with the base"):
        variants(net(3, "base"), [])


def test_versions_of_one_name_are_told_apart():
    found = variants(net(3, "old/net.py:build"), [net(5, "new/net.py:build")])
    assert [found.base.name, found.others[0].name] == ["old/net.py:build", "new/net.py:build"]


@pytest.mark.slow
def test_the_worked_review_says_what_each_proposal_saves_and_costs(tmp_path, monkeypatch):
    """Its numbers come from the traces: the share of MACs, and the times that were measured."""
    monkeypatch.chdir(ROOT)
    out = tmp_path / "review.html"
    assert (
        main(["report", "--config", "reports/review.toml", "--device", "meta", "-o", str(out)]) == 0
    )
    html = out.read_text()
    specs = [f"reports/review/backbone.py:{n}" for n in ("base", "asymmetric", "narrow")]
    base, *others = (
        costlab.total(costlab.trace(costlab.load(s, ["1x3x224x224"]))).macs for s in specs
    )
    for macs in others:
        assert f"{100 * (macs / base - 1):+.1f}% MACs" in html
    runs = {
        t.provenance["model"]: t.measured.total.median
        for t in map(costlab.Trace.load, (REPORTS / "measurements").glob("backbone*.h200.bf16.*"))
    }
    assert len(runs) == 3 and "Not measured" not in html
    for name, seconds in runs.items():
        assert f"{1e3 * seconds:.3f}" in html, name


def test_a_figure_of_a_variant_is_that_of_its_trace():
    found = variants(net(3, "a"), [net(5, "b")])
    head = net(5, "b")
    assert found.others[0].figures["peak"] == costlab.memory(head).peak
    assert dataclasses.replace(found, others=()).sheet.rows[0]["MACs"] == 64 * 24 * 9
