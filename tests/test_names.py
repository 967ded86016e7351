"""Names never decide: the same network under meaningless names of classes, attributes and list
entries gives the same table and the same audit."""

import itertools
import random

import pytest
import torch
from selection import slow_but
from torch import nn
from torch.nn import functional

from costlab import audit, table, trace, zoo
from costlab.analysis.audit import published_models
from costlab.reference.printed import tables_of
from costlab.sources import load
from costlab.sources.run import trace_loaded
from costlab.zoo.googlenet import TABLE1

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


# of branches, of residual blocks, plain; the others are slow
QUICK = {"googlenet", "resnet50", "vgg16"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in zoo.names()],
)
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


# #outputs, #inputs, kernel of each convolution of GoogLeNet, in the order that it runs them
def convolutions():
    yield from ((64, 3, 7), (64, 64, 1), (192, 64, 3))
    width = 192
    for n1, n3r, n3, n5r, n5, proj in TABLE1.values():
        yield from ((n1, width, 1), (n3r, width, 1), (n3, n3r, 3), (n5r, width, 1), (n5, n5r, 5))
        yield proj, width, 1
        width = n1 + n3 + n5 + proj


def forward_without_modules(x, convolve, classify):
    """GoogLeNet's forward pass as calls of functions; `convolve(i, x)` is the i-th convolution."""
    order = itertools.count()

    def conv(x):
        return functional.relu(convolve(next(order), x))

    def pool(x):
        return functional.max_pool2d(x, 3, 2, ceil_mode=True)

    x = functional.local_response_norm(pool(conv(x)), 5, 1e-4, 0.75)
    x = pool(functional.local_response_norm(conv(conv(x)), 5, 1e-4, 0.75))
    for name in TABLE1:
        branches = [conv(x), conv(conv(x)), conv(conv(x)), conv(functional.max_pool2d(x, 3, 1, 1))]
        x = torch.cat(branches, 1)
        x = pool(x) if name in ("3b", "4e") else x
    return functional.softmax(classify(functional.avg_pool2d(x, 7, 1).flatten(1)), 1)


class Functions(nn.Module):
    """No module but the network: its parameters are two flat lists."""

    def __init__(self):
        super().__init__()
        self.a = nn.ParameterList(torch.empty(o, i, k, k) for o, i, k in convolutions())
        self.b = nn.ParameterList(torch.empty(o) for o, _, _ in convolutions())
        self.c, self.d = nn.Parameter(torch.empty(1000, 1024)), nn.Parameter(torch.empty(1000))

    def forward(self, x):
        def convolve(i, x):
            return functional.conv2d(
                x, self.a[i], self.b[i], 1 if i else 2, self.a[i].shape[-1] // 2
            )

        return forward_without_modules(x, convolve, lambda x: functional.linear(x, self.c, self.d))


class Shuffled(nn.Module):
    """All layers in one bag, the last first, under names that papers give to other layers."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Linear(1024, 1000)
        layers = list(enumerate(convolutions()))
        random.Random(0).shuffle(layers)
        made = {i: nn.Conv2d(c, o, k, 1 if i else 2, k // 2) for i, (o, c, k) in layers}
        self.inception3a = nn.ModuleDict({self.name(i): conv for i, conv in made.items()})

    @staticmethod
    def name(i):
        return f"pool{37 * i % 101}"

    def forward(self, x):
        def convolve(i, x):
            return self.inception3a[self.name(i)](x)

        return forward_without_modules(x, convolve, self.conv1)


@pytest.mark.parametrize("network", slow_but((Shuffled,), (Functions, Shuffled)))
def test_a_network_that_is_written_otherwise_has_the_same_table_and_audit(network):
    with torch.device("meta"):
        other = trace(network().eval(), torch.empty(1, 3, 224, 224))
    assert table(other).style == "paper"
    # dropout leaves nothing in a run of functions
    (printed,) = tables_of("googlenet")
    rows = [row for row in printed.rows if "dropout" not in row["type"]]
    own, others = (
        [
            {k: v for k, v in r.cells.items() if k not in NAMES}
            for r in table(model, style="paper", convention="paper").rows
            if "dropout" not in r.cells["type"]
        ]
        for model in ("googlenet", other)
    )
    assert own == others
    assert audit(other, against=rows).cells == audit("googlenet", against=rows).cells
