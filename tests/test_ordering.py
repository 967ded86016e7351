"""Rows with the most expensive first, and the others as one."""

import json
import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn

import costlab
from costlab.trace.record import Measured, OpTime, Timing

# on an 8x8 grid, float32, without biases:
#        MACs            params      activations   bytes read + written
# small  64*2*4*1*1      8           256           4*(128 + 8 + 256) = 1,568
# large  64*4*8*3*3      288         512           4*(256 + 288 + 512) = 4,224
# wide   64*8*16*1*1     128         1,024         4*(512 + 128 + 1,024) = 6,656
MODEL = nn.Sequential()
MODEL.add_module("small", nn.Conv2d(2, 4, 1, bias=False))
MODEL.add_module("large", nn.Conv2d(4, 8, 3, padding=1, bias=False))
MODEL.add_module("wide", nn.Conv2d(8, 16, 1, bias=False))
MODEL.add_module("last", nn.Conv2d(16, 1, 1, bias=False))  # 64*16 MACs, 16 params, 64 elements
COSTS = {"small": 512, "large": 18_432, "wide": 8_192, "last": 1_024}
PARAMS = {"small": 8, "large": 288, "wide": 128, "last": 16}
ACTIVATIONS = {"small": 256, "large": 512, "wide": 1_024, "last": 64}
BYTES = {"small": 1_568, "large": 4_224, "wide": 6_656, "last": 4 * (1_024 + 16 + 64)}
# what a convolution reads is alive beside what it writes; the input does not count
PEAKS = {
    "small": 4 * 256,
    "large": 4 * (256 + 512),
    "wide": 4 * (512 + 1_024),
    "last": 4 * (1_024 + 64),
}
SECONDS = {"small": 4e-3, "large": 1e-3, "wide": 2e-3, "last": 3e-3}


@pytest.fixture(scope="module")
def trace():
    recorded = costlab.trace(MODEL, torch.empty(1, 2, 8, 8), device="meta")
    at = Timing(10e-3, 10e-3, 10e-3, 0.0, 3)
    times = tuple(OpTime(op.name, i, SECONDS[op.module], 0) for i, op in enumerate(recorded.ops))
    where = {"device": "test", "dtype": "fp32", "layout": "NCHW", "method": "stated"}
    ceilings = {"float32": 1.0, "bandwidth": 1.0}
    measured = Measured(at, at, times, (), 0.0, None, ceilings, where)
    return replace(recorded, measured=measured)


@pytest.mark.parametrize(
    ("sort", "column", "values", "total"),
    [
        ("macs", "ops", COSTS, sum(COSTS.values())),
        ("params", "params", PARAMS, sum(PARAMS.values())),
        ("activations", "activations", ACTIVATIONS, sum(ACTIVATIONS.values())),
        ("bytes", "bytes", BYTES, sum(BYTES.values())),
        ("peak", "peak memory", PEAKS, max(PEAKS.values())),
        ("time", "time", {k: 1e3 * v for k, v in SECONDS.items()}, 10.0),
    ],
)
def test_most_expensive_first(trace, sort, column, values, total):
    """In the order of the values, each with its share; what is left is one row, and the total is
    that of the whole table."""
    largest = sorted(values, key=values.__getitem__, reverse=True)
    whole = costlab.table(trace, style="layers", convention="macs", sort=sort)
    assert [row.name for row in whole.rows] == largest
    assert [row.cells[column] for row in whole.rows] == [values[name] for name in largest]
    assert [c.key for c in whole.columns if c.share and c.key == column] == [column]
    assert whole.sheet.total[column] == pytest.approx(total)

    two = costlab.table(trace, style="layers", convention="macs", sort=sort, top=2)
    *shown, rest = two.rows
    assert [row.name for row in shown] == largest[:2]
    assert two.sheet.rows[2]["type"] == "the other 2 rows"
    together = max if sort == "peak" else sum
    assert rest.cells[column] == together(values[name] for name in largest[2:])
    assert two.sheet.total == whole.sheet.total
    for key in ("params", "ops", "time"):
        assert sum(row.cells[key] for row in two.rows) == pytest.approx(two.sheet.total[key])


def test_the_row_of_the_others(trace):
    """It has their operations, params, MACs and time, and no text of theirs."""
    table = costlab.table(trace, style="layers", columns=["groups", "operations"], top=3)
    rest = table.rows[-1]
    assert (rest.macs, rest.params, rest.seconds) == (512, 8, 4e-3)  # "small"
    assert [trace.ops[i].module for i in rest.ops] == ["small"]
    assert rest.cells["type"] == "the other row"
    assert rest.cells["operations"] == 1
    assert "groups" not in rest.cells and "name" not in rest.cells
    assert table.notes[0] == ("rows by MACs, most expensive first; the other row at the end")


def test_without_an_order_rows_are_in_the_order_of_execution(trace):
    assert [r.name for r in costlab.table(trace, style="layers").rows] == [*COSTS]


def test_as_many_rows_as_there_are_leave_no_others(trace):
    table = costlab.table(trace, style="layers", top=4)
    assert [r.name for r in table.rows] == ["large", "wide", "last", "small"]
    assert table.notes[0] == "rows by MACs, most expensive first"


def test_products_of_integers_are_multiply_adds_too():
    """A quantized network has no floating-point MACs to sort by."""
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 64), nn.Linear(64, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao.quantization is deprecated
        quantized = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, torch.qint8)
    trace = costlab.trace(quantized, torch.empty(1, 4), device="cpu")
    rows = costlab.table(trace, style="layers", sort="macs").rows
    assert [row.cells["integer ops"] for row in rows] == [4 * 64, 64 * 2, 4 * 4]


def test_the_peak_of_a_training_step_is_that_of_its_gradients_too():
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    trace = costlab.trace(model, torch.empty(3, 4), device="meta", backward=True)
    table = costlab.table(trace, style="layers", sort="peak")
    assert table.sheet.total["peak memory"] == costlab.memory(trace).peak
    assert max(row.cells["peak memory"] for row in table.rows) <= costlab.memory(trace).peak


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sort": "cost"}, "cannot sort by 'cost'; choose macs, params, activations, bytes, peak"),
        ({"top": 0}, "top is 0; choose 1 or more"),
        ({"sort": "time"}, "alexnet is not measured, so it has no times to sort by"),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        costlab.table("alexnet", **options)


def test_command(capsys):
    """AlexNet's fc6 is 9,216 x 4,096 + 4,096 and fc7 4,096 x 4,096 + 4,096 of its 61,100,840."""
    from costlab.cli import main

    words = "table torchvision:alexnet --style layers --depth 2 --sort params --top 2 --format json"
    assert main(words.split()) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    params = [row["params (elements)"] for row in rows]
    fc6, fc7 = 9_216 * 4_096 + 4_096, 4_096 * 4_096 + 4_096
    assert params == [fc6, fc7, 61_100_840 - fc6 - fc7]
