"""Times by a profile, wherever they are shown. The profile here is a stand-in for a calibrated one:
an operation takes 2 us and a nanosecond for each thousand FLOPs, 10% less to 20% more."""

import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

import costlab
from costlab.analysis.diagram import diagram
from costlab.cli import main
from costlab.cost import cost_of, total
from costlab.measure.stages import Stages
from costlab.predict import (
    ChosenProfile,
    Estimate,
    Prediction,
    ProfileFacts,
    as_profile,
    milliseconds,
    predicted,
    prediction_of,
    saved_time,
    saving_of,
)
from costlab.predict import device_file


ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Calibrated:
    """2 us an operation, and 1 TFLOP/s."""

    warning: str = ""

    def predict(self, trace, *, dtype=None, layout=None):
        facts = ProfileFacts(
            "Device 1",
            "calibrated",
            dtype or "fp32",
            layout or "contiguous",
            "2026-11-27",
            "1.device",
        )
        seconds = [2e-6 + cost_of(trace, op).flops / 1e12 for op in trace.ops]
        ops = tuple(Estimate(0.9 * s, s, 1.2 * s) for s in seconds)
        return Prediction(facts, ops, warnings=(self.warning,) if self.warning else ())


@pytest.fixture
def device(monkeypatch, tmp_path):
    """The name of a file that is read as the stand-in."""
    monkeypatch.setattr(device_file, "read_device", lambda path: Calibrated())
    file = tmp_path / "one.device"
    file.touch()
    return str(file)


def model_time(name: str) -> float:
    """Seconds of a model by the stand-in."""
    trace = costlab.trace(name)
    return 2e-6 * len(trace.ops) + total(trace).flops / 1e12


def records(capsys, *argv, code=0):
    """The rows of a command's CSV."""
    assert main([*argv, "--format", "csv", "-q"]) == code
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_a_table_has_a_column_and_the_whole_model_in_it():
    table = costlab.table("alexnet", profile=Calibrated())
    seconds = model_time("alexnet")
    assert prediction_of(costlab.trace("alexnet")) is None
    assert table.totals["predicted"] == pytest.approx(1e3 * seconds)
    assert table.totals["predicted, low"] == pytest.approx(0.9e3 * seconds)
    assert table.totals["predicted, high"] == pytest.approx(1.2e3 * seconds)
    trace = costlab.trace("alexnet")
    for row in table.rows:
        of_row = sum(2e-6 + cost_of(trace, trace.ops[i]).flops / 1e12 for i in row.ops)
        assert row.cells["predicted"] == pytest.approx(1e3 * of_row)
    text = str(table)
    low, mid, high = (milliseconds(k * seconds) for k in (0.9, 1, 1.2))
    assert f"{mid} ({low} to {high})" in text
    assert (
        "ms (predicted): not measured, but predicted from measurements of 2026-11-27 on Device 1, "
    )
    assert "fp32, contiguous (1.device), with 90% intervals; the whole model: " in text


@pytest.mark.parametrize("form", ["csv", "json"])
def test_machines_get_three_numbers_and_no_text(capsys, device, form):
    assert main(["table", "alexnet", "--profile", device, "--format", form]) == 0
    out = capsys.readouterr().out
    row = json.loads(out)["rows"][0] if form == "json" else next(csv.DictReader(io.StringIO(out)))
    names = [k for k in row if "predicted" in k]
    assert names == ["predicted (ms)", "predicted, low (ms)", "predicted, high (ms)"]
    low, high = float(row["predicted, low (ms)"]), float(row["predicted, high (ms)"])
    assert low / 0.9 == pytest.approx(float(row["predicted (ms)"])) == pytest.approx(high / 1.2)


def test_without_a_profile_there_is_no_prediction(capsys):
    for command in (
        ["table", "alexnet"],
        ["compare", "alexnet", "nin"],
        ["diff", "alexnet", "nin"],
    ):
        main(command)
        out = capsys.readouterr().out
        assert "predicted" not in out and "at least" not in out


def test_a_datasheet_gives_a_bound_and_nothing_that_is_called_predicted(capsys):
    assert main(["table", "alexnet", "--profile", "h100", "--profile-dtype", "bf16"]) == 0
    out = capsys.readouterr().out
    assert "predicted" not in out.replace("a bound, not a prediction", "")
    assert (
        "ms (at least): a bound, not a prediction, by the published peaks and bandwidth of " in out
    )
    assert "NVIDIA H100 SXM5 80GB, bf16, contiguous (https://" in out
    rows = records(capsys, "table", "alexnet", "--profile", "h100")
    assert [k for k in rows[0] if "(ms)" in k] == ["at least (ms)"]


def test_rows_by_predicted_time_come_first_and_the_others_add_up():
    table = costlab.table("alexnet", profile=Calibrated(), sort="predicted", top=2)
    times = [row.cells["predicted"] for row in table.rows]
    assert times[0] >= times[1] and len(times) == 3
    assert sum(times) == pytest.approx(table.totals["predicted"])
    with pytest.raises(ValueError, match="no predicted times to sort by; name a device"):
        costlab.table("alexnet", sort="predicted")


@pytest.mark.parametrize("profile", [Calibrated(), "h100"])
def test_predict_has_the_times_of_the_table(profile):
    """Three digits of each, however short."""
    table, found = costlab.table("alexnet", profile=profile), costlab.predict("alexnet", profile)
    name = "ms (at least)" if profile == "h100" else "ms (predicted)"
    assert [row.cells[name] for row in table.rows] == [row[name] for row in found.sheet.rows]
    assert table.totals[name] == found.sheet.total[name]
    assert sum(row["share"] for row in found.sheet.rows) == pytest.approx(1)


def test_a_kernel_that_both_run_is_as_wrong_in_both():
    """Kernel "a" in both, which takes 1 ms less where its weights are in the cache, and "b", 4 ms,
    2 less to 3 more, in one. All errors add up (correlation 1)."""
    facts = Calibrated().predict(costlab.trace("nin_cifar10")).facts
    ms = [[5, 10, 20], [4, 9, 18], [2, 4, 7]]
    cold, warm, other = (Estimate(*(1e-3 * t for t in each)) for each in ms)
    before = Prediction(facts, (cold, other), kernels=("a", "b"))
    saved = saving_of(before, Prediction(facts, (warm,), kernels=("a",))).saved
    # 4 (2 to 7) and 1 (1 to 2)
    assert (saved.low, saved.seconds, saved.high) == pytest.approx((3e-3, 5e-3, 9e-3))
    elsewhere = Prediction(replace(facts, dtype="bf16"), (warm,), kernels=("a",))
    assert saving_of(before, elsewhere).saved.low < 0  # nothing is the same there


@pytest.mark.parametrize(("side", "words"), [(64, ""), (4, " (not decided)")])
def test_a_verdict_says_where_the_sign_is_not_decided(side, words):
    """A 3x3 convolution in place of a 5x5: of 64x64 it takes 16.5 us instead of 42.2, 10% less to
    20% more each; of 4x4 both take 2 us and little more."""
    before, after = (
        costlab.trace(torch.nn.Conv2d(14, 14, k, padding=k // 2), torch.zeros(1, 14, side, side))
        for k in (5, 3)
    )
    change = costlab.diff(before, after, profile=Calibrated())
    taken = [2e-6 + cost_of(t, t.ops[0]).flops / 1e12 for t in (before, after)]
    share = 100 * (taken[1] - taken[0]) / taken[0]
    assert f"predicted time {share:+.2f}%{words}; 1 changed" in change.verdict


def test_what_both_versions_run_does_not_widen_the_interval():
    """Without the second convolution: its 2 us and FLOPs, 10% less to 20% more."""
    layers = [torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3)]
    models = [torch.nn.Sequential(*layers[:n]) for n in (3, 2, 3)]
    before, after, again = (costlab.trace(m, torch.zeros(1, 3, 8, 8)) for m in models)
    change = costlab.diff(before, after, profile=Calibrated())
    seconds = 2e-6 + cost_of(before, before.ops[2]).flops / 1e12
    saved = change.time.saved
    assert (saved.low, saved.seconds, saved.high) == pytest.approx(
        (0.9 * seconds, seconds, 1.2 * seconds)
    )
    words = f"({milliseconds(0.9 * seconds)} to {milliseconds(1.2 * seconds)})"
    assert f"saves {milliseconds(seconds)} ms against" in str(change) and words in str(change)
    same = costlab.diff(before, again, profile=Calibrated())
    assert "takes as long as" in str(same) and "it runs the same kernels" in str(same)


def test_compare_has_a_row_and_its_interval(capsys, device):
    rows = records(capsys, "compare", "alexnet", "nin", "--profile", device)
    by_name = {row["what"]: row for row in rows}
    expected = [1e3 * model_time(name) for name in ("alexnet", "nin")]
    for what, factor in (("", 1), (", low", 0.9), (", high", 1.2)):
        row = by_name[f"time, predicted{what}"]
        found = [float(row["alexnet"]), float(row["nin"])]
        assert found == pytest.approx([factor * e for e in expected], rel=1e-5)
        assert row["unit"] == "ms"
        ratio = "" if what else pytest.approx(expected[1] / expected[0], rel=1e-5)
        assert (row["nin / alexnet"] and float(row["nin / alexnet"])) == ratio


def test_variants_have_the_column(capsys, device):
    rows = records(capsys, "compare", "nin", "--against", "alexnet", "--profile", device)
    assert [float(r["predicted (ms)"]) for r in rows] == pytest.approx(
        [1e3 * model_time("alexnet"), 1e3 * model_time("nin")]
    )


def test_diff_shows_both_sides_and_limits_them(capsys, device):
    old, new = model_time("resnet18"), model_time("resnet34")
    options = ("--profile", device, "--fail-on", "predicted_ms > +50%")
    found = json.loads(run(capsys, "diff", "resnet18", "resnet34", *options, code=1))
    assert found["total"]["predicted time base (ms)"] == pytest.approx(1e3 * old)
    assert found["total"]["predicted time head (ms)"] == pytest.approx(1e3 * new)
    for side, seconds in (("base", old), ("head", new)):
        ends = [found["total"][f"predicted time, {end}, {side} (ms)"] for end in ("low", "high")]
        assert ends == pytest.approx([900 * seconds, 1200 * seconds])
    [limit] = found["limits"]
    assert (limit["met"], limit["base"], limit["head"]) == (True, *map(pytest.approx, (old, new)))
    for row in found["rows"]:
        assert "predicted" not in row["differences"]


def run(capsys, *argv, code=0):
    """The JSON that a command prints."""
    assert main([*argv, "--format", "json", "-q"]) == code
    return capsys.readouterr().out


CONFIG = """
[[tool.costlab.model]]
model = "alexnet"
limits = [{limit}]
"""


@pytest.mark.parametrize(
    ("limit", "profile", "code", "verdict", "why"),
    [
        ("predicted_ms <= 3", True, 0, "passed", ""),
        ("predicted_ms <= 1", True, 1, "failed", ""),
        ("predicted_ms <= 1000 us", True, 1, "failed", ""),
        # 90% and 120% of it are the ends of the interval
        ("predicted_high_ms <= 1.8", True, 1, "failed", ""),
        ("predicted_high_ms <= 1.9", True, 0, "passed", ""),
        ("predicted_low_ms <= 1.4", True, 0, "passed", ""),
        ("predicted_low_ms <= 1.3", True, 1, "failed", ""),
        (
            "predicted_high_ms <= 3",
            "h100",
            1,
            "error",
            "it needs a `profile` that was calibrated, a .de",
        ),
        (
            "predicted_ms <= 1",
            False,
            0,
            "skipped",
            "no profile; `costlab check --profile PROFILE` ",
        ),
        (
            "predicted_ms <= +5%",
            True,
            1,
            "error",
            "predicted times are not in the lock file, nor a",
        ),
        (
            "predicted_ms <= 3",
            "h100",
            1,
            "error",
            "it needs a `profile` that was calibrated, a .de",
        ),
        ("at_least_ms <= 3", "h100", 0, "passed", ""),
        ("at_least_ms <= 3", True, 1, "error", "it needs a datasheet as `profile`, by name or"),
    ],
)
def test_check_judges_predicted_times(  # noqa: PLR0917  two fixtures and a table of five columns
    capsys, tmp_path, device, limit, profile, code, verdict, why
):
    """AlexNet takes 1.54 ms by the stand-in."""
    assert milliseconds(model_time("alexnet")) == "1.54"
    file = tmp_path / "pyproject.toml"
    file.write_text(CONFIG.format(limit=repr(limit)))
    given = ["--profile", device if profile is True else profile] if profile else []
    found = json.loads(run(capsys, "check", str(file), *given, code=code))
    [row] = found["rows"]
    assert any(n.startswith("alexnet: ms (") for n in found["notes"]) == bool(profile)
    assert row["verdict"] == verdict
    assert row["note"].startswith(why)


def test_the_lock_file_has_no_predicted_times(capsys, tmp_path, device):
    file = tmp_path / "pyproject.toml"
    file.write_text(CONFIG.format(limit="'predicted_ms <= 3'"))
    assert main(["check", str(file), "--update", "--profile", device]) == 0
    assert "predicted" not in (tmp_path / "costlab.lock").read_text()


def test_assert_cost_takes_a_profile():
    costlab.assert_cost("alexnet", profile=Calibrated(), predicted_ms="<= 3")
    with pytest.raises(AssertionError, match=r"predicted-ms 1\.54 ms, limit: predicted_ms <= 1\n"):
        costlab.assert_cost("alexnet", profile=Calibrated(), predicted_ms="<= 1")


def test_dtype_and_layout_are_those_that_were_asked_for(capsys, device):
    options = ["--profile-dtype", "bf16", "--profile-layout", "channels-last"]
    assert main(["table", "alexnet", "--profile", device, *options]) == 0
    assert "on Device 1, bf16, channels-last (1.device)" in capsys.readouterr().out
    chosen = costlab.load_profile(Calibrated(), dtype="bf16")
    assert costlab.load_profile(chosen, layout="channels-last") == ChosenProfile(
        Calibrated(), "bf16", "channels-last"
    )
    assert as_profile(chosen) is chosen


def convolution_time(c_in, c_out, kernel, side, batch=1):
    """Seconds of a padded convolution with a bias by the stand-in: 2 us, and at 1 TFLOP/s two FLOPs
    a multiply-add and one for each bias."""
    outputs = batch * c_out * side * side
    return 2e-6 + (2 * outputs * c_in * kernel[0] * kernel[1] + outputs) / 1e12


def test_rules_have_predicted_savings():
    """5x5, 64 to 64 channels on 28x28, as two 3x3 with a ReLU between: the rules have no bias."""
    [rule] = costlab.rules(kernels=[5], rewrites=["stacked-3x3"], profile=Calibrated()).rules
    outputs = 64 * 28 * 28
    before = 2e-6 + 2 * outputs * 64 * 25 / 1e12
    relu = 2e-6 + outputs / 1e12
    after = 2 * (2e-6 + 2 * outputs * 64 * 9 / 1e12) + relu
    assert rule.time.before.seconds == pytest.approx(before, rel=1e-9)
    assert rule.time.after.seconds == pytest.approx(after, rel=1e-9)
    assert rule.time.saved.seconds == pytest.approx(before - after, rel=1e-9)


def test_factorize_ranks_by_predicted_time_saved(capsys, device):
    rows = records(capsys, "factorize", "googlenet", "--profile", device, "--top", "0")
    saved = [float(r["predicted saving (ms)"]) for r in rows]
    assert saved == sorted(saved, reverse=True) and len(saved) == 70
    macs = [float(r["MACs saved (fraction)"]) * int(r["MACs before (MACs)"]) for r in rows]
    assert macs != sorted(macs, reverse=True)
    for row in rows:
        low, high = (float(row[f"predicted saving, {k} (ms)"]) for k in ("low", "high"))
        expected = "faster" if low > 0 else "slower" if high < 0 else "not decided"
        assert row["predicted to be"] == expected
    notes = rows[0]["notes"]
    lost = [
        r
        for r in rows
        if r["predicted to be"] == "slower" and float(r["MACs saved (fraction)"]) > 0
    ]
    open_ = [
        r
        for r in rows
        if r["predicted to be"] == "not decided" and float(r["MACs saved (fraction)"]) > 0
    ]
    assert lost and open_
    assert f"{len(lost)} of 48 rewrites that save MACs would take longer: " in notes
    assert (
        f"for {len(open_)} of 48 rewrites that save MACs it is not decided whether they " in notes
    )


def test_a_rewrite_is_timed_alone_on_the_inputs_that_it_has():
    """googlenet's 3b 3x3: 128 to 192 channels on 28x28, as 1x3 and 3x1 of 192 channels."""
    ranking = costlab.factorize("googlenet", profile=Calibrated(), rewrites=["1xn-nx1"])
    [c] = [c for c in ranking.candidates if c.path == "inception3b.branch2.1.0"]
    before = convolution_time(128, 192, (3, 3), 28)
    first, second = (convolution_time(w, 192, k, 28) for w, k in ((128, (1, 3)), (192, (3, 1))))
    relu = 2e-6 + 192 * 28 * 28 / 1e12
    assert c.time.before.seconds == pytest.approx(before, rel=1e-3)
    assert c.time.after.seconds == pytest.approx(first + relu + second, rel=1e-3)


def test_best_takes_what_saves_predicted_time():
    """With 1 s an operation, no rewrite saves time: each is two operations at least, and all of
    them save MACs."""

    class Slow(Calibrated):
        def predict(self, trace, **how):
            found = super().predict(trace, **how)
            ops = tuple(Estimate(1, 1, 1) for _ in found.ops)
            return Prediction(found.facts, ops)

    ranking = costlab.factorize("alexnet", profile=Slow())
    with pytest.raises(ValueError, match="no rewrite saves predicted time"):
        ranking.apply("best")
    assert {c.time.outcome for c in ranking.candidates} == {"slower"}


def test_an_applied_rewrite_has_both_times():
    result = costlab.factorize("alexnet", profile=Calibrated()).apply("best")
    before, after = (prediction_of(t).total.seconds for t in result.traces)
    assert before == pytest.approx(model_time("alexnet"))
    [line] = [n for n in result.sheet.notes if n.startswith("after saves ")]
    assert milliseconds(before - after) in line
    assert result.sheet.total["predicted saving"] == pytest.approx(1e3 * (before - after))
    for row, chosen in zip(result.sheet.rows, result.chosen, strict=True):
        assert row["predicted saving"] == pytest.approx(1e3 * chosen.time_saved)
    keys = [c.key for c in result.sheet.columns]
    assert "ms saved (predicted)" in keys and "predicted to be" in keys
    bounds = costlab.factorize("alexnet", profile="h100").apply("best").sheet
    assert {"at least, before", "at least, after"} <= {*bounds.rows[0], *bounds.total}
    assert "predicted to be" not in [c.key for c in bounds.columns]
    plain = costlab.factorize("alexnet").apply("best").sheet
    assert not any("predicted" in c.key or "at least" in c.key for c in plain.columns)


def test_a_bound_ranks_nothing(capsys):
    rows = records(capsys, "factorize", "alexnet", "--profile", "h100")
    assert [k for k in rows[0] if "(ms)" in k] == ["at least, before (ms)", "at least, after (ms)"]
    macs = [float(r["MACs saved (fraction)"]) * int(r["MACs before (MACs)"]) for r in rows]
    assert macs == sorted(macs, reverse=True)
    assert "predicted to be" not in rows[0]


def test_grid_reductions_have_predicted_times(capsys, device):
    rows = records(capsys, "grid", "--profile", device)
    shown = costlab.grid().schemes
    for row, scheme in zip(rows, shown, strict=True):
        seconds = 2e-6 * len(scheme.trace.ops) + total(scheme.trace).flops / 1e12
        assert float(row["predicted (ms)"]) == pytest.approx(1e3 * seconds)


def test_the_parallel_form_of_a_place_is_timed_with_its_pool():
    """alexnet's conv3 after pool 2: now a pool from 27x27x256 and a convolution to 13x13x384; in
    parallel a 3x3 convolution of stride 2 to 128 channels beside the pool, and a concatenation."""
    found = costlab.reductions("alexnet", profile=Calibrated()).places[0]
    assert found.place == "conv3.0"
    now = convolution_time(256, 384, (3, 3), 13) + 2e-6
    parallel = convolution_time(256, 128, (3, 3), 13) + 2 * 2e-6
    assert found.time.before.seconds == pytest.approx(now, rel=0.02)
    assert found.time.after.seconds == pytest.approx(parallel, rel=0.02)
    assert found.time_saved == pytest.approx(now - parallel, rel=0.02)


def test_a_sweep_has_the_times_of_each_configuration(capsys):
    """A bound of a device by name, in processes as here; twice the batch has twice the FLOPs."""
    options = ("--over", "batch=1,2", "--jobs", "1", "--profile", "h100", "--profile-dtype", "bf16")
    rows = records(capsys, "sweep", "alexnet", *options)
    bf16 = costlab.load_profile("h100", dtype="bf16")
    one = costlab.table("alexnet", profile=bf16).totals["at least"]
    assert float(rows[0]["at least (ms)"]) == pytest.approx(one)
    assert float(rows[1]["at least (ms)"]) >= one
    assert (
        "ms (at least): a bound, not a prediction, by the published peaks and" in rows[0]["notes"]
    )


def test_a_sweep_has_predictions_with_their_intervals(capsys, device):
    [row] = records(capsys, "sweep", "alexnet", "--over", "batch=1", "--profile", device)
    seconds = model_time("alexnet")
    names = ("predicted (ms)", "predicted, low (ms)", "predicted, high (ms)")
    assert [float(row[n]) for n in names] == pytest.approx(
        [1e3 * seconds, 0.9e3 * seconds, 1.2e3 * seconds]
    )
    with pytest.raises(ValueError, match="give `profile` by name or file"):
        costlab.sweep("alexnet", over={"batch": [1]}, profile=Calibrated())


def test_an_old_journal_goes_on_without_a_profile(tmp_path):
    """Without a profile, a configuration is what it was before there were any."""
    journal = tmp_path / "sweep.jsonl"
    costlab.sweep("alexnet", over={"batch": [1]}, jobs=1, journal=journal)
    assert "profile" not in journal.read_text()
    costlab.sweep("alexnet", over={"batch": [1]}, jobs=1, journal=journal, profile="h100")
    assert journal.read_text().count('"setup.profile": "h100"') == 1


def test_charts_show_the_time():
    shown = costlab.profile("alexnet", profile=Calibrated())
    sheet = shown.chart("stages").numbers
    trace = predicted(costlab.trace("alexnet"), Calibrated())
    table = costlab.table(trace)
    times = {row.id: row.cells["predicted"] for row in table.rows}
    for step, row in zip(shown.steps, sheet.rows, strict=True):
        assert row["predicted"] == pytest.approx(times[step.id])
        assert 1e3 * step.predicted_seconds == pytest.approx(times[step.id])
    # pools and other rows without params and MACs are stages too: they take time
    whole = sum(step.predicted_seconds for step in shown.steps)
    assert whole == pytest.approx(model_time("alexnet"))
    svg = shown.chart("stages").draw("svg").decode()
    assert svg.count("bar:predicted_seconds:") == len(shown.steps)


def test_a_chart_that_cannot_show_time_takes_no_profile(capsys, tmp_path):
    argv = ["chart", "memory", "alexnet", "--profile", "h100", "-o", str(tmp_path / "m.svg")]
    assert main(argv) == 2
    assert "--profile does nothing for the memory chart" in capsys.readouterr().err


def test_boxes_of_a_diagram_have_their_time():
    """alexnet's third convolution: 256 to 384 channels on 13x13, and a ReLU."""
    trace = costlab.trace("alexnet")
    [conv] = [b for b in diagram(predicted(trace, Calibrated())).boxes if b.id == "conv3"]
    seconds = convolution_time(256, 384, (3, 3), 13) + 2e-6 + 384 * 13 * 13 / 1e12
    assert conv.predicted == f"{milliseconds(seconds)} ms (predicted)"
    assert {b.predicted for b in diagram(trace).boxes} == {""}


def test_a_report_has_the_column(tmp_path):
    names = ["summary", "table"]
    with_times = costlab.report("alexnet", sections=names, profile="h100").document.sections
    without = costlab.report("alexnet", sections=names).document.sections
    for section, plain in zip(with_times, without, strict=True):
        assert "ms (at least)" in str(section.parts)
        assert "ms (at least)" not in str(plain.parts)


UNITS = {
    # what `--units` says, the head of the column for people, and a thousand times what is in ms
    "all": ("us", "us (predicted)", ("predicted (us)", "predicted, high (us)")),
    "by its name": ("predicted=us", "us (predicted)", ("predicted (us)", "predicted, high (us)")),
    "by its head": (
        "ms-(predicted)=us",
        "us (predicted)",
        ("predicted (us)", "predicted, high (us)"),
    ),
}


@pytest.mark.parametrize("case", UNITS)
def test_a_column_and_its_numbers_have_one_unit(case, capsys, device):
    units, head, numbers = UNITS[case]
    argv = ["table", "alexnet", "--profile", device, "--units", units]
    found = json.loads(run(capsys, *argv))["total"]
    seconds = model_time("alexnet")
    assert [found[key] for key in numbers] == pytest.approx([1e6 * seconds, 1.2e6 * seconds])
    assert main([*argv, "--format", "md", "-q"]) == 0
    out = capsys.readouterr().out
    ends = " to ".join(milliseconds(1e3 * x * seconds) for x in (0.9, 1.2))
    assert f"| {head} |" in out and f"{milliseconds(1e3 * seconds)} ({ends})" in out


def test_a_bound_and_a_saving_have_units_too(capsys, device):
    for argv, head in (
        (["table", "alexnet", "--profile", "l4"], "us (at least)"),
        (["factorize", "--kernel", "5", "--profile", device], "us saved (predicted)"),
        (["factorize", "--kernel", "5", "--profile", "l4"], "us before (at least)"),
        (["grid", "--profile", device], "us (predicted)"),
    ):
        assert main([*argv, "--units", "us", "--format", "md", "-q"]) == 0
        assert f"| {head} |" in capsys.readouterr().out
    argv = ["sweep", "alexnet", "--over", "batch=1", "--jobs", "1", "--profile", "h100"]
    row = json.loads(run(capsys, *argv, "--units", "us"))["rows"][0]
    assert row["at least (us)"] > 1


def test_a_warning_of_one_model_names_it_and_one_of_all_does_not():
    traces = [
        predicted(costlab.trace(name), Calibrated(warning))
        for name, warning in (("alexnet", "a"), ("nin", "b"))
    ]
    notes = costlab.compare(*traces).sheet.notes
    assert "alexnet: a" in notes and "nin: b" in notes
    same = [predicted(costlab.trace(name), Calibrated("a")) for name in ("alexnet", "nin")]
    assert costlab.compare(*same).sheet.notes.count("a") == 1
    mixed = [
        traces[0],
        predicted(costlab.trace("nin"), costlab.load_profile(Calibrated(), dtype="bf16")),
    ]
    assert sum("Device 1, " in n for n in costlab.compare(*mixed).sheet.notes) == 2


def test_warnings_of_a_profile_are_said():
    table = costlab.table("alexnet", profile=Calibrated("measured with torch 2.11, not 2.13"))
    assert table.notes[-1] == "measured with torch 2.11, not 2.13"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["table", "alexnet", "--profile", "h10"], "there is no profile 'h10': give a .device"),
        (
            ["table", "alexnet", "--profile-dtype", "bf16"],
            "--profile-dtype is of predicted times; ",
        ),
        (["diff", "nin", "nin", "--profile-layout", "contiguous"], "--profile-layout is of predic"),
        (["check", "--profile", "no.device"], "there is no file no.device"),
        (
            ["table", "alexnet", "--profile", "l4", "--mode", "train"],
            "a profile is of inference, and this trace has a backward pass; leave out --mode train",
        ),
        (
            ["table", "alexnet", "--profile", "jetson-agx-orin-64gb", "--profile-dtype", "bf16"],
            "the datasheet of NVIDIA Jetson AGX Orin 64GB has no peak of bf16; choose "
            "--profile-dtype fp32, fp16 or int8",
        ),
    ],
)
def test_what_cannot_be_predicted_gets_one_line(capsys, argv, message):
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"costlab: {message}")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0"),
        (1e-9, "<0.00001"),
        (12.3e-9, "0.00001"),
        (1.2345e-5, "0.0123"),
        (1.2345e-3, "1.23"),
        (12.345e-3, "12.3"),
        (1.2346, "1,235"),
    ],
)
def test_milliseconds_have_three_digits(seconds, text):
    assert milliseconds(seconds) == text


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (Estimate(1e-3, 2e-3, 3e-3), "it saves 2.00 ms (1.00 to 3.00)"),
        (Estimate(-3e-3, -2e-3, -1e-3), "it takes 2.00 ms more (1.00 to 3.00)"),
        (
            Estimate(-1e-3, 2e-3, 3e-3),
            "whether it is faster is not decided: it saves -1.00 to 3.00 ms",
        ),
        (Estimate(1e-3), ""),
        (None, ""),
    ],
)
def test_a_difference_is_decided_where_its_interval_leaves_out_zero(saved, words):
    assert saved_time(saved) == words


def test_a_prediction_survives_pickling():
    import pickle

    trace = predicted(costlab.trace("alexnet"), Calibrated())
    again = pickle.loads(pickle.dumps(trace))
    assert prediction_of(again) == prediction_of(trace)
    assert prediction_of(predicted(trace, None)) == prediction_of(trace)


def test_what_if_shows_what_a_change_saves_there(capsys, device):
    found = json.loads(run(capsys, "table", "alexnet", "--what-if", "batch=2", "--profile", device))
    before, after = (found["total"][f"predicted time {side} (ms)"] for side in ("base", "head"))
    assert before == pytest.approx(1e3 * model_time("alexnet")) and after > before


class Counter:
    """A device of 100 W by its counter."""

    def __init__(self, counts=True):
        self.spent, self.counts = 0.0, counts

    def joules(self):
        return self.spent if self.counts else None

    def seconds(self, fn, calls):
        self.spent += 100 * 0.5 * calls
        self.calls = calls
        return 0.5


def test_energy_is_counted_over_two_seconds_of_calls():
    """Calls of 0.5 s: four of them, 50 J each; one runs before the counter is read."""
    device = Counter()
    stages = Stages(device, call=None, report=None)
    assert stages._joules(lambda: None, 0.5) == pytest.approx(50)
    assert device.calls == 4 and device.spent == 5 * 50
    assert Stages(Counter(False), call=None, report=None)._joules(lambda: None, 0.5) is None


def test_a_counter_that_stands_still_counts_nothing():
    device = Counter()
    device.seconds = lambda fn, calls: 0.5
    assert Stages(device, call=None, report=None)._joules(lambda: None, 0.5) is None
