"""What rules save in multiply-adds against what they save in measured time."""

from dataclasses import replace
from pathlib import Path

import pytest
from selection import MEASURED

from costlab.analysis.savings import (
    Saving,
    Savings,
    Side,
    factorization_savings,
    front_first,
    further_sheet,
    grid_savings,
)
from costlab.analysis.times import times
from costlab.cli import main
from costlab.measure.naming import RunName
from costlab.measure.runs import find_run, load_runs, runs_on
from costlab.trace import Timing, Trace

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "reports" / "measurements"
BASE = "3x3 convolution, then pool"


@pytest.fixture(scope="module")
def runs():
    return load_runs(FOLDER)


def side(macs, median, half=0.0, **more):
    time = Timing(median, median - half, median + half, half, 20)
    values = {"steps": 1, "counted": median, "memory_bound": 0.0, "uncounted": 0.0}
    return Side(macs, 2 * macs, time, 1e12, 1e11, **{**values, "intensity": 100.0, **more})


@pytest.mark.parametrize(
    "after, half, saved, interval, apart, drift",
    [
        (0.5, 0.0, 0.5, (0.5, 0.5), True, False),
        # 1 - 0.55 / 0.95 and 1 - 0.45 / 1.05
        (0.5, 0.05, 0.5, (1 - 0.55 / 0.95, 1 - 0.45 / 1.05), True, False),
        (2.0, 0.0, -1.0, (-1.0, -1.0), True, False),
        (0.98, 0.0, 0.02, (0.02, 0.02), True, True),  # below 3%
        (0.95, 0.05, 0.05, (1 - 1.0 / 0.95, 1 - 0.9 / 1.05), False, True),
    ],
)
def test_time_saved_and_its_interval(after, half, saved, interval, apart, drift):
    rule = Saving("a -> b", side(1000, 1.0, half), side(500, after, half))
    assert rule.macs_saved == 0.5
    assert rule.time_saved == pytest.approx(saved)
    assert rule.interval == pytest.approx(interval)
    assert (rule.apart, rule.may_be_drift) == (apart, drift)


@pytest.mark.parametrize(
    "after, words",
    [
        ({"uncounted": 0.4, "counted": 0.6}, "40% of its time is in operations without"),
        ({"memory_bound": 0.9}, "memory-bound (100 FLOPs a byte, the ridge is at 10)"),
        ({"counted": 0.7, "steps": 3}, "30% of its time is launch and gaps between 3 operations"),
        ({}, "so the choice of kernels decides"),
    ],
)
def test_the_reason_is_the_largest_part_of_the_time(after, words):
    rule = Saving("a -> b", side(10**12, 2.5), side(10**11, 1.0, **after))
    assert words in rule.why and "reaches 80% of the ceiling" in rule.why


def test_a_kernel_above_the_ceiling_multiplies_less():
    rule = Saving("a -> b", side(10**12, 1.0), side(10**12, 4.0))
    assert "200% of the ceiling for matrix products (its kernel multiplies less" in rule.why


def test_runs_are_found_by_what_is_inside(runs):
    name = find_run(runs, "googlenet").name
    assert (name.dtype, name.layout, name.inputs) == ("fp32", "nchw", "1x3x224x224")
    assert {r.name.device for r in runs_on(runs, "h200 fp32")} == {"h200"}
    with pytest.raises(ValueError, match="'b200'; there are bf16, fp32, h100"):
        runs_on(runs, "b200")


def sentences(runs):
    """The sentences of the page on time, from the traces."""
    lines = []
    for words, inputs, name in (
        ("h200 fp32", "32x64x28x28", "5x5 -> 3x3 + 3x3"),
        ("h100 fp32", "32x64x28x28", "5x5 -> 3x3 + 3x3"),
        ("h100 bf16", "32x256x28x28", "5x5 -> 3x3 + 3x3"),
        ("h200 fp32", "32x64x28x28", "7x7 -> three 3x3"),
    ):
        found = factorization_savings(runs_on(runs, words))
        lines.append(_sentence(next(s for s in found if s.run.inputs == inputs), name))
    (grid,) = grid_savings(runs_on(runs, "h200 fp32"))
    lines.append(_sentence(grid, "stride-2 3x3 beside the pool"))
    rule = grid.find("stride-2 3x3 beside the pool")
    times = rule.before.time.median / rule.after.time.median
    lines[-1] = lines[-1].removesuffix(".") + f": {times:.1f} times as fast as {BASE}."
    return lines


def _sentence(savings, name):
    rule = savings.find(name)
    low, high = sorted(abs(100 * v) for v in rule.interval)
    change = "less" if rule.time_saved > 0 else "more"
    return (
        f"- **{name}** ({savings.conditions}): {rule.macs_saved:.0%} fewer multiply-adds, "
        f"{abs(rule.time_saved):.0%} {change} time (interval {low:.1f}% to {high:.1f}%)."
    )


def test_the_page_on_time_says_what_the_traces_give(runs):
    said = (ROOT / "docs/explanation/time.md").read_text()
    for sentence in sentences(runs):
        assert sentence in said


def test_the_finding(runs):
    every = factorization_savings(runs_on(runs, "h200 fp32"))
    found = next(s for s in every if s.run.inputs == "32x64x28x28")
    rule = found.find("5x5 -> 3x3 + 3x3")
    assert rule.macs_saved == pytest.approx(0.28)  # 1 - 18 / 25
    assert round(rule.time_saved, 3) == -1.104 and rule.apart


@pytest.mark.slow
def test_chart_of_measured_savings(tmp_path, capsys):
    for kind in ("savings", "grid"):
        out = tmp_path / f"{kind}.svg"
        argv = ["chart", kind, "--measured", str(FOLDER), "--on", "h200", "-o", str(out)]
        assert main(argv) == 0
        assert "NVIDIA H200, fp32, NCHW" in out.read_text()
        assert "NVIDIA H200, fp32, NCHW" in out.with_suffix(".csv").read_text()
    for more, words in (
        (["--measured", str(FOLDER), "--on", "b200"], "no run was measured on 'b200'"),
        (["--measured", str(tmp_path / "none")], "there is no folder"),
        (["--measured", str(tmp_path)], "has no rule"),
        (["--on", "h100"], "add --measured"),
        (["--measured", str(FOLDER), "--c-in", "3"], "leave out the widths"),
    ):
        assert main(["chart", "savings", *more, "-o", str(tmp_path / "x.svg")]) == 2
        assert words in capsys.readouterr().err and not (tmp_path / "x.svg").exists()


def test_the_front_conditions_stand_first_and_the_others_are_a_column_each(runs):
    front, *further = front_first(factorization_savings(runs))
    assert front.conditions == "NVIDIA H200, fp32, NCHW, 32x64x28x28"
    sheet = further_sheet(further)
    assert [c.key for c in sheet.columns] == [
        "rule",
        "MACs saved, 64 channels",
        "H100 fp32 NCHW, 64 channels",
        "MACs saved, 256 channels",
        "H100 fp32 NCHW, 256 channels",
        "H200 fp32 NCHW, 256 channels",
        "H100 bf16 NHWC, 64 channels",
        "H200 bf16 NHWC, 64 channels",
        "H100 bf16 NHWC, 256 channels",
        "H200 bf16 NHWC, 256 channels",
    ]
    for savings in further:
        key = f"{savings.short_conditions}, {savings.run.inputs.split('x')[1]} channels"
        for row in sheet.rows:
            assert row[key] == savings.find(row["rule"]).time_saved


def test_inputs_with_the_same_channels_are_told_apart_by_their_shape():
    def measured(inputs):
        run = RunName("5x5", "h100", "fp32", "nchw", inputs)
        return Savings(run, "NVIDIA H100", (Saving("a -> b", side(4, 1.0), side(2, 0.5)),))

    sheet = further_sheet([measured("1x64x28x28"), measured("8x64x28x28")])
    assert sheet.columns[2].key == "H100 fp32 NCHW, 1x64x28x28"
    assert sheet.columns[4].key == "H100 fp32 NCHW, 8x64x28x28"


def test_a_second_side_that_reaches_as_much_is_said_to_follow_the_multiply_adds():
    rule = Saving("a -> b", side(10**11, 1.0), side(10**10, 0.1))
    assert rule.cause.endswith("so the time follows the multiply-adds")


def test_measured_times_of_two_files_of_one_name_are_told_apart():
    trace = Trace.load(next(MEASURED.glob("*.h100.fp32.nchw.*.trace")))
    models = [f"/nets/{folder}/net.py:f" for folder in ("old", "new", "new")]
    runs = [replace(trace, provenance={**trace.provenance, "model": m}) for m in models]
    names = [run.name for run in times(runs).runs]
    assert names == ["old/net.py:f", "new/net.py:f", "new/net.py:f"]
