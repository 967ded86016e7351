"""Files for the tools that a reviewer already has."""

from __future__ import annotations

import os

from ._arguments import public
from ._models import Model, as_trace


@public
def export(
    model: Model, path: str | os.PathLike[str], *, to: str = "perfetto", value: str = "macs"
) -> None:
    """Write what a model costs for another tool.

    Args:
        model: a trace, a `costlab.load` result, or a name. For "perfetto" a measured trace, for
            "model-explorer" one of a program of torch.export or of an ONNX file, for "netron" one
            of an ONNX file, for "model-explorer-graph" any.
        path: the file to write.
        to: "perfetto" (ui.perfetto.dev and chrome://tracing), "model-explorer" (node data),
            "model-explorer-graph" (the graph with costs) or "netron" (a copy of the ONNX file with
            the costs of each node).
        value: what Model Explorer colours nodes by: "macs", "flops", "bytes", or "time" of a
            measured trace.

    Raises ValueError for another tool or value, and for a model that the tool cannot show; OSError
    where the file cannot be written."""
    from ..render.exports import EXPORTS, VALUES
    from ..trace.files import write_file

    for given, known in ((to, EXPORTS), (value, VALUES)):
        if given not in known:
            raise ValueError(f"unknown {given!r}; choose {', '.join(known)}")
    data = EXPORTS[to](as_trace(model, "export"), value)
    write_file(path, data.encode() if isinstance(data, str) else data)
