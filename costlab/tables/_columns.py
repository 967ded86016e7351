"""The columns that `--columns` adds: one entry each, computed from a row's operations or layers."""

from __future__ import annotations

from ..cost import total
from ..graph import layouts
from ._parts import Group, x


def _input_size(trace, group: Group) -> str:
    first = group.nodes[0] if group.nodes else None
    if first is None or first.op is None or not first.op.inputs:
        return ""
    place = 1 if first.op.name in ("aten.addmm", "aten.baddbmm") else 0
    return layouts(trace)[first.op.inputs[place]].size


def _field(trace, group: Group):
    seen = [n.field for n in group.nodes if n.op]
    if not seen:
        return ""
    if any(f is None for f in seen):
        return "unknown"
    return x(map(max, zip(*seen, strict=True)))


def _of_total(name):
    return lambda trace, group: getattr(total(trace, group.ops), name)


def _per_layer(get):
    return lambda trace, group: "; ".join(
        dict.fromkeys(str(v) for n in group.nodes if n.kernel and (v := get(n)) is not None)
    )


# name -> (unit, function of the trace and the group); a unit of "" is text
COLUMNS = {
    "receptive field": ("pixels", _field),
    "MACs": ("MACs", _of_total("macs")),
    "FLOPs": ("FLOPs", _of_total("flops")),
    "activations": ("elements", _of_total("activations")),
    "outputs": ("elements", _of_total("outputs")),
    "bytes read": ("bytes", _of_total("read")),
    "bytes written": ("bytes", _of_total("written")),
    "integer MACs": ("MACs", _of_total("integer_macs")),
    "weights": ("elements", _of_total("weights")),
    "biases": ("elements", _of_total("biases")),
    "scales": ("elements", _of_total("scales")),
    "input size": ("", _input_size),
    "groups": ("", _per_layer(lambda n: n.groups)),
    "dilation": ("", _per_layer(lambda n: x(n.dilation))),
    "module": ("", lambda t, g: g.path),
    "operations": ("count", lambda t, g: len(g.ops)),
}
