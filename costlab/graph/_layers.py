"""Convolutions, products, pools, joins as nodes; every other operation belongs to the node that it follows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

from ..trace._record import Op, Trace

_KINDS = {
    "aten.convolution": "conv",
    "aten.addmm": "linear",
    "aten.mm": "linear",
    "aten._grouped_mm": "linear",
    "aten.bmm": "product",
    "aten.baddbmm": "product",
    "aten.embedding": "embedding",
    "aten._softmax": "softmax",
    "aten._safe_softmax": "softmax",
    "aten.native_dropout": "dropout",
    "costlab.dropout": "dropout",
    **{
        f"aten.{n}": f"{n[:3]} pool"
        for n in (
            "max_pool1d",
            "max_pool2d",
            "max_pool3d",
            "max_pool2d_with_indices",
            "max_pool3d_with_indices",
            "avg_pool1d",
            "avg_pool2d",
            "avg_pool3d",
        )
    },
    "aten._adaptive_avg_pool2d": "avg pool",
    "aten._adaptive_avg_pool3d": "avg pool",
    "aten.adaptive_max_pool2d": "max pool",
    "aten.adaptive_max_pool3d": "max pool",
}
# what only looks at the shape of its input, and what writes over all of its first one
_EMPTY = frozenset(
    f"aten.{n}"
    for n in (
        "new_empty",
        "new_zeros",
        "new_ones",
        "new_full",
        "new_empty_strided",
        "empty_like",
        "zeros_like",
        "ones_like",
        "full_like",
        "rand_like",
        "randn_like",
    )
)
_OVER = frozenset(("aten.copy_", "aten.copy"))
WEIGHTED = ("conv", "transposed conv", "linear")


@dataclass(frozen=True)
class Node:
    """One layer. `ops` are its own operation `op` and those that follow it up to the next layer; `preds` index earlier
    nodes, `idom` the immediate dominator (where a fork began). `kernel`, `stride`, `dilation` in elements a spatial
    dimension; `field` and `jump`: receptive field and step between neighbours, in input pixels a spatial dimension,
    None where the layer sees everything or there is no grid."""

    index: int
    kind: str
    op: Op | None
    output: int
    preds: tuple[int, ...]
    ops: tuple[Op, ...]
    idom: int
    in_shape: tuple[int, ...] = ()
    out_shape: tuple[int, ...] = ()
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    field: tuple[int, ...] | None = None
    jump: tuple | None = None

    @property
    def pointwise(self) -> bool:
        """A 1x1 convolution of any rank."""
        return self.kind == "conv" and set(self.kernel) == {1}

    @property
    def width(self) -> int:
        """Output channels (features for a linear layer)."""
        return self.out_shape[1] if self.kind != "linear" else self.out_shape[-1]


def _dims(value, ndim):
    value = (
        (1,) if not value and value != 0 else (value,) if isinstance(value, int) else tuple(value)
    )
    return value if len(value) == ndim else value[:1] * ndim


def _kind(trace: Trace, op: Op, sources: int) -> str | None:
    kind = _KINDS.get(op.name)
    if kind == "conv" and op.attrs.get("transposed"):
        return "transposed conv"
    if kind == "avg pool" and op.module_type == "LocalResponseNorm":
        return None  # torch averages over channels with a 3-d pool; it is no pooling layer
    shape = trace.shapes(op)[0] if op.inputs else ()
    if (
        op.name == "aten.mean"
        and len(shape) == 4
        and {d % 4 for d in op.attrs.get("dim") or ()} == {2, 3}
    ):
        return "avg pool"
    if op.name == "aten.cat" and sources > 1 and op.attrs.get("dim", 0) % max(1, len(shape)) == 1:
        return "cat"
    return kind


def _geometry(trace: Trace, op: Op, kind: str):
    """kernel, stride, dilation, groups of a convolution or pool; empty for the rest."""
    shapes = trace.shapes(op)
    if kind in ("conv", "transposed conv"):
        n = len(shapes[1]) - 2
        return (
            shapes[1][2:],
            _dims(op.attrs.get("stride"), n),
            _dims(op.attrs.get("dilation"), n),
            op.attrs.get("groups", 1),
        )
    if kind.endswith("pool"):
        n = len(trace.tensors[op.outputs[0]].shape) - 2
        if "adaptive" in op.name or op.name == "aten.mean":
            out = trace.tensors[op.outputs[0]].shape[2:] or (1,) * (len(shapes[0]) - 2)
            size = tuple(-(-i // o) for i, o in zip(shapes[0][2:], out))
            return (
                size,
                tuple(max(1, i // o) if o > 1 else 1 for i, o in zip(shapes[0][2:], out)),
                (1,) * len(size),
                1,
            )
        kernel = _dims(op.attrs.get("kernel_size"), n)
        return (
            kernel,
            _dims(op.attrs.get("stride") or kernel, n),
            _dims(op.attrs.get("dilation"), n),
            1,
        )
    return (), (), (), 1


def _flat(kernel, stride, dilation, in_shape, out_shape):
    """torch runs 1-d pools as 2-d ones on a grid of one row: without that row."""
    return (
        kernel[1:],
        stride[1:],
        dilation[1:],
        (*in_shape[:2], *in_shape[3:]),
        (*out_shape[:2], *out_shape[3:]),
    )


def _seen(kind, op, before, in_shape, kernel, stride, dilation, fields):
    """Receptive field and jump after a layer, from its predecessors' (Araujo et al. 2019, eq. 1)."""
    if any(f is None for f, _ in fields) or not fields or kind in ("product", "embedding"):
        return None, None
    field = tuple(map(max, zip(*(f for f, _ in fields))))
    jump = tuple(map(max, zip(*(j for _, j in fields))))
    n = len(field)
    if kind == "transposed conv":
        step = tuple(Fraction(j) / s for j, s in zip(jump, stride))
        return tuple(
            int(f + (k - 1) * d * j) for f, k, d, j in zip(field, kernel, dilation, step)
        ), step
    if kernel and len(kernel) == n:
        return (
            tuple(int(f + (k - 1) * d * j) for f, k, d, j in zip(field, kernel, dilation, jump)),
            tuple(j * s for j, s in zip(jump, stride)),
        )
    if (
        kind == "linear" and len(before) == n + 2 and in_shape and in_shape[-1] == prod(before[1:])
    ):  # flattened
        return tuple(int(f + (k - 1) * j) for f, k, j in zip(field, before[2:], jump)), jump
    return field, jump


def layer_graph(trace: Trace) -> tuple[Node, ...]:
    """Nodes in execution order; node 0 is the input."""
    first = trace.tensors[trace.inputs[0]].shape if trace.inputs else ()
    n = len(first) - 2
    start = ((1,) * n, (1,) * n) if n > 0 else (None, None)
    nodes = [
        dict(
            kind="input",
            op=None,
            output=trace.inputs[0] if trace.inputs else -1,
            preds=(),
            ops=[],
            idom=0,
            out_shape=first,
            field=start[0],
            jump=start[1],
        )
    ]
    home = dict.fromkeys(trace.inputs, 0)
    prepared: dict[
        int, list[Op]
    ] = {}  # ops on parameters alone (a transpose, a cast) belong to the layer that uses them

    def meet(a, b):
        while a != b:
            a, b = (nodes[a]["idom"], b) if a > b else (a, nodes[b]["idom"])
        return a

    for op in trace.forward:
        sources = [
            home[i]
            for i in (() if op.name in _EMPTY else op.inputs[1:] if op.name in _OVER else op.inputs)
            if i in home
        ]
        preds = tuple(dict.fromkeys(sources))
        before = [o for i in dict.fromkeys(op.inputs) for o in prepared.pop(i, ())]
        if not preds:
            if op.outputs:
                prepared[op.outputs[0]] = [*before, op]
            continue
        kind = _kind(trace, op, len(sources)) or ("join" if len(preds) > 1 else None)
        if kind is None or not op.outputs:
            node = nodes[preds[0]]
            node["ops"] += (*before, op)
            if "upsample" in op.name and node["jump"] and op.outputs:
                shapes = trace.shapes(op)[0][2:], trace.tensors[op.outputs[0]].shape[2:]
                node["jump"] = tuple(Fraction(j) * i / o for j, i, o in zip(node["jump"], *shapes))
            home.update(dict.fromkeys(op.outputs, preds[0]))
            continue
        kernel, stride, dilation, groups = _geometry(trace, op, kind)
        in_shape = trace.shapes(op)[1 if op.name in ("aten.addmm", "aten.baddbmm") else 0]
        out_shape = trace.tensors[op.outputs[0]].shape
        if (
            kind.endswith("pool")
            and len(kernel) == 2
            and kernel[0] == 1
            and len(nodes[preds[0]]["out_shape"]) == 3
        ):
            kernel, stride, dilation, in_shape, out_shape = _flat(
                kernel, stride, dilation, in_shape, out_shape
            )
        idom = preds[0]
        for p in preds[1:]:
            idom = meet(idom, p)
        grid = nodes[preds[0]]  # a flattened grid may go through dropout before the linear layer
        while grid["kind"] == "dropout" and len(grid["out_shape"]) == 2 and grid["preds"]:
            grid = nodes[grid["preds"][0]]
        field, jump = _seen(
            kind,
            op,
            grid["out_shape"],
            in_shape,
            kernel,
            stride,
            dilation,
            [(nodes[p]["field"], nodes[p]["jump"]) for p in preds],
        )
        home.update(dict.fromkeys(op.outputs, len(nodes)))
        nodes.append(
            dict(
                kind=kind,
                op=op,
                output=op.outputs[0],
                preds=tuple(sources) if kind == "cat" else preds,
                ops=[*before, op],
                idom=idom,
                in_shape=in_shape,
                out_shape=out_shape,
                kernel=kernel,
                stride=stride,
                dilation=dilation,
                groups=groups,
                field=field,
                jump=jump,
            )
        )
    _place(trace, nodes, [op for ops in prepared.values() for op in ops])
    return tuple(
        Node(index=i, **{**node, "ops": tuple(node["ops"])}) for i, node in enumerate(nodes)
    )


def _place(trace, nodes, left):
    """Operations that nothing reads (what a kernel makes for its own use) belong to the layer of their module that comes next, or to the last
    of it; of a module without layers to the input."""
    order = {id(op): i for i, op in enumerate(trace.ops)}
    homes: dict[tuple, list[tuple[int, dict]]] = {}
    for node in nodes:
        for op in node["ops"]:
            homes.setdefault((op.module, op.call), []).append((order[id(op)], node))
    for op in left:
        near = homes.get((op.module, op.call), ())
        node = next((n for i, n in near if i > order[id(op)]), near[-1][1] if near else nodes[0])
        node["ops"].append(op)
        node["ops"].sort(key=lambda o: order[id(o)])


def longest(members, counts=lambda n: n.kind in WEIGHTED) -> int:
    """Layers on the longest path through `members` (in execution order) for which `counts` is true: by default those with
    weights, which is what the papers call depth."""
    best: dict[int, int] = {}
    for n in members:
        best[n.index] = max((best.get(p, 0) for p in n.preds), default=0) + bool(counts(n))
    return max(best.values(), default=0)
