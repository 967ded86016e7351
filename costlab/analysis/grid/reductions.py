"""The places of a model where its grid shrinks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from ...cost import total
from ...graph import Fork, Node, consumers, forks, layer_graph
from ...predict import Saving, predicted_like, prediction_of
from ...trace import Trace
from ...trace.build import traced
from . import notes

_IMAGE = 4  # channels: pooling an image itself beside a convolution is no network's habit
_REDUCING = ("conv", "max pool", "avg pool")


@dataclass(frozen=True)
class Reduction:
    """A place of a model where the grid shrinks.

    Attributes:
        place: module path.
        before, after: (channels, H, W) of the whole scheme.
        narrowest: elements of one image right after a pool that stands alone; None for no such
            place.
        bottleneck: whether that is fewer than before and than after what follows.
        macs: multiply-adds of its convolutions now, of one run.
        parallel: those of the same grid and channels by a strided convolution beside the pool; None
            for no such form.
        time: predicted for both forms; None without a profile, or without such a form.
    """

    place: str
    scheme: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    macs: int
    parallel: int | None = None
    narrowest: int | None = None
    bottleneck: bool = False
    time: Saving | None = None

    @property
    def saved(self) -> int:
        """MACs that the parallel form saves."""
        return 0 if self.parallel is None else self.macs - self.parallel

    @property
    def time_saved(self) -> float:
        """Predicted seconds that it saves; 0 where that is not known."""
        saved = self.time.saved if self.time else None
        return saved.seconds or 0.0 if saved else 0.0


def reductions(trace: Trace) -> tuple[Reduction, ...]:
    """The places of a model where its grid shrinks, the largest saving by a parallel form
    (*Rethinking*, Section 5) first: of predicted time where the trace has it, otherwise of MACs. A
    convolution and the pool before or after it are one scheme."""
    return tuple(sorted(_Network(trace).places(), key=lambda r: (-r.time_saved, -r.saved)))


@dataclass(frozen=True)
class _Form:
    """The parallel form of a scheme: its multiply-adds (None: there is no such form), and the
    predicted time of both."""

    macs: int | None = None
    time: Saving | None = None


class _Network:
    """The layers of a trace, what reads each, and the forks whose branches meet."""

    def __init__(self, trace: Trace):
        self.trace = trace
        self.nodes = layer_graph(trace)
        self.readers = consumers(self.nodes)
        self.forks = forks(self.nodes)
        self._place = {id(op): i for i, op in enumerate(trace.ops)}

    def places(self) -> Iterator[Reduction]:
        """Each place once, in the order in which they run."""
        owner = {member: fork for fork in self.forks for member in fork.members}
        done: set[int] = set()
        for node in self.nodes:
            if node.index in done or not _shrinks(node):
                continue
            fork = owner.get(node.index)
            if fork:
                done.update(fork.members)
                yield self._branches(node, fork)
            elif node.kind == "conv":
                yield self._strided(node)
            else:
                yield self._pool(node)

    def _branches(self, node: Node, fork: Fork) -> Reduction:
        """Branches that reduce beside each other."""
        end, root = self.nodes[fork.end], self.nodes[fork.root]
        before = node.in_shape if node.index == fork.root else root.out_shape
        return Reduction(
            _module(end), notes.BRANCHES, before[1:], end.out_shape[1:], self._macs_of(fork)
        )

    def _strided(self, node: Node) -> Reduction:
        """A convolution that reduces by itself."""
        before, after = node.in_shape[1:], node.out_shape[1:]
        plain = _is_plain(node)
        form = self._in_parallel((node,), before, after, node.stride) if plain else _Form()
        return Reduction(
            _module(node),
            notes.strided(node.kernel, max(node.stride)),
            before,
            after,
            self._macs(node),
            parallel=form.macs,
            time=form.time,
        )

    def _pool(self, pool: Node) -> Reduction:
        """A pool, with the convolution before or the layer after it."""
        first = self.nodes[pool.preds[0]]
        alone = self.readers[first.index] == [pool.index]  # no skip goes round the pool
        if alone and _keeps_the_grid(first):
            return self._convolution_then_pool(first, pool)
        following = self.readers[pool.index]
        last = self.nodes[following[0]] if len(following) == 1 else None
        if last is not None and _keeps_the_grid(last):
            return self._pool_then_convolution(pool, last, alone)
        return self._pool_alone(pool, alone)

    def _convolution_then_pool(self, convolution: Node, pool: Node) -> Reduction:
        before, after = convolution.in_shape[1:], pool.out_shape[1:]
        form = self._in_parallel((convolution, pool), before, after, pool.stride)
        return Reduction(
            _module(convolution),
            notes.convolution_then_pool(convolution.kernel),
            before,
            after,
            self._macs(convolution),
            parallel=form.macs,
            time=form.time,
        )

    def _pool_then_convolution(self, pool: Node, convolution: Node, alone: bool) -> Reduction:
        before, after = pool.in_shape[1:], convolution.out_shape[1:]
        form = self._in_parallel((convolution, pool), before, after, pool.stride)
        low = prod(pool.out_shape[1:])
        return Reduction(
            _module(convolution),
            notes.pool_then_convolution(convolution.kernel),
            before,
            after,
            self._macs(convolution),
            narrowest=low,
            bottleneck=alone and low < min(prod(before), prod(after)),
            parallel=form.macs,
            time=form.time,
        )

    def _pool_alone(self, pool: Node, alone: bool) -> Reduction:
        """A pool that nothing or a module follows."""
        fork = next((f for f in self.forks if f.root == pool.index), None)
        end = self.nodes[fork.end] if fork else pool
        before, after, low = pool.in_shape[1:], end.out_shape[1:], prod(pool.out_shape[1:])
        return Reduction(
            _module(pool),
            notes.POOL_THEN_MODULE if fork else notes.POOL_ALONE,
            before,
            after,
            self._macs_of(fork) if fork else 0,
            None,
            low,
            alone and low < min(prod(before), prod(after)),
        )

    def _in_parallel(
        self,
        scheme: Sequence[Node],
        before: Sequence[int],
        after: Sequence[int],
        stride: Sequence[int],
    ) -> _Form:
        """What the parallel form of a scheme costs, of which the first node is the convolution."""
        other = _parallel(scheme[0], before, after, stride)
        if other is None:
            return _Form()
        time = None
        now, then = prediction_of(self.trace), prediction_of(predicted_like(other, self.trace))
        if now and then:
            ops = [self._place[id(op)] for node in scheme for op in node.ops]
            time = Saving(now.over(ops), then.total)
        return _Form(total(other).macs, time)

    def _macs(self, node: Node) -> int:
        return total(self.trace, [node.op] if node.op else []).macs

    def _macs_of(self, fork: Fork) -> int:
        return total(self.trace, [op for m in fork.members for op in self.nodes[m].ops]).macs


def _shrinks(node: Node) -> bool:
    """Whether a layer makes the grid of an image smaller."""
    strided = bool(node.stride) and max(node.stride) >= 2
    return strided and len(node.out_shape) == 4 and node.kind in _REDUCING


def _is_plain(node: Node) -> bool:
    """Whether a layer is a 2-d convolution over all channels, larger than 1x1, not dilated."""
    return (
        node.kind == "conv"
        and node.groups == 1
        and len(node.kernel) == 2
        and max(node.kernel) > 1
        and set(node.dilation) == {1}
    )


def _keeps_the_grid(node: Node) -> bool:
    """Whether a layer is a plain convolution of stride 1."""
    return _is_plain(node) and set(node.stride) == {1}


def _module(node: Node) -> str:
    """The path of the module that a layer is."""
    return node.op.module if node.op else ""


def _parallel(
    convolution: Node, before: Sequence[int], after: Sequence[int], stride: Sequence[int]
) -> Trace | None:
    """A strided convolution of the same kernel to the channels that the pool does not bring, beside
    the pool; None where there are none."""
    (c_in, *grid), (c_out, *out) = before, after
    if c_out <= c_in or c_in <= _IMAGE:
        return None
    kernel = convolution.kernel[0], convolution.kernel[1]
    # of each axis; negative where the grid is cropped
    vertical, horizontal = (
        (o - 1) * s + k - g for g, o, k, s in zip(grid, out, kernel, stride, strict=False)
    )
    pads = (horizontal // 2, horizontal - horizontal // 2, vertical // 2, vertical - vertical // 2)
    steps = stride[0], stride[1]

    def make() -> nn.Module:
        conv, pool = nn.Conv2d(c_in, c_out - c_in, kernel, steps), nn.MaxPool2d(kernel, steps)
        return _BesideAPool(nn.ZeroPad2d(pads) if any(pads) else nn.Identity(), conv, pool)

    batch = convolution.out_shape[0]
    return traced(make, (batch, *before))


class _BesideAPool(nn.Module):
    """A convolution and a pool of one padded input, whose outputs are joined."""

    def __init__(self, pad: nn.Module, conv: nn.Module, pool: nn.Module):
        super().__init__()
        self.pad, self.conv, self.pool = pad, conv, pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pad(x)
        return torch.cat([self.conv(x), self.pool(x)], 1)
