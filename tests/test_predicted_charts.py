"""Charts of changes with predicted times: what they show, and that it can be read."""

import pytest
from selection import slow_but
from test_charts import WIDTHS, drawn, faults, texts, traced
from test_predicted import Calibrated

import costlab
from costlab.cli import main
from costlab.predict import milliseconds, predicted, spell_estimate
from costlab.render import charts

PROFILES = {"calibrated": Calibrated(), "datasheet": "l4"}


def change(base, head, profile):
    return costlab.diff(*(predicted(traced(name), profile) for name in (base, head)))


@pytest.mark.parametrize("theme", slow_but(("light",), ["light", "dark"]))
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("profile", slow_but(("calibrated",), PROFILES))
def test_the_text_of_charts_with_times_can_be_read(profile, width, theme):
    profile, look = PROFILES[profile], charts.look(width, theme)
    waterfall = change("resnet50", "googlenet", profile)
    assert list(faults(drawn("waterfall", (waterfall,), look))) == []
    for case in ({}, {"c_in": 2, "c_out": 64}):
        results = costlab.rules(**case, profile=profile).chart().results
        assert list(faults(drawn("savings", results, look))) == []


def words(fig):
    """The texts of a figure, each in one line."""
    return [" ".join(t.get_text().split()) for t, _ in texts(fig)]


@pytest.mark.parametrize("width", ["3.3in", "6.7in"])
def test_a_waterfall_has_milliseconds_with_intervals(width):
    """VGG-19 has three convolutions and their ReLUs more than VGG-16. Each row has the time of its
    block, base and head those of the networks, and each of the six an interval."""
    found = change("vgg16", "vgg19", PROFILES["calibrated"])
    fig = drawn("waterfall", (found,), charts.look(width))
    macs, times = fig.axes
    assert "ms (predicted) on Device 1, fp32, with 90% intervals" in words(fig)
    assert sum(line.get_gid() == "interval" for line in macs.lines) == 0
    assert sum(line.get_gid() == "interval" for line in times.lines) == 2 + len(found.differing)
    shown = words(fig)
    for side in (found.time.before, found.time.after):
        assert spell_estimate(side) in shown
    for step in found.differing:
        assert f"+{milliseconds(-step.time.saved.seconds)}" in shown
    whole = sum(step.time.saved.seconds for step in found.steps)
    assert found.time.saved.seconds == pytest.approx(whole)


def test_a_waterfall_by_a_datasheet_has_the_bound_of_both_and_of_no_difference():
    found = change("vgg16", "vgg19", "l4")
    fig = drawn("waterfall", (found,), charts.look())
    assert len(fig.axes) == 1 and found.time is None
    assert sum("ms (at least)" in text for text in words(fig)) == 2


def test_a_chart_of_savings_has_the_milliseconds_saved():
    table = costlab.rules(profile=PROFILES["calibrated"])
    fig = drawn("savings", table.chart().results, charts.look())
    assert len(fig.axes) == 3
    shown = words(fig)
    assert "ms (predicted) saved, with 90% intervals, Device 1, fp32" in shown
    for rule in table.rules:
        assert any(text.startswith(spell_estimate(rule.time.saved)) for text in shown)
    undecided = [r for r in table.rules if r.time.outcome == "not decided"]
    assert sum(text.endswith(", not decided") for text in shown) == len(undecided)
    bounds = costlab.rules(profile="l4")
    shown = words(drawn("savings", bounds.chart().results, charts.look()))
    for rule in bounds.rules:
        sides = (milliseconds(e.low) for e in (rule.time.before, rule.time.after))
        assert ", then ".join(sides) in shown


def test_charts_of_changes_take_a_profile(tmp_path):
    out = str(tmp_path / "w.svg")
    argv = ["vgg16", "vgg19", "--profile", "l4", "-o", out]
    assert main(["chart", "waterfall", *argv]) == 0
    assert "least time base (ms)" in (tmp_path / "w.csv").read_text().splitlines()[0]
    assert main(["chart", "savings", "--profile", "l4", "-o", out]) == 0
    assert "at least, before (ms)" in (tmp_path / "w.csv").read_text().splitlines()[0]
