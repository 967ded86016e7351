"""A graph with the bodies of its `Loop`, `Scan` and `If`, whose names are made unique in the
file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import onnx

from ._file import File, nodes
from ._limits import require_single, require_whole
from ._operators import Node


@dataclass(frozen=True)
class Entry:
    """An operator as the file has it: its metadata, and its bodies by attribute."""

    node: Node
    metadata: Mapping[str, str]
    bodies: Mapping[str, Subgraph]


@dataclass(frozen=True)
class Subgraph:
    """Operators in order. `inputs` and `outputs` are names of values, `tensors` the initializers
    by name."""

    entries: tuple[Entry, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: Mapping[str, onnx.TensorProto]

    def everything(self) -> Iterator[Subgraph]:
        """This graph, then the bodies within."""
        yield self
        for entry in self.entries:
            for body in entry.bodies.values():
                yield from body.everything()


def read(file: File) -> Subgraph:
    """The graph of a file."""
    return _Reader(file).graph(file.model.graph, {})


class _Reader:
    """Two bodies may use one name for two values: the second gets a number."""

    def __init__(self, file: File):
        self._file = file
        self._taken: set[str] = set()

    def graph(self, proto: onnx.GraphProto, outer: Mapping[str, str]) -> Subgraph:
        """`outer`: the names that the graph sees from around it, and what they are called here."""
        found = nodes(self._file, proto)
        held = [t.name for t in proto.initializer]
        own = held + [v.name for v in proto.input if v.name not in held]
        own += [name for node, _ in found for name in node.outputs if name]
        require_single(own)
        for tensor in proto.initializer:
            require_whole(tensor)
        names = {**outer, **{name: self._unique(name) for name in dict.fromkeys(own)}}
        tensors = {names[t.name]: t for t in proto.initializer}
        return Subgraph(
            tuple(self._entry(node, metadata, names) for node, metadata in found),
            tuple(names[v.name] for v in proto.input),
            tuple(names.get(v.name, v.name) for v in proto.output),
            tensors,
        )

    def _entry(self, node: Node, metadata: Mapping[str, str], names: Mapping[str, str]) -> Entry:
        graphs = {k: v for k, v in node.attrs.items() if isinstance(v, onnx.GraphProto)}
        renamed = replace(
            node,
            inputs=tuple(names.get(n, n) for n in node.inputs),
            outputs=tuple(names.get(n, n) for n in node.outputs),
            attrs={k: v for k, v in node.attrs.items() if k not in graphs},
        )
        return Entry(renamed, metadata, {k: self.graph(g, names) for k, g in graphs.items()})

    def _unique(self, name: str) -> str:
        found, n = name, 1
        while found in self._taken:
            n += 1
            found = f"{name}_{n}"
        self._taken.add(found)
        return found
