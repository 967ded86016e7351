"""The axes of a trace and their roles: from what operations read, and from what an axis was made
of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from .record import BATCH, CHANNEL, PLACES, TOKENS, UNKNOWN, Dim, Factor


@dataclass
class Axis:
    """An axis while roles are still found: its `role`, or that of its `parents`; `features` where
    it is new channels of them."""

    size: int
    role: str | None = None
    parents: tuple[int, ...] = ()
    features: bool = False
    likely: str | None = None
    joined: list[tuple[int, int, tuple[Factor, ...]]] = field(default_factory=list)


class Axes:
    """All axes, by number. `sequences`: the second axis of an input of three dimensions, to the
    third: which are channels, operations say."""

    def __init__(self):
        self.sequences: dict[int, int] = {}
        self._axes: list[Axis] = []
        self._roles: dict[int, str] = {}

    def __getitem__(self, axis: int) -> Axis:
        """An axis by its number."""
        return self._axes[axis]

    def new(
        self,
        size: int,
        *,
        role: str | None = None,
        parents: tuple[int, ...] = (),
        features: bool = False,
        likely: str | None = None,
    ) -> Factor:
        """A new axis of `size` positions, whole; the rest as of `Axis`."""
        self._axes.append(Axis(size, role, parents, features, likely))
        return Factor(len(self._axes) - 1, size)

    def bare(self, factors: Sequence[Factor]) -> bool:
        """Whether nothing is known of the axes."""
        axes = [self._axes[f.axis] for f in factors]
        return all(not (a.role or a.likely or a.parents) for a in axes)

    def settle(self, axis: int, role: str) -> None:
        """An axis without a role gets one; through what it was made of, if that is one axis."""
        a = self._axes[axis]
        while len(a.parents) == 1 and not a.features:
            axis = a.parents[0]
            a = self._axes[axis]
        if a.role is None and not a.parents:
            a.role = role
            if role == CHANNEL and axis in self.sequences:  # channels first
                self._axes[self.sequences[axis]].likely = "time"

    def role(self, axis: int) -> str:
        """The role of an axis: its own, or that of what it was made of."""
        if axis not in self._roles:
            a = self._axes[axis]
            self._roles[axis] = a.role or a.likely or UNKNOWN
            if not a.role and a.parents:
                self._roles[axis] = self._inherited(a)
        return self._roles[axis]

    def _inherited(self, a: Axis) -> str:
        roles = {self.role(p) for p in a.parents}
        if a.features:
            return TOKENS if roles <= set(PLACES) else CHANNEL
        if len(roles) == 1:
            return roles.pop()
        if roles <= set(PLACES):
            return TOKENS
        return BATCH if BATCH in roles else CHANNEL if CHANNEL in roles else UNKNOWN

    def dim(self, factors: Sequence[Factor], size: int) -> Dim:
        """A dimension of `size` elements that these parts of axes make."""
        parts = tuple((self.role(f.axis), f.axis, f.size, f.step) for f in factors)
        role = self._mixed(factors)
        batch = prod(n for role, _, n, _ in parts if role == BATCH)
        inner = any(f.step == 1 for f in factors if f.size > 1) or size == 1
        return Dim(size, role, parts, size // max(1, batch), inner)

    def _mixed(self, factors: Sequence[Factor]) -> str:
        """The role of a dimension of several factors: batch wins (windows are items); channels win
        over the inside of a patch, and lose to a whole grid axis that they make finer."""
        if any(self.role(f.axis) == BATCH for f in factors):
            return BATCH
        shown = [f for f in factors if f.size > 1] or factors[:1]
        roles = {self.role(f.axis) for f in shown}
        if not roles:
            return UNKNOWN
        if len(roles) == 1:
            return roles.pop()
        if roles <= set(PLACES):
            return TOKENS
        if UNKNOWN in roles:
            return UNKNOWN
        if any(self.role(f.axis) == CHANNEL and self._complete(f.axis, shown) for f in shown):
            return CHANNEL
        places = [self.role(f.axis) for f in shown if self.role(f.axis) != CHANNEL]
        return places[0] if len(set(places)) == 1 else TOKENS

    def _complete(self, axis: int, factors: Sequence[Factor]) -> bool:
        return prod(f.size for f in factors if f.axis == axis) == self._axes[axis].size
