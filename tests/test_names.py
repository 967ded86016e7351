"""Names never decide: the same network under meaningless names of classes, attributes and list
entries gives the same table and the same audit."""

import itertools

import pytest
from torch import nn

from costlab import audit, table, zoo
from costlab.analysis.audit import published_models
from costlab.sources import load
from costlab.sources.run import trace_loaded

NAMES = {"name", "layer name"}  # columns that quote the names


def rename(module: nn.Module, fresh: itertools.count) -> None:
    """Give every class of the network's own, and every attribute that is a module, another name.

    Its code reads the old ones, which lead to the new ones."""
    new = {old: f"q{next(fresh)}" for old in module._modules}
    own = type(module)

    def old_name(self, name):
        try:
            return own.__getattr__(self, name)
        except AttributeError:
            if name not in new:
                raise
            return self._modules[new[name]]

    if not own.__module__.startswith("torch.nn"):
        module.__class__ = type(f"K{next(fresh)}", (own,), {"__getattr__": old_name})
    module._modules = {new[old]: child for old, child in module._modules.items()}
    for child in module._modules.values():
        rename(child, fresh)


def renamed(name):
    """The traces of a zoo network under its own names and under others."""
    loaded = load(name, device="meta")
    own = trace_loaded(loaded, device="meta")
    rename(loaded.model, itertools.count())
    return own, trace_loaded(loaded, device="meta")


@pytest.mark.parametrize("name", zoo.names())
def test_a_network_under_other_names_has_the_same_table_and_audit(name):
    own, other = renamed(name)
    modules = [{op.module for op in t.ops if op.module} for t in (own, other)]
    assert modules[0] and modules[0].isdisjoint(modules[1])
    for style in ("auto", "paper", "resnet"):
        tables = [table(t, style=style) for t in (own, other)]
        rows = [
            [{k: r.cells[k] for k in r.cells if k not in NAMES} for r in t.rows] for t in tables
        ]
        assert rows[0] == rows[1], style
        assert tables[0].style == tables[1].style and tables[0].totals == tables[1].totals
    if name in published_models():
        found = [audit(t) for t in (own, other)]
        assert found[0].cells == found[1].cells and found[0].notes == found[1].notes
