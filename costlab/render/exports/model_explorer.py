"""Node data for Google's Model Explorer: a value for each node of the graph that it shows.

Format: `ModelNodeData` of `model_explorer.node_data_builder`: by the id of the graph, `results` by
the id of the node. Its own adapter for .pt2 calls the graph "graph" and a node by its name;
`model-explorer-onnx` calls both as the file does. A node without a name gets an id that depends on
the adapter's version, so that it has no value here.
"""

from __future__ import annotations

import json

from ...trace.record import Trace
from .netron import onnx_graph
from .values import Work, value_of, work_of_nodes

_GRAPH = "graph"
_GRADIENT = ((0, "#ffffff"), (1, "#d1495b"))  # from the smallest value to the largest


def model_explorer(trace: Trace, value: str = "macs") -> str:
    """The `value` (of `VALUES`) of each node, as JSON.

    Raises ValueError for a trace of no exported graph, an ONNX file that is no longer there, and
    time that was not measured."""
    nodes = work_of_nodes(trace)
    label, get = value_of(trace, value)
    graph, named = _graph(trace, nodes)
    data = {
        "name": f"costlab: {label}",
        "results": {node: {"value": get(nodes[node])} for node in named},
        "gradient": [{"stop": stop, "bgColor": colour} for stop, colour in _GRADIENT],
    }
    return json.dumps({graph: data}, indent=2) + "\n"


def _graph(trace: Trace, nodes: dict[str, Work]) -> tuple[str, list[str]]:
    """The id of the graph, and the nodes whose id is known. Raises ValueError where none is."""
    model = trace.provenance["model"]
    if not model.lower().endswith(".onnx"):
        return _GRAPH, list(nodes)
    graph = onnx_graph(trace).graph
    names = {node.name for node in graph.node}
    named = [node for node in nodes if node in names]
    if not named:
        raise ValueError(f"the nodes of {model} have no names, which Model Explorer needs")
    return graph.name or "<main>", named
