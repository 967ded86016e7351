"""Limits: what an expression means, what it is compared with, what is said of a wrong one."""

import dataclasses

import pytest
import torch
from torch import nn

import costlab
from costlab.analysis.limits import (
    QUANTITIES,
    LimitError,
    block_names,
    called_in_both,
    judge,
    measure_block,
    parse,
)


class Net(nn.Module):
    """(1, 3, 8, 8) -> (1, 10); 3x3 convolutions of 3 -> 4 -> `middle`, then a linear layer."""

    def __init__(self, middle=4):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, middle, 3, padding=1))
        self.head = nn.Linear(middle * 64, 10)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


def traced(middle=4):
    return costlab.trace(Net(middle), torch.zeros(1, 3, 8, 8))


# 3*4*9 + 4 = 112 and 4*4*9 + 4 = 148 params; 64 positions: 108*64 = 6,912 and 144*64 = 9,216 MACs;
# the head: 256*10 + 10 = 2,570 params, 2,560 MACs
WHOLE = {
    "params": 112 + 148 + 2570,
    "macs": 6912 + 9216 + 2560,
    "integer-macs": 0,
    "activations": 256 + 256 + 10,
    "time": None,
    "receptive-field": 8 + 4,  # the head sees all of it, and the padding of two 3x3
}


@pytest.mark.parametrize("quantity, value", WHOLE.items())
def test_a_quantity_of_the_whole_model(quantity, value):
    assert measure_block(traced(), quantity) == value


def test_flops_and_bytes_are_those_of_the_total():
    whole = costlab.total(traced())
    assert measure_block(traced(), "flops") == whole.flops > 2 * whole.macs
    assert measure_block(traced(), "bytes") == whole.read + whole.written > 0


@pytest.mark.parametrize(
    "block, params, macs",
    [("body", 260, 16128), ("body.0", 112, 6912), ("body.1", 148, 9216), ("head", 2570, 2560)],
)
def test_a_quantity_of_a_block(block, params, macs):
    assert measure_block(traced(), "params", block) == params
    assert measure_block(traced(), "macs", block) == macs


def test_the_receptive_field_of_a_block_is_that_of_its_last_output():
    assert [measure_block(traced(), "receptive-field", b) for b in ("body.0", "body")] == [3, 5]


def test_the_blocks_are_the_modules_that_run_and_those_around_them():
    assert block_names(traced()) == ("body", "body.0", "body.1", "head")


def test_the_peak_of_a_block_is_at_most_that_of_the_model():
    trace = traced()
    whole = costlab.memory(trace).peak
    peaks = [measure_block(trace, "peak", b) for b in ("body", "head")]
    assert measure_block(trace, "peak") == whole == max(peaks) and min(peaks) < whole


@pytest.mark.parametrize(
    "text, block, quantity, relation, bound, basis",
    [
        ("macs <= 2.1G", "", "macs", "<=", 2.1e9, "value"),
        ("params>+1%", "", "params", ">", 0.01, "percent"),
        ("MACs < -3%", "", "macs", "<", -0.03, "percent"),
        ("stages.2: macs >= +10M", "stages.2", "macs", ">=", 1e7, "difference"),
        ("peak <= 300MB", "", "peak", "<=", 3e8, "value"),
        ("peak <= 300 MiB", "", "peak", "<=", 300 * 2**20, "value"),
        ("time > 3.2ms", "", "time", ">", 3.2e-3, "value"),
        ("time > +50us", "", "time", ">", 5e-5, "difference"),
        ("params <= 25,557,032", "", "params", "<=", 25557032, "value"),
        ("params <= 1.2B", "", "params", "<=", 1.2e9, "value"),
        ("receptive_field < 299", "", "receptive-field", "<", 299, "value"),
    ],
)
def test_an_expression_is_read(text, block, quantity, relation, bound, basis):
    limit = parse(text)
    assert (limit.block, limit.quantity, limit.relation) == (block, quantity, relation)
    assert limit.bound == pytest.approx(bound) and limit.basis == basis


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "is not a limit; write for example 'macs <= 2.1G'"),
        ("macs", "is not a limit"),
        ("macs = 3G", "is not a limit"),
        ("mac > 3G", "did you mean macs?"),
        ("speed > 3", "limits 'speed', which costlab does not count"),
        ("macs > 1%", "write +1% or -1%"),
        ("macs > 3ms", "'ms' does not suit macs, which takes k, m, g, b, t"),
        ("time > 3", "'no unit' does not suit time, which takes s, ms, us"),
        ("macs > many", "'many' is not a value; write for example 2.1G"),
    ],
)
def test_what_is_no_limit_is_quoted(text, says):
    with pytest.raises(LimitError) as e:
        parse(text)
    assert says in str(e.value) and "\n" not in str(e.value)


# macs of the base 18,688; with 5 channels in the middle 6,912 + 11,520 + 3,200 = 21,632: +15.75%
@pytest.mark.parametrize(
    "text, holds",
    [
        ("macs > +15%", True),
        ("macs > +16%", False),
        ("macs <= +2944", True),
        ("macs < +2944", False),
        ("macs <= 21632", True),
        ("macs < 21632", False),
        ("body: macs > +14.2%", True),
        ("body: macs > +14.3%", False),
        ("body.0: macs > +0%", False),
        ("body.0: macs >= +0%", True),
    ],
)
def test_a_limit_is_judged(text, holds):
    assert judge(parse(text), traced(5), traced()).holds is holds


@pytest.mark.parametrize(
    "text, tolerance, holds",
    [
        ("macs <= 18000", 0.0, False),
        ("macs <= 18000", 0.05, True),
        ("macs >= 19000", 0.0, False),
        ("macs >= 19000", 0.05, True),
        ("macs <= +0%", 0.0, True),
    ],
)
def test_a_tolerance_is_a_share_of_the_bound(text, tolerance, holds):
    assert judge(parse(text), traced(), traced(), tolerance=tolerance).holds is holds


def test_a_tolerance_of_a_change_is_a_share_of_the_base():
    limit = parse("macs <= +0%")
    assert not judge(limit, traced(5), traced()).holds
    assert not judge(limit, traced(5), traced(), tolerance=0.15).holds
    assert judge(limit, traced(5), traced(), tolerance=0.16).holds
    assert judge(parse("macs <= +1"), traced(5), traced(), tolerance=0.16).holds


def test_what_is_new_is_more_than_any_share():
    base = costlab.trace(nn.Sequential(nn.ReLU()), torch.zeros(1, 4))
    head = costlab.trace(nn.Sequential(nn.Linear(4, 4)), torch.zeros(1, 4))
    assert judge(parse("macs > +1000%"), head, base).holds
    assert not judge(parse("macs > +0%"), base, base).holds


@pytest.mark.parametrize(
    "text, says",
    [
        ("macs > +1%", "'macs > +1%' is a change from a base, and there is none"),
        ("bdy: macs > 1", "has no module 'bdy' that runs; did you mean body?"),
        ("time > 1ms", "was not measured"),
    ],
)
def test_what_cannot_be_judged_is_one_line(text, says):
    with pytest.raises(LimitError) as e:
        judge(parse(text), traced())
    assert says in str(e.value) and "\n" not in str(e.value)


def test_a_judgement_says_both_values_and_the_limit():
    found = judge(parse("body: macs > +1%"), traced(5), traced())
    assert str(found) == "body: macs 16.13K -> 18.43K (+14.29%), limit: body: macs > +1%"
    assert str(judge(parse("peak <= 1KB"), traced())).startswith("peak ")


@pytest.mark.parametrize(
    "block, base, head",
    [
        ("stage2", "stage2", "layer2"),  # both of its parts went there
        ("layer2", "stage2", "layer2"),
        ("stage2.0", "stage2.0", "layer2.1"),
        ("stage2.0.conv", "stage2.0.conv", "layer2.1.conv"),  # inside a part
        ("stem", "stem", "stem"),  # in both
        ("old", "old", "old"),  # its parts went to two places
        ("gone", "gone", "gone"),
        ("none", "none", "none"),
        ("", "", ""),
    ],
)
def test_a_block_is_found_by_what_its_parts_are_called(block, base, head):
    pairs = [
        ("stage2.0", "layer2.1"),
        ("stage2.1", "layer2.2"),
        ("old.0", "a.0"),
        ("old.1", "b.0"),
        ("gone.0", "stem.0"),  # of a module that the base has too
    ]
    named = (
        ["stem", "stage2", "stage2.0", "stage2.0.conv", "stage2.1", "old", "gone"],
        ["stem", "layer2", "layer2.1", "layer2.1.conv", "layer2.2", "a", "b"],
    )
    assert called_in_both(block, *named, pairs) == (base, head)


def test_every_quantity_says_what_it_is():
    assert all(q.says and q.name == name for name, q in QUANTITIES.items())
    assert all(dataclasses.is_dataclass(q) for q in QUANTITIES.values())
