"""An ONNX file with the costs of its nodes, which Netron shows among a node's metadata."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...trace.record import Trace
from .values import Work, work_of_nodes

if TYPE_CHECKING:
    import onnx


def netron(trace: Trace, value: str = "") -> bytes:
    """The file that was traced, with `costlab.macs`, `costlab.flops`, `costlab.bytes` and, where it
    was measured, `costlab.microseconds` in the `metadata_props` of each node that costs something.
    Its tensors stay as they are; those in other files are still found beside it.

    Raises ValueError for a trace of no ONNX file, or of one that is no longer there."""
    model = onnx_graph(trace)
    costs = work_of_nodes(trace)
    for node in _nodes(model.graph):
        work = costs.get(node.name or next(iter(node.output), ""))
        if work is not None:
            for key, text in _facts(work).items():
                node.metadata_props.add(key=f"costlab.{key}", value=text)
    return model.SerializeToString()


def onnx_graph(trace: Trace) -> onnx.ModelProto:
    """The file that a trace is of, read again. Raises ValueError where it is none, or is gone."""
    path = trace.provenance["model"]
    if not path.lower().endswith(".onnx"):
        raise ValueError(f"{path} is not an ONNX file; export the model with torch.onnx.export")
    if not os.path.isfile(path):
        raise ValueError(f"the trace is of {path}, which does not exist; give the ONNX file")
    from ...sources._onnx import read

    return read(path).model


def _facts(work: Work) -> dict[str, str]:
    facts = {"macs": str(work.macs), "flops": str(work.flops), "bytes": str(work.bytes)}
    if work.seconds is not None:
        facts["microseconds"] = f"{1e6 * work.seconds:.3f}"
    return facts


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes of a graph, and of the graphs inside them (`If`, `Loop`)."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)
