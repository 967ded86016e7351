"""Random models as programs, with what they cost and how they are wired by their own closed form.

A program is drawn as a list of `Gene`s. Each is one statement over what is there before it, so any
part of the list is a program too: that is how a failing one shrinks. The statements are in
`random_statements`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

INPUT = 0  # the layer that stands for the inputs


class Gene(NamedTuple):
    """A statement by name, and numbers that choose among what it can be."""

    name: str
    of: int
    how: int
    size: int


@dataclass(frozen=True)
class Layer:
    """What multiplies by weights or by another tensor: its `kind` as in a layer graph, the layers
    that it `reads` through none other, its multiply-adds, and how many layers it counts for."""

    kind: str
    reads: frozenset[int]
    macs: int
    depth: int = 1


@dataclass
class Memory:
    """What tensors that share memory hold: the layers that it comes from."""

    reads: frozenset[int]


@dataclass
class Value:
    """A variable of the program. `whole`: it is all of its memory; `writable`: in place."""

    name: str
    shape: tuple[int, ...]
    memory: Memory
    whole: bool = True
    writable: bool = True

    @property
    def reads(self) -> frozenset[int]:
        return self.memory.reads


@dataclass(frozen=True)
class Shared:
    """A module that can be called again: its layers from `first` to before `end`, and its output.
    `depends`: whether the output comes from its input through no layer of its own."""

    attribute: str
    into: tuple[int, ...]
    out: tuple[int, ...]
    first: int
    end: int
    reads: frozenset[int]


@dataclass
class Scope:
    """A module while it is written."""

    name: str
    attribute: str = ""
    source: Value | None = None
    first: int = 1
    init: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    shared: list[Shared] = field(default_factory=list)
    writes_input: bool = False

    def text(self, arguments: str, result: str) -> str:
        init = ["super().__init__()", *self.init]
        body = [*self.body, f"return {result}"]
        lines = [f"class {self.name}(nn.Module):", "    def __init__(self):"]
        lines += [f"        {line}" for line in init]
        lines += ["", f"    def forward(self, {arguments}):"]
        return "\n".join([*lines, *(f"        {line}" for line in body)])


class Program:
    """A program while it is written; `layers[0]` stands for the inputs."""

    def __init__(self, batch: int):
        self.batch = batch
        self.layers = [Layer("input", frozenset(), 0, 0)]
        self.params = 0
        self.forks: list[tuple[frozenset[int], ...]] = []  # of each, the layers of each branch
        self.applied_again = False
        self.classes: list[str] = []
        self.scopes = [Scope("Net")]
        self._names = iter(range(10**6))

    @property
    def scope(self) -> Scope:
        return self.scopes[-1]

    # -- what statements use

    def find(self, which: int, test: Callable[[Value], bool]) -> Value | None:
        """A value of the module at hand, the latest one where `which` is 0."""
        found = [v for v in self.scope.values if test(v)]
        return found[-1 - which % len(found)] if found else None

    def register(self, made_by: str, params: int = 0, kind: str = "m") -> str:
        """A new attribute of the module at hand."""
        name = f"{kind}{next(self._names)}"
        self.scope.init.append(f"self.{name} = {made_by}")
        self.params += params
        return name

    def say(self, line: str) -> None:
        self.scope.body.append(line)

    def put(self, text: str, shape: Sequence[int], reads: frozenset[int]) -> Value:
        """A new value in memory of its own."""
        return self._put(text, Value("", tuple(shape), Memory(reads)))

    def view(self, text: str, v: Value, shape: Sequence[int], *, part: bool = False) -> Value:
        """A new value in the memory of another."""
        whole = v.whole and not part
        return self._put(text, Value("", tuple(shape), v.memory, whole, v.writable))

    def _put(self, text: str, value: Value) -> Value:
        value.name = f"v{next(self._names)}"
        self.say(f"{value.name} = {text}")
        self.scope.values.append(value)
        return value

    def layer(self, kind: str, reads: frozenset[int], macs: int, depth: int = 1) -> frozenset[int]:
        """A new layer; what reads it reads this."""
        self.layers.append(Layer(kind, reads, macs, depth))
        return frozenset((len(self.layers) - 1,))

    def written(self, v: Value, reads: frozenset[int]) -> None:
        """A value was written in place. Another part of its memory has changed or not, depending on
        where it is: it is not used any more."""
        v.memory.reads |= reads
        for scope in self.scopes:
            scope.values = [
                u for u in scope.values if u is v or u.memory is not v.memory or u.whole or v.whole
            ]
            scope.writes_input |= scope.source is not None and scope.source.memory is v.memory

    def apply(
        self,
        v: Value,
        made_by: str,
        out: Sequence[int],
        macs: int,
        *,
        params: int = 0,
        kind: str = "linear",
        depth: int = 1,
        call: str = "self.{}({})",
    ) -> Value:
        """A module with weights, called on a value."""
        name, first = self.register(made_by, params), len(self.layers)
        result = self.put(call.format(name, v.name), out, self.layer(kind, v.reads, macs, depth))
        if call == "self.{}({})":
            self.scope.shared.append(
                Shared(name, v.shape, result.shape, first, len(self.layers), result.reads)
            )
        return result

    def apply_again(self, shared: Shared, v: Value) -> Value:
        """A module called once more: copies of its layers."""
        self.applied_again = True
        shift = len(self.layers) - shared.first

        def moved(reads: frozenset[int]) -> frozenset[int]:
            own = frozenset(i + shift for i in reads if i >= shared.first)
            return own | v.reads if any(i < shared.first for i in reads) else own

        for layer in self.layers[shared.first : shared.end]:
            self.layer(layer.kind, moved(layer.reads), layer.macs, layer.depth)
        return self.put(f"self.{shared.attribute}({v.name})", shared.out, moved(shared.reads))

    # -- modules in modules

    def enter(self, v: Value) -> None:
        """Write a module that is called on a value, until `leave`."""
        name = f"m{next(self._names)}"
        inner = Scope(f"Block{name}", name, v, len(self.layers))
        inner.values.append(Value("x", v.shape, v.memory, v.whole, v.writable))
        self.scopes.append(inner)

    def leave(self) -> None:
        """The module at hand is whole: call it."""
        inner, outer = self.scopes.pop(), self.scope
        v, out = inner.source, inner.values[-1]
        assert v is not None, "the outermost module is not left"
        self.classes.append(inner.text("x", out.name))
        outer.init.append(f"self.{inner.attribute} = {inner.name}()")
        called = f"self.{inner.attribute}({v.name})"
        if out.memory is v.memory:
            self._put(called, Value("", out.shape, v.memory, out.whole, out.writable))
            return
        result = self._put(called, Value("", out.shape, out.memory, out.whole, out.writable))
        if not inner.writes_input:
            outer.shared.append(
                Shared(
                    inner.attribute,
                    v.shape,
                    out.shape,
                    inner.first,
                    len(self.layers),
                    result.reads,
                )
            )


@dataclass(frozen=True)
class Written:
    """A program that is whole: its text, which defines `Net` and `inputs`, and its closed form."""

    text: str
    layers: tuple[Layer, ...]
    params: int
    forks: tuple[tuple[frozenset[int], ...], ...]
    applied_again: bool

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def depth(self) -> int:
        """Layers with weights on the longest path."""
        best: list[int] = []
        for layer in self.layers:
            own = layer.depth if layer.kind in ("conv", "transposed conv", "linear", "unit") else 0
            best.append(own + max((best[i] for i in layer.reads), default=0))
        return max(best)

    @property
    def edges(self) -> list[tuple[str, list[int]]]:
        """The kind of each layer, and which it reads."""
        return [(layer.kind, sorted(layer.reads)) for layer in self.layers]


HEADER = """import torch
from torch import nn
from torch.nn import functional as F

"""


def write(genes: Sequence[Gene], batch: int, train: bool) -> Written:
    """The program of some genes."""
    from random_statements import INPUTS, STATEMENTS

    p = Program(batch)
    read = frozenset((INPUT,))
    for name, shape, _ in INPUTS:
        p.scope.values.append(Value(name, (batch, *shape), Memory(read)))
    used = len(p.scope.values)
    for gene in genes:
        STATEMENTS[gene.name](p, gene)
    while len(p.scopes) > 1:
        p.leave()
    results = [v.name for v in p.scope.values[used:]][-2:] or [p.scope.values[0].name]
    unpacked = "image, tokens, sequence = data['image'], data['more'][0], data['more'][1][0]"
    p.scope.body.insert(0, unpacked)
    net = p.scope.text("data", f"({', '.join(results)},)")
    parts = [HEADER, *(f"{text}\n\n\n" for text in p.classes), f"{net}\n\n\n"]
    made = {name: f"{how.format(shape=(batch, *shape))}" for name, shape, how in INPUTS}
    parts.append(
        f"torch.manual_seed(0)\nnet = Net().{'train' if train else 'eval'}()\n"
        f"data = {{'image': {made['image']}, 'more': [{made['tokens']}, ({made['sequence']},)]}}\n"
    )
    return Written("".join(parts), tuple(p.layers), p.params, tuple(p.forks), p.applied_again)


def numbered(text: str) -> Iterator[str]:
    """Lines with their numbers."""
    for i, line in enumerate(text.splitlines(), 1):
        yield f"{i:4}  {line}"
