"""How the layers of a trace are wired, with everything else between them left out."""

from __future__ import annotations

from costlab.graph import layer_graph
from costlab.trace import Trace

_UNITS = ("LSTM", "GRU", "RNN")  # whose steps are one layer of the program
_LAYERS = ("conv", "transposed conv", "linear", "product", "embedding")


def wiring(trace: Trace) -> tuple[list[tuple[str, list[int]]], dict[int, int]]:
    """The kind of each layer in the order in which they ran, and which of them it reads through
    none other (0: the inputs); a recurrent layer with all its steps is one. Then the number of each
    node of the layer graph that is one of these."""
    nodes = layer_graph(trace)
    layers, number, reads = [("input", set())], {0: 0}, {0: {0}}
    units = {}
    for n in nodes[1:]:
        through = set().union(*(reads[p] for p in n.preds))
        call = (n.op.module, n.op.call) if n.op and n.op.module_type in _UNITS else None
        if n.kind not in _LAYERS:
            reads[n.index] = through
            continue
        if call not in units:
            number[n.index] = len(layers)
            layers.append((n.kind if call is None else "unit", through))
            if call is not None:
                units[call] = number[n.index]
        else:
            number[n.index] = units[call]
            layers[units[call]][1].update(through - {units[call]})
        reads[n.index] = {number[n.index]}
    return [(kind, sorted(read)) for kind, read in layers], number
