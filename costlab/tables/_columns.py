"""The columns that `--columns` adds: one entry each, computed from a row's operations or layers."""

from __future__ import annotations

from ..cost import total
from ._parts import Group, size, x


def _field(trace, group: Group):
    seen = [n.field for n in group.nodes if n.op]
    if not seen:
        return ""
    if any(f is None for f in seen):
        return "all"
    return x(map(max, zip(*seen)))


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
    "weights": ("elements", _of_total("weights")),
    "input size": ("", lambda t, g: size(g.nodes[0].in_shape) if g.nodes and g.nodes[0].op else ""),
    "groups": ("", _per_layer(lambda n: n.groups)),
    "dilation": ("", _per_layer(lambda n: x(n.dilation))),
    "module": ("", lambda t, g: g.path),
    "operations": ("count", lambda t, g: len(g.ops)),
}
