"""Convolutions, products, pools, joins as nodes; every other operation belongs to the node that it
follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..cost.formulas import quantized
from ..trace.cached import once_per_trace
from ..trace.record import Op, Trace
from .draft import Draft, Geometry, Near
from .layout import CHANNEL, PLACES, Layout, layouts
from .moves import Shape, ints
from .node import Node
from .receptive_field import fields

_KINDS = {
    **dict.fromkeys(("aten.convolution", *quantized.CONVOLUTIONS), "conv"),
    **dict.fromkeys(quantized.TRANSPOSED, "transposed conv"),
    **dict.fromkeys((*quantized.LINEAR, *quantized.HALF), "linear"),
    "aten.addmm": "linear",
    "aten.mm": "linear",
    "aten._grouped_mm": "linear",
    "aten.bmm": "product",
    "aten.baddbmm": "product",
    **dict.fromkeys(
        ("aten.embedding", "aten._embedding_bag", "aten._embedding_bag_forward_only"), "embedding"
    ),
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
    **{f"aten.quantized_max_pool{n}d": "max pool" for n in (1, 2, 3)},
    "aten._adaptive_avg_pool2d": "avg pool",
    "aten._adaptive_avg_pool3d": "avg pool",
    "aten.adaptive_max_pool2d": "max pool",
    "aten.adaptive_max_pool3d": "max pool",
}
# what reads only the shape of its input, and what writes over all of its first one
READS_SHAPES = frozenset(
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
_CATS = frozenset(("aten.cat", "quantized.cat", "quantized.cat_relu"))
_OVER = frozenset(("aten.copy_", "aten.copy"))
_VIEWS = frozenset(("aten.view", "aten._unsafe_view"))


@once_per_trace
def layer_graph(trace: Trace) -> tuple[Node, ...]:
    """Nodes in execution order; node 0 is the input. Worked out once and kept with the trace."""
    return _Builder(trace).nodes()


@dataclass
class _Builder:
    """Walks a trace in execution order. `node_of`: the node that each tensor belongs to;
    `prepared`: by tensor, operations on parameters alone (a transpose, a cast), which belong to the
    layer that uses them first; `made_of`: those parameters, also for layers that use them later."""

    trace: Trace
    drafts: list[Draft] = field(default_factory=list)
    node_of: dict[int, int] = field(default_factory=dict)
    prepared: dict[int, list[Op]] = field(default_factory=dict)
    made_of: dict[int, frozenset[int]] = field(default_factory=dict)

    def nodes(self) -> tuple[Node, ...]:
        """All nodes of the trace."""
        inputs = self.trace.inputs
        start = next(iter(inputs), -1)
        first = self.trace.tensors[start].shape if inputs else ()
        self.drafts.append(Draft("input", None, start, (), [], 0, Geometry(after=first)))
        self.node_of = dict.fromkeys(inputs, 0)
        for op in self.trace.forward:
            self._take(op)
        self._place([op for ops in self.prepared.values() for op in ops])
        return tuple(map(self._node, range(len(self.drafts))))

    def _take(self, op: Op) -> None:
        """An operation becomes a layer, joins the one that it follows, or waits for the layer that
        uses it."""
        read = op.inputs[1:] if op.name in _OVER else op.inputs
        read = () if op.name in READS_SHAPES else read
        sources: list[int] = [self.node_of[i] for i in read if i in self.node_of]
        before = [o for i in dict.fromkeys(op.inputs) for o in self.prepared.pop(i, ())]
        if not sources:
            if op.outputs:
                self.prepared[op.outputs[0]] = [*before, op]
                self.made_of.update(dict.fromkeys(op.outputs, self._weights(op)))
            return
        preds = tuple(dict.fromkeys(sources))
        kind = self._kind(op, len(sources)) or ("join" if len(preds) > 1 else None)
        if kind is None or not op.outputs:
            self.drafts[sources[0]].ops += (*before, op)
            self.node_of.update(dict.fromkeys(op.outputs, sources[0]))
            return
        self.node_of.update(dict.fromkeys(op.outputs, len(self.drafts)))
        self.drafts.append(
            Draft(
                kind,
                op,
                op.outputs[0],
                tuple(sources) if kind == "cat" else preds,
                [*before, op],
                self._dominator(preds),
                self._shape(op, kind, self.drafts[sources[0]]),
                self._weights(op),
            )
        )

    def _weights(self, op: Op) -> frozenset[int]:
        """The parameters that an operation applies, itself or as they were prepared."""
        return frozenset(op.params).union(*(self.made_of.get(i, ()) for i in op.inputs))

    def _kind(self, op: Op, sources: int) -> str | None:
        kind = _KINDS.get(op.name)
        if kind == "conv" and op.attrs.get("transposed"):
            return "transposed conv"
        if kind == "linear" and all(i in self.node_of for i in op.inputs[-2:]):
            return "product"  # of two tensors that both come from the input
        if kind == "avg pool" and self._pools_channels(op):
            return None  # a local response norm: torch averages its channels with a pool
        if op.name == "aten.mean" and self._averages_places(op):
            return "avg pool"
        if op.name in _CATS and sources > 1 and self._along_channels(op):
            return "cat"
        return kind

    def _pools_channels(self, op: Op) -> bool:
        """Whether the window of a pool is longer than one along the channels."""
        roles = layouts(self.trace)[op.inputs[0]].roles
        kernel = ints(op.attrs.get("kernel_size"), len(roles) - 2)
        return any(r == CHANNEL and k > 1 for r, k in zip(roles[2:], kernel, strict=True))

    def _averages_places(self, op: Op) -> bool:
        """A mean over the grid or all tokens, and nothing else."""
        if not op.inputs or not op.attrs.get("dim"):
            return False
        roles = layouts(self.trace)[op.inputs[0]].roles
        averaged = {d % len(roles) for d in ints(op.attrs["dim"], len(op.attrs["dim"]))}
        places = {d for d, role in enumerate(roles) if role in PLACES}
        return averaged == places and CHANNEL in roles

    def _along_channels(self, op: Op) -> bool:
        out = layouts(self.trace)[op.outputs[0]]
        dim: int = op.attrs.get("dim", 0) % max(1, len(out.dims))
        return out.roles[dim] == CHANNEL or (dim == 1 and CHANNEL not in out.roles)

    def _dominator(self, preds: Sequence[int]) -> int:
        found = preds[0]
        for p in preds[1:]:
            while found != p:
                if found > p:
                    found = self.drafts[found].idom
                else:
                    p = self.drafts[p].idom
        return found

    def _shape(self, op: Op, kind: str, before: Draft) -> Geometry:
        shapes = self.trace.shapes(op)
        out = self.trace.tensors[op.outputs[0]].shape
        into = shapes[1 if op.name in ("aten.addmm", "aten.baddbmm") else 0]
        if kind in ("conv", "transposed conv"):
            n = len(shapes[1]) - 2
            stride, dilation = (ints(op.attrs.get(k), n) for k in ("stride", "dilation"))
            return Geometry(into, out, shapes[1][2:], stride, dilation, op.attrs.get("groups", 1))
        if not kind.endswith("pool"):
            return Geometry(into, out)
        found = Geometry(into, out, *self._window(op, into, out))
        one_row = len(found.kernel) == 2 and found.kernel[0] == 1
        return found.flat if one_row and len(before.shape.after) == 3 else found

    def _window(self, op: Op, into: Shape, out: Shape) -> tuple[Shape, Shape, Shape]:
        """Kernel, stride and dilation of a pool."""
        if op.name == "aten.mean":
            dims: list[int] = sorted(d % len(into) for d in op.attrs["dim"])
            ones = (1,) * len(dims)
            return tuple(into[d] for d in dims), ones, ones
        n = len(out) - 2
        if "adaptive" in op.name:
            pairs = list(zip(into[2:], out[2:], strict=True))
            size = tuple(-(-i // o) for i, o in pairs)
            return size, tuple(max(1, i // o) if o > 1 else 1 for i, o in pairs), (1,) * n
        kernel = ints(op.attrs.get("kernel_size"), n)
        stride = ints(op.attrs.get("stride") or kernel, n)
        return kernel, stride, ints(op.attrs.get("dilation"), n)

    def _place(self, left: list[Op]) -> None:
        """Operations that nothing reads (what a kernel makes for its own use) belong to the layer
        of their module that comes next, or to the last of it; of a module without layers to the
        input."""
        order = {id(op): i for i, op in enumerate(self.trace.ops)}
        by_call: dict[tuple[str, int], Near] = {}
        for draft in self.drafts:
            for op in draft.ops:
                by_call.setdefault((op.module, op.call), Near()).add(order[id(op)], draft)
        grown: dict[int, Draft] = {}
        for op in left:
            near = by_call.get((op.module, op.call))
            draft = near.after(order[id(op)]) if near else self.drafts[0]
            draft.ops.append(op)
            grown[id(draft)] = draft
        for draft in grown.values():
            draft.ops.sort(key=lambda op: order[id(op)])

    def _node(self, index: int) -> Node:
        d, s = self.drafts[index], self.drafts[index].shape
        seen = fields(self.trace)[d.output]
        return Node(
            index,
            d.kind,
            d.op,
            d.output,
            d.preds,
            tuple(d.ops),
            d.idom,
            layouts(self.trace)[viewed(d)] if d.output >= 0 else Layout(()),
            s.before,
            s.after,
            s.kernel,
            s.stride,
            s.dilation,
            s.groups,
            seen.size if seen else None,
            seen.jump if seen else None,
            d.weights,
        )


def viewed(draft: Draft | Node) -> int:
    """The output as its module gives it: torch multiplies matrices of rows, and views the product
    as its operand was before."""
    if draft.kind in ("linear", "product"):
        for op in draft.ops:
            if op.name in _VIEWS and op.inputs[0] == draft.output:
                return op.outputs[0]
    return draft.output
