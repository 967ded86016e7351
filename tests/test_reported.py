"""Models that were reported as counted or shown wrongly: their right values."""

from collections import Counter
from importlib.util import find_spec

import pytest
import torch
from selection import slow_but
from torch import nn

import costlab
from costlab.analysis.compare import compare
from costlab.cost.registry import REGISTRY
from costlab.graph import layer_graph, longest
from costlab.sources.run import trace_loaded
from costlab.tables import table


def traced(spec):
    library = spec.partition(":")[0]
    if not find_spec(library):
        pytest.skip(f"{library} is not installed")
    return trace_loaded(costlab.load(spec))


# sizes are grid, then channels, in whatever order the model keeps its tensors
SIZES = {
    "timm:maxvit_tiny_tf_224": ["56x56x64", "28x28x128", "14x14x256", "7x7x512"],
    "timm:mambaout_femto": ["56x56x48", "28x28x96", "14x14x192", "7x7x288"],
    "timm:gcvit_xxtiny": ["56x56x64", "28x28x128", "14x14x256", "7x7x512"],
    "timm:hiera_tiny_224": ["3136x96", "784x192", "196x384"],  # 56^2, 28^2 and 14^2 tokens
    "timm:volo_d1_224": ["28x28x192", "14x14x384"],
    "torchvision:swin_t": ["56x56x96", "28x28x192", "14x14x384", "7x7x768"],
}


def sizes_of(trace, among):
    """Which of these sizes a table shows, in the order of its rows."""
    shown = (r.cells["output size"] for r in table(trace, "layers").rows)
    return list(dict.fromkeys(size for size in shown if size in among))


@pytest.mark.parametrize("spec", slow_but({"torchvision:swin_t", "timm:hiera_tiny_224"}, SIZES))
def test_stages_have_their_sizes(spec):
    assert sizes_of(traced(spec), SIZES[spec]) == SIZES[spec]


def test_compare_finds_the_heads_of_convnext_and_swin():
    """768 features to 1000 classes; the stages have strides 4, 8, 16 and 32 in both."""
    found = compare([traced("torchvision:convnext_tiny"), traced("torchvision:swin_t")])
    rows = {r["what"]: r for r in found.sheet.rows}
    heads = rows["head: MACs"]
    assert [v for v in heads.values() if isinstance(v, int)] == [768_000, 768_000]
    strides = [w.split()[1] for w in rows if w.startswith("stride ") and w.endswith("MACs")]
    assert strides == ["4", "8", "16", "32"]


@pytest.mark.slow
def test_time_steps_are_no_depth():
    """Sequencer: 18 blocks of an LSTM in two directions, a linear layer after it and two in the
    MLP; a stem, three layers between the stages, and the head."""
    trace = traced("timm:sequencer2d_s")
    assert longest(layer_graph(trace)) == 18 * 4 + 5
    sizes = ["32x32x192", "16x16x384"]
    assert sizes_of(trace, sizes) == sizes


def test_blocks_of_attention_and_mlp_alternate():
    rows = [r.cells.get("layers") for r in table(traced("timm:vit_small_resnet26d_224")).rows]
    block = "[[linear, 2304; attention; linear, 768]; [linear, 2304; linear, 768]] x 8"
    assert rows[-2:] == [block, "linear, 1000"]


def test_a_table_counts_every_operation_once(monkeypatch):
    calls = Counter()

    def counted(fn):
        def call(trace, op):
            calls[id(op)] += 1
            return fn(trace, op)

        return call

    known = {name: counted(fn) for name, fn in REGISTRY.formulas.items()}
    monkeypatch.setattr(REGISTRY, "formulas", known)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
    trace = costlab.trace(model.eval(), torch.zeros(1, 3, 8, 8))
    str(table(trace))
    assert calls == {id(op): 1 for op in trace.ops}
