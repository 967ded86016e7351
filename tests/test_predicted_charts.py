"""Charts of changes with predicted times: what they show, and that it can be read."""

from dataclasses import replace

import pytest
from selection import slow_but
from test_charts import WIDTHS, drawn, faults, texts, traced
from test_predicted import Calibrated

import costlab
from costlab.analysis.diagram import compared, diagram
from costlab.analysis.sweep import Outcome
from costlab.cli import main
from costlab.predict import milliseconds, predicted, prediction_of, spell_estimate
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


def with_times(kind, profile, width="6.7in"):
    """A chart whose times have no panel with a title of its own, drawn."""
    traces = [predicted(traced(name), profile) for name in ("alexnet", "googlenet")]
    results = {
        "stages": lambda: costlab.profile(traces[1]),
        "cumulative": lambda: costlab.profile(traces[1]).in_order,
        "comparison": lambda: costlab.compare(*traces),
        "grid": lambda: costlab.grid(profile=profile),
    }
    return drawn(kind, (results[kind](),), charts.look(width))


KINDS = {"stages": ", with 90% intervals", "cumulative": "", "comparison": "", "grid": ""}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", WIDTHS)
def test_charts_say_of_which_device_times_are(kind, width):
    fig = with_times(kind, PROFILES["calibrated"], width)
    assert list(faults(fig)) == []
    [title] = [t for t in words(fig) if "; ms (predicted)" in t]
    assert title.endswith(f"; ms (predicted) on Device 1, fp32{KINDS[kind]}")
    fig = with_times(kind, "l4", width)
    assert any(t.endswith("; ms (at least) on NVIDIA L4 24GB, fp32") for t in words(fig))
    assert not any("intervals" in t for t in words(fig))


def test_the_stages_have_the_times_of_the_table_with_their_intervals():
    profile = costlab.profile(predicted(traced("alexnet"), PROFILES["calibrated"]))
    ax = drawn("stages", (profile,), charts.look()).axes[-1]
    ends = [tuple(line.get_xdata()) for line in ax.lines if line.get_gid() == "interval"]
    assert ends == [(s.predicted.low, s.predicted.high) for s in profile.steps]
    assert [t.get_text() for t in ax.texts] == [
        milliseconds(s.predicted.seconds) for s in profile.steps
    ]
    bounds = costlab.profile(predicted(traced("alexnet"), "h100"))
    ax = drawn("stages", (bounds,), charts.look()).axes[-1]
    assert not any(line.get_gid() == "interval" for line in ax.lines)
    assert [t.get_text() for t in ax.texts] == [milliseconds(s.predicted.low) for s in bounds.steps]
    assert "<0.00001" in [t.get_text() for t in ax.texts]  # and not 9.4e-06


def test_schemes_of_the_same_macs_have_times_of_their_own():
    found = costlab.grid(profile=PROFILES["calibrated"])
    first, second, *rest = found.schemes
    same = replace(found, schemes=(first, replace(second, macs=first.macs), *rest))
    shown = words(drawn("grid", (same,), charts.look()))
    for scheme in (first, second):
        whole = prediction_of(scheme.trace).total.seconds
        assert any(text.endswith(f"{milliseconds(whole)} ms (predicted)") for text in shown)


def test_points_of_a_sweep_are_inside_its_scales():
    """Also where the values are nearly the same, as memory is over the batch."""
    sweep = costlab.sweep("alexnet", over={"batch": [1]}, profile="h100")
    [outcome] = sweep.outcomes
    larger = {**outcome.configuration, "batch": 2}, {**outcome.result, "memory": 1.01e9}
    sweep = replace(sweep, outcomes=(outcome, Outcome(*larger)))
    for ax in drawn("sweep", (sweep,), charts.look()).axes:
        for line in ax.lines:
            assert max(line.get_xdata()) < 0.96 * ax.get_xlim()[1]
            assert max(line.get_ydata()) < 0.96 * ax.get_ylim()[1]


def test_pairs_of_diagrams_say_what_the_whole_takes_and_on_which_device():
    pair = [predicted(traced(name), PROFILES["calibrated"]) for name in ("resnet18", "resnet34")]
    for trace, d in zip(pair, compared(*pair), strict=True):
        whole = spell_estimate(prediction_of(trace).total)
        assert d.notes[-1] == f"{whole} ms (predicted) on Device 1, fp32"
    for d in compared(*(predicted(t, "l4") for t in pair), module="conv3_x"):
        assert d.notes[-1] == "ms (at least) on NVIDIA L4 24GB, fp32"
    # in the paper style no box has a time
    assert not any("ms (" in note for note in diagram(pair[0], style="paper").notes)
    assert any("ms (" in note for note in diagram(pair[0]).notes)
