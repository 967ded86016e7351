"""Params that are trained and params that are frozen."""

import gzip
import json

import pytest
import torch
from torch import nn

import costlab

INPUT = torch.empty(1, 3, 8, 8)


def network(*frozen):
    """Three convolutions: 3*8*9 + 8 = 224, 8*8*9 + 8 = 584, 8*2 + 2 = 18 params."""
    model = nn.Sequential()
    model.add_module("stem", nn.Conv2d(3, 8, 3))
    model.add_module("body", nn.Conv2d(8, 8, 3))
    model.add_module("head", nn.Conv2d(8, 2, 1))
    for name in frozen:
        model.get_submodule(name).requires_grad_(False)
    return model


CASES = {
    (): 826,
    ("stem",): 584 + 18,
    ("stem", "body"): 18,
    ("stem", "body", "head"): 0,
}


@pytest.mark.parametrize("frozen", CASES, ids="+".join)
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_total(frozen, device):
    trace = costlab.trace(network(*frozen), INPUT, device=device)
    assert costlab.total(trace).trainable == CASES[frozen]
    assert costlab.total(trace).params == 826


def test_row_by_row():
    trace = costlab.trace(network("stem", "body"), INPUT)
    table = costlab.table(trace, style="layers", columns=["trainable"])
    assert [row.cells["trainable"] for row in table.rows] == [0, 0, 18]
    assert table.totals["trainable"] == 18
    assert "826 params, 18 trainable (18 of 826)" in table.notes


def test_a_network_without_frozen_params_has_no_note():
    notes = costlab.table(costlab.trace(network(), INPUT)).notes
    assert not any("trainable" in note for note in notes)


def test_a_tied_param_counts_once():
    model = network("stem")
    model.register_module("again", model.get_submodule("stem"))
    trace = costlab.trace(nn.Sequential(model.stem, model.body), INPUT)
    assert (costlab.total(trace).params, costlab.total(trace).trainable) == (808, 584)


def test_a_step_has_gradients_of_what_is_trained():
    """18 gradients of four bytes; Adam keeps two values for each."""
    trace = costlab.trace(network("stem", "body"), INPUT, backward=True)
    found = costlab.memory(trace)
    assert found.gradients == 18 * 4
    assert found.optimizers == {"SGD": 0, "SGD with momentum": 72, "Adam": 144}
    assert costlab.training(trace).gradients == 18 * 4


def test_saved_and_read(tmp_path):
    trace = costlab.trace(network("stem"), INPUT)
    trace.save(tmp_path / "frozen.trace")
    read = costlab.Trace.load(tmp_path / "frozen.trace")
    assert read.params == trace.params
    assert [p.trainable for p in read.params] == [False, False, True, True, True, True]


def _rewritten(path, change):
    doc = json.loads(gzip.decompress(path.read_bytes()))
    doc["params"] = [change(row) for row in doc["params"]]
    path.write_bytes(gzip.compress(json.dumps(doc).encode()))


def test_an_older_file_does_not_know(tmp_path):
    path = tmp_path / "older.trace"
    costlab.trace(network("stem"), INPUT).save(path)
    _rewritten(path, lambda row: row[:4])
    read = costlab.Trace.load(path)
    assert costlab.total(read).trainable is None
    table = costlab.table(read, style="layers", columns=["trainable"])
    assert [row.cells["trainable"] for row in table.rows] == ["unknown"] * 3
    assert not any("trainable" in note for note in table.notes)


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "damaged.trace"
    costlab.trace(network(), INPUT).save(path)
    _rewritten(path, lambda row: [*row[:4], "yes"])
    with pytest.raises(costlab.TraceFileError, match="damaged"):
        costlab.Trace.load(path)
