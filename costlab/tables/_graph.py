"""The layer graph of a trace: convolutions, products, pools, joins; everything else is passed through."""
from __future__ import annotations

from dataclasses import dataclass, field

from ..trace._record import Op, Trace

_KINDS = {"aten.convolution": "conv", "aten.addmm": "linear", "aten.mm": "linear", "aten.bmm": "product", "aten.baddbmm": "product",
          "aten.max_pool2d_with_indices": "max pool", "aten.max_pool2d": "max pool", "aten.avg_pool2d": "avg pool",
          "aten._adaptive_avg_pool2d": "avg pool", "aten._softmax": "softmax", "aten.native_dropout": "dropout"}


@dataclass
class Node:
    """One layer: `ops` are its own operation and those passed through after it; `preds` index earlier nodes."""

    index: int
    kind: str
    op: Op | None
    output: int
    preds: tuple[int, ...]
    ops: list[Op] = field(default_factory=list)
    idom: int = 0
    out_shape: tuple[int, ...] = ()
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()


def _dims(value, ndim, default=1):
    value = (default,) * ndim if not value and value != 0 else (value,) if isinstance(value, int) else tuple(value)
    return value if len(value) == ndim else value[:1] * ndim


def layer_graph(trace: Trace) -> list[Node]:
    """Nodes in execution order; node 0 is the input. `idom` is the immediate dominator: where a fork began."""
    nodes = [Node(0, "input", None, trace.inputs[0] if trace.inputs else -1, ())]
    home = {t: 0 for t in trace.inputs}
    prepared: dict[int, list[Op]] = {}  # ops on parameters alone (a transpose, a cast) belong to the layer that uses them

    def meet(a, b):
        while a != b:
            if a > b:
                a = nodes[a].idom
            else:
                b = nodes[b].idom
        return a

    for op in trace.ops:
        preds = tuple(dict.fromkeys(home[i] for i in op.inputs if i in home))
        kind = _KINDS.get(op.name)
        if op.name == "aten.mean" and op.outputs and preds and len(trace.shapes(op)[0]) == 4 and set(
                d % 4 for d in op.attrs.get("dim") or ()) == {2, 3}:
            kind = "avg pool"
        if op.name == "aten.cat" and op.outputs and preds:
            sources = [home[i] for i in op.inputs if i in home]
            channel = op.attrs.get("dim", 0) % max(1, len(trace.tensors[op.outputs[0]].shape)) == 1
            if channel and len(sources) > 1:
                preds, kind = tuple(sources), "cat"
        if kind is None and len(preds) > 1:
            kind = "join"
        before = [o for i in dict.fromkeys(op.inputs) for o in prepared.pop(i, ())]
        if not preds and op.outputs:
            prepared[op.outputs[0]] = [*before, op]
            continue
        if kind is None or not preds:
            for i in op.outputs:
                home[i] = preds[0]
            nodes[preds[0] if preds else 0].ops.extend((*before, op))
            continue
        node = Node(len(nodes), kind, op, op.outputs[0] if op.outputs else -1, preds, [*before, op])
        node.idom = preds[0]
        for p in preds[1:]:
            node.idom = meet(node.idom, p)
        if op.outputs:
            node.out_shape = trace.tensors[op.outputs[0]].shape
        ndim = max(1, len(node.out_shape) - 2)
        if kind == "conv":
            node.kernel = trace.shapes(op)[1][2:]
            node.stride = _dims(op.attrs.get("stride"), ndim)
        elif kind.endswith("pool"):
            source = trace.shapes(op)[0][2:]
            whole = op.name in ("aten._adaptive_avg_pool2d", "aten.mean")
            node.kernel = source if whole else _dims(op.attrs.get("kernel_size"), ndim)
            node.stride = (1,) * ndim if whole else _dims(op.attrs.get("stride") or op.attrs.get("kernel_size"), ndim)
        nodes.append(node)
        for i in op.outputs:
            home[i] = node.index
    for ops in prepared.values():
        nodes[0].ops.extend(ops)
    return nodes
