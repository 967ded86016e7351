"""The graph of any trace for Google's Model Explorer, with the costs of each operation.

Format: a `GraphCollection` of `model_explorer.graph_builder` as JSON, which Model Explorer opens as
it is: nodes with a namespace (their module), attributes, incoming edges and a style.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...trace.record import Op, Param, Tensor, Trace
from .values import Work, facts_of, value_of, work_of

_WHITE, _FULL = (255, 255, 255), (209, 73, 91)  # the colours of no value and of the largest


def model_explorer_graph(trace: Trace, value: str = "macs") -> str:
    """The operations of the forward pass in their modules, as JSON; darker the larger `value` (of
    `VALUES`) is. Raises ValueError for time that was not measured."""
    _, get = value_of(trace, value)
    ops = {i: op for i, op in enumerate(trace.ops) if op.of is None}
    works = {i: work_of(trace, [i]) for i in ops}
    largest = max((get(work) or 0 for work in works.values()), default=0)
    sources = {t: (f"input {n}", 0) for n, t in enumerate(trace.inputs)}
    nodes = [_input(trace, n, t) for n, t in enumerate(trace.inputs)]
    for i, op in ops.items():
        share = (get(works[i]) or 0) / largest if largest else 0.0
        nodes.append(_node(trace, i, op, works[i], sources) | {"style": _style(share)})
        sources |= {t: (str(i), n) for n, t in enumerate(op.outputs)}
    graph = {"id": "forward", "nodes": nodes, "groupNodeAttributes": _groups(trace, ops)}
    return json.dumps({"label": trace.provenance["model"], "graphs": [graph]}) + "\n"


def _input(trace: Trace, number: int, tensor: int) -> dict[str, Any]:
    outputs = [{"id": "0", "attrs": _shape(trace.tensors[tensor])}]
    name = f"input {number}"
    return {"id": name, "label": name, "namespace": "", "outputsMetadata": outputs}


def _node(
    trace: Trace, index: int, op: Op, work: Work, sources: dict[int, tuple[str, int]]
) -> dict[str, Any]:
    """An operation; `sources`: tensor -> the node that gives it, and which of its outputs it is."""
    return {
        "id": str(index),
        "label": op.name.removeprefix("aten."),
        "namespace": op.module.replace(".", "/"),
        "attrs": _attributes({**facts_of(work), **_arguments(trace, op)}),
        "incomingEdges": [
            {
                "sourceNodeId": sources[t][0],
                "sourceNodeOutputId": str(sources[t][1]),
                "targetNodeInputId": str(n),
            }
            for n, t in enumerate(op.inputs)
            if t in sources
        ],
        "outputsMetadata": [
            {"id": str(n), "attrs": _shape(trace.tensors[t])} for n, t in enumerate(op.outputs)
        ],
    }


def _arguments(trace: Trace, op: Op) -> dict[str, object]:
    """What an operation is called with, and where."""
    source = {"source": op.source} if op.source else {}
    params = {trace.params[p].names[0]: _spelled(trace.params[p]) for p in op.params}
    return {"module type": op.module_type, **source, **params, **op.attrs}


def _spelled(tensor: Tensor | Param) -> str:
    """`float32[8,3,3,3]`, as Model Explorer's own adapters spell a tensor."""
    return f"{tensor.dtype}[{','.join(map(str, tensor.shape))}]"


def _shape(tensor: Tensor) -> list[dict[str, str]]:
    return _attributes({"tensor_shape": _spelled(tensor)})


def _attributes(facts: dict[str, object]) -> list[dict[str, str]]:
    return [{"key": key, "value": str(value)} for key, value in facts.items()]


def _groups(trace: Trace, ops: dict[int, Op]) -> dict[str, dict[str, str]]:
    """Namespace -> what its operations cost together; "" for the model."""
    inside: dict[str, list[int]] = {"": list(ops)}
    for i, op in ops.items():
        for module in _around(op.module):
            inside.setdefault(module.replace(".", "/"), []).append(i)
    return {
        name: {key: str(value) for key, value in facts_of(work_of(trace, found)).items()}
        for name, found in inside.items()
    }


def _around(module: str) -> Iterator[str]:
    """The module and those around it."""
    while module:
        yield module
        module = module.rpartition(".")[0]


def _style(share: float) -> dict[str, str]:
    mixed = (round(a + share * (b - a)) for a, b in zip(_WHITE, _FULL, strict=True))
    return {"backgroundColor": "#" + "".join(f"{part:02x}" for part in mixed)}
