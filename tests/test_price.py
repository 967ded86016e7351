"""Prices of a million inputs by a rate that the user gives, wherever a time of a whole network is
shown. At 3.6 an hour, a microsecond costs 1e-9: 10^6 inputs of t seconds each cost 1000 t."""

import json
from dataclasses import replace

import pytest
import torch
from test_predicted import CONFIG, ROOT, Calibrated, device, model_time, records, run

import costlab
from costlab.analysis.price import Energy, energy_of, prices
from costlab.analysis.sweep import Outcome
from costlab.cli import main
from costlab.cost import total
from costlab.predict import Rate, prediction_of, priced

__all__ = ["device"]  # a fixture


def test_a_million_inputs_cost_their_share_of_an_hour():
    seconds = model_time("alexnet")
    [price] = prices(costlab.trace("alexnet", profile=Calibrated(), rate=3.6))
    assert (price.by, price.items) == ("predicted", 1)
    assert price.price == pytest.approx(1000 * seconds)
    assert (price.low, price.high) == pytest.approx((900 * seconds, 1200 * seconds))
    [bound] = prices(costlab.trace("alexnet", profile="h100", rate=3.6))
    assert (bound.by, bound.price, bound.high) == ("at least", None, None)


MEASURED = "reports/measurements/googlenet.h100.bf16.nhwc.32x3x224x224.trace"


def test_a_measured_trace_has_a_price_and_an_energy():
    """32 images a call."""
    trace = costlab.trace(costlab.load(str(ROOT / MEASURED)))
    median = trace.measured.total.median
    [price] = prices(priced(trace, 3.6))
    assert (price.by, price.items) == ("measured", 32)
    assert price.price == pytest.approx(1000 * median / 32)
    watts = trace.measured.conditions["clocks after"]["watts"]
    found = energy_of(trace)
    assert found.joules == pytest.approx(watts * median) and found.watts == watts
    conditions = {**trace.measured.conditions, "joules": 0.5}
    counted = replace(trace, measured=replace(trace.measured, conditions=conditions))
    assert energy_of(counted) == Energy(0.5, 32)
    assert energy_of(costlab.trace("alexnet")) is None


def test_price_and_energy_stand_in_the_notes(capsys, device):
    argv = ["table", str(ROOT / MEASURED), "--rate", "2.5", "--profile", device]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert out.count("price of a million inputs: ") == 2
    assert "at 2.5 an hour, by the measured time of calls with 32 inputs each" in out
    assert "at 2.5 an hour, by the predicted time of calls with 32 inputs each" in out
    assert " J an input, by its time and the " in out
    assert main(["table", "alexnet", "--profile", "h100", "--rate", "2.5"]) == 0
    assert "price of a million inputs: at least " in capsys.readouterr().out


def test_compare_has_rows_of_prices(capsys, device):
    rows = records(capsys, "compare", "alexnet", "nin", "--profile", device, "--rate", "3.6")
    by_name = {row["what"]: row for row in rows}
    row = by_name["price of a million inputs, predicted"]
    assert float(row["alexnet"]) == pytest.approx(1000 * model_time("alexnet"))
    assert float(by_name["price of a million inputs, predicted, low"]["nin"]) == pytest.approx(
        900 * model_time("nin")
    )


def test_ratios_are_of_what_can_be_compared(capsys, device):
    """The ratio of one end of two intervals, or of two bounds, says nothing."""
    for profile, compared, others in (
        (device, "time, predicted", ("time, predicted, low", "time, predicted, high")),
        ("h100", "", ("time, at least", "price of a million inputs, at least")),
    ):
        rows = records(capsys, "compare", "alexnet", "nin", "--profile", profile, "--rate", "1")
        ratios = {row["what"]: row["nin / alexnet"] for row in rows}
        assert not any(ratios[what] for what in others)
        assert not compared or ratios[compared]


def test_bounds_and_predictions_stand_in_rows_of_their_own():
    sides = [costlab.trace("alexnet", profile=p) for p in (Calibrated(), "h100")]
    sheet = costlab.compare(*sides, costlab.trace("nin")).sheet
    rows = {row["what"]: list(row.values())[2:5] for row in sheet.rows}
    predicted, bound = (prediction_of(trace).total for trace in sides)
    # exact, as in a table's CSV and JSON
    assert rows["time, predicted"] == [1e3 * predicted.seconds, None, None]
    assert rows["time, predicted, low"] == [1e3 * predicted.low, None, None]
    assert rows["time, at least"] == [None, 1e3 * bound.low, None]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["table", "alexnet", "--rate", "2"],
            "alexnet has no time to price by; name a device with ",
        ),
        (
            ["table", "alexnet", "--rate", "0", "--profile", "l4"],
            "a rate of 0.0 an hour is no price",
        ),
        (
            ["table", "alexnet", "--rate", "nan", "--profile", "l4"],
            "a rate of nan an hour is no pri",
        ),
        (
            ["compare", "nin", "--against", "alexnet", "--rate", "1"],
            "alexnet: alexnet has no time to price",
        ),
        (
            ["table", "alexnet", "--rate", "1", "--what-if", "batch=2"],
            "alexnet has no time to price by",
        ),
        (["diff", "alexnet", "nin", "--rate", "1"], "alexnet has no time to price by"),
        (
            ["sweep", "alexnet", "--over", "batch=1", "--rate", "1"],
            "--rate prices a time; name a device with --profile, or add --measure",
        ),
        (
            ["diff", "alexnet", "nin", "--profile", "l4", "--fail-on", "at_least_price > 1"],
            "'at_least_price > 1': it needs a datasheet as --profile, by name or as a .toml file, ",
        ),
        (
            ["diff", "alexnet", "nin", "--profile", "l4", "--fail-on", "at_least_price > 1GB"],
            "'at_least_price > 1GB': 'GB' does not suit at-least-price, which takes a plain number",
        ),
    ],
)
def test_a_rate_without_a_time_gets_one_line(capsys, argv, message):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"costlab: {message}") and err.count("\n") == 1


def test_a_rate_stays_with_a_trace():
    """Tables and analyses of the trace show the price, whatever else it is given."""
    trace = costlab.trace("alexnet", profile="h100", rate=3.6)
    assert [price.rate for price in prices(trace)] == [3.6]
    assert [price.rate for price in prices(costlab.trace(trace, profile=Calibrated()))] == [3.6]
    assert [price.rate for price in prices(costlab.trace(trace, rate=5))] == [5]
    for result in (costlab.table(trace), costlab.compare(trace, trace)):
        assert any("price of a million inputs: at least " in n for n in result.sheet.notes)


def test_a_what_if_and_a_diff_have_the_price_of_both(capsys, device):
    argv = ("table", "alexnet", "--what-if", "batch=2", "--profile", device, "--rate", "3.6")
    found = json.loads(run(capsys, *argv))
    seconds = [found["total"][f"predicted time {side} (ms)"] / 1e3 for side in ("base", "head")]
    total = found["total"]
    assert total["predicted price base"] == pytest.approx(1000 * seconds[0])
    assert total["predicted price head"] == pytest.approx(1000 * seconds[1] / 2)
    assert total["predicted price, low, head"] == pytest.approx(900 * seconds[1] / 2)
    blocks = sum(row["predicted price head"] for row in found["rows"])
    assert blocks == pytest.approx(total["predicted price head"])
    share = 100 * (seconds[1] / seconds[0] / 2 - 1)
    assert f"predicted price {share:+.2f}%" in found["notes"][0]
    [said] = [n for n in found["notes"] if n.startswith("alexnet with batch=2: price of")]
    assert "at 3.6 an hour, by the predicted time of calls with 2 inputs each" in said


@pytest.mark.parametrize(
    ("batch", "time_is", "price_is"),
    [
        (1, "", ""),  # an operation more takes longer
        (2, "", " (not decided)"),  # twice the inputs take longer, and each less, but perhaps not
    ],
)
def test_a_verdict_says_whether_the_sign_of_a_price_is_decided(batch, time_is, price_is):
    """Each side is 10% less to 20% more; what both run alike says nothing of the time."""
    layers = [torch.nn.Conv2d(8, 8, 3) for _ in range(3)]
    models = torch.nn.Sequential(*layers), torch.nn.Sequential(*layers, torch.nn.Flatten())
    pair = [
        costlab.trace(model, torch.zeros(n, 8, 256, 256))
        for model, n in zip(models, (1, batch), strict=True)
    ]
    before, after = (2e-6 * len(t.ops) + total(t).flops / 1e12 for t in pair)
    time, price = 100 * (after / before - 1), 100 * (after / before / batch - 1)
    said = f"predicted time {time:+.2f}%{time_is}, predicted price {price:+.2f}%{price_is};"
    assert said in costlab.diff(*pair, profile=Calibrated(), rate=1).verdict


@pytest.mark.parametrize(
    ("limit", "profile", "code"),
    [
        ("predicted_price > +1%", Calibrated(), 1),
        ("predicted_price > +100%", Calibrated(), 0),
        ("predicted_high_price > 100", Calibrated(), 0),
        ("at_least_price > 0", "h100", 1),
    ],
)
def test_a_limit_can_be_on_the_price(limit, profile, code):
    """Of AlexNet and NIN, 1.54 and 2.29 ms by the stand-in."""
    change = costlab.diff("alexnet", "nin", profile=profile, rate=3.6, fail_on=limit)
    assert len(change.failed) == code


def test_a_review_has_the_prices():
    change = costlab.diff("alexnet", "nin", profile="h100", rate=3.6)
    assert change.render("md").count("price of a million inputs: at least ") == 2
    summary = costlab.report(
        base="alexnet", head="nin", sections=["summary"], profile="h100", rate=3.6
    ).document.sections[0]
    assert str(summary.parts).count("price of a million inputs: at least ") == 2


def test_variants_have_a_column_of_prices():
    sheet = costlab.variants("alexnet", "nin", profile=Calibrated(), rate=3.6).sheet
    keys = [c.key for c in sheet.columns if c.key.startswith("price")]
    assert keys == [
        "price (predicted)",
        "price, predicted",
        "price, predicted, low",
        "price, predicted, high",
    ]
    seconds = model_time("alexnet")
    assert [sheet.rows[0][key] for key in keys] == [
        "1.54 (1.39 to 1.85)",
        *(pytest.approx(k * seconds) for k in (1000, 900, 1200)),
    ]


def test_a_sweep_has_a_column_of_prices(capsys):
    argv = ["sweep", "nin_cifar10", "--over", "batch=8", "--profile", "h100"]
    rows = records(capsys, *argv, "--rate", "3.6")
    for row in rows:
        price = float(row["at least (ms)"]) / int(row["batch"])
        assert float(row["price, at least"]) == pytest.approx(price)
    assert "price: of a million inputs, at 3.6 an hour, on a device that" in rows[0]["notes"]
    assert "price, at least" not in records(capsys, *argv)[0]
    columns = "batch,price (at least)"
    assert main([*argv, "--rate", "3.6", "--columns", columns]) == 0
    assert "price (at" in capsys.readouterr().out
    assert main([*argv, "--columns", columns]) == 2  # there is none without a rate
    assert "price (at least)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("result", "found"),
    [
        ({"items": 4, "least": 2.0}, [("at least", 4, 0.5, None)]),
        ({"items": 4, "low": 1.0, "ms": 2.0, "high": 3.0}, [("measured", 4, 0.25, 0.5)]),
        # of a journal of before prices: 2000 inputs a second at 2 ms a call are 4 a call
        ({"low": 1.0, "ms": 2.0, "high": 3.0, "rate": 2000.0}, [("measured", 4, 0.25, 0.5)]),
        ({"least": 2.0}, []),
        (None, []),
    ],
)
def test_an_outcome_is_priced_by_its_times(result, found):
    """At 3.6 an hour, n ms of a call of 4 inputs cost n / 4."""
    prices = Outcome({}, result).prices(3.6)
    assert [(p.by, p.items, p.low, p.price) for p in prices] == [
        (by, items, pytest.approx(low), price and pytest.approx(price))
        for by, items, low, price in found
    ]


RATES = "[tool.costlab]\nprofile = 'l4'\n{}\n" + CONFIG


@pytest.mark.parametrize(
    ("keys", "given", "said"),
    [
        ("rate = 3.6", [], "at 3.6 an hour"),
        ("rate = 2", ["--rate", "5"], "at 5 an hour"),
        ("rate = 2\n[tool.costlab.defaults]\nrate = 5", [], "at 2 an hour"),
        ("[tool.costlab.defaults]\nrate = 5", [], "at 5 an hour"),
        ("", ["--rate", "5"], "at 5 an hour"),
    ],
)
def test_check_judges_prices(tmp_path, monkeypatch, capsys, keys, given, said):
    """By the rate that is given, that of the file, or the user's default."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "pyproject.toml"
    file.write_text(RATES.format(keys, limit="'at_least_price <= 1000'"))
    found = json.loads(run(capsys, "check", *given))
    assert [row["verdict"] for row in found["rows"]] == ["passed"]
    [note] = [n for n in found["notes"] if "price of a million inputs" in n]
    assert said in note


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("rate = '2'", "pyproject.toml:3: [tool.costlab]: rate is a number"),
        ("rate = true", "pyproject.toml:3: [tool.costlab]: rate is a number"),
        ("rate = 0", "pyproject.toml:3: [tool.costlab]: a rate of 0 an hour is no price; give"),
    ],
)
def test_a_rate_of_a_file_that_is_no_price_is_one_line(tmp_path, capsys, key, line):
    (tmp_path / "pyproject.toml").write_text(RATES.format(key, limit="'macs > 1'"))
    assert main(["check", str(tmp_path / "pyproject.toml")]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def test_a_limit_on_a_price_without_a_rate_is_skipped(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text(RATES.format("", limit="'at_least_price <= 1'"))
    [verdict] = costlab.check(file).models[0].verdicts
    assert (verdict.outcome, verdict.why[:7]) == ("skipped", "no rate")
    assert costlab.check(file, rate=2.0, update=True).passed
    assert "price" not in (tmp_path / "costlab.lock").read_text()


def test_assert_cost_takes_a_rate():
    given = {"profile": Calibrated(), "rate": 3.6}
    costlab.assert_cost("alexnet", predicted_price="<= 1.6", **given)
    with pytest.raises(AssertionError, match=r"predicted-price 1\.54, limit: predicted_price <= 1"):
        costlab.assert_cost("alexnet", predicted_price="<= 1", **given)


def test_a_default_rate_is_passed_over_where_there_is_no_time():
    assert prices(costlab.trace("alexnet", rate=Rate(3.6, fallback=True))) == ()
    with pytest.raises(ValueError, match="alexnet has no time to price by"):
        costlab.trace("alexnet", rate=3.6)
    swept = costlab.sweep("nin_cifar10", over={"batch": [1]}, rate=Rate(1, fallback=True))
    assert swept.rate is None


@pytest.mark.parametrize("rate", ["2", True])
def test_a_rate_is_a_number(rate):
    with pytest.raises(TypeError, match="costlab.table: rate takes a number or None"):
        costlab.table("alexnet", profile="h100", rate=rate)
