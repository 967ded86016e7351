"""What a verification finds: the counts of each peer, and the cause of every difference.

The words for the causes are in `notes`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from ..._result import Result
from ...tables import Column, Sheet
from . import notes as text


class Cause(Enum):
    """Why costlab and a peer count differently."""

    NOT_A_PRODUCT = auto()  # fvcore adds other operations to its sum
    ATTENTION = auto()  # fvcore has no formula for fused attention
    RECURRENT = auto()  # fvcore has no formula for recurrent layers
    NO_FORMULA = auto()  # fvcore has no formula for this operation
    CUSTOM_FUNCTION = auto()  # fvcore does not look into torch.autograd.Function
    EINSUM = auto()  # fvcore contracts three operands in another order
    CHOSEN_KERNEL = auto()  # FlopCounterMode has no formula for the kernel that torch chose
    GROUPED_GRADIENT = auto()  # FlopCounterMode ignores groups in the weight's gradient
    COMPLEX = auto()  # the peer counts a complex multiply-add as one
    UNKNOWN = auto()  # nothing explains it


@dataclass(frozen=True)
class Difference:
    """`macs`: costlab's count less the peer's, in multiply-adds.

    `subject`: the operation or module path that it is about; `calls`: how often that ran;
    `doubted`: the cause would explain it, but no second peer confirms the number."""

    cause: Cause
    macs: int
    subject: str = ""
    calls: int = 0
    doubted: bool = False

    @property
    def explained(self) -> bool:
        """Whether the cause is known and confirmed."""
        return self.cause is not Cause.UNKNOWN and not self.doubted

    @property
    def what(self) -> str:
        """What is counted differently, in words."""
        return text.what(self)

    @property
    def reason(self) -> str:
        """The cause in words, "" where the difference is not explained."""
        return text.reason(self)


@dataclass(frozen=True)
class Count:
    """One peer: its `total` in MACs and the differences from costlab's.

    `total` is None where the peer could not count; `failed` then says why."""

    peer: str
    version: str
    total: int | None
    differences: tuple[Difference, ...] = ()
    failed: str = ""

    @property
    def agrees(self) -> bool:
        """Equal, or every difference is explained."""
        return self.total is not None and all(d.explained for d in self.differences)


@dataclass(frozen=True)
class Verification(Result):
    """costlab's total in MACs, and each peer's count of the same model and input.

    `coverage`: how many of the operations have a formula, as text; `train`: a training step;
    `caveats`: notes on how the model was built."""

    model: str
    total: int
    counts: tuple[Count, ...]
    coverage: str
    train: bool = False
    caveats: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Every peer that could count agrees, and one could."""
        counted = [c for c in self.counts if c.total is not None]
        return bool(counted) and all(c.agrees for c in counted)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was counted, in words."""
        return text.notes(self)

    @property
    def sheet(self) -> Sheet:
        """A row a peer, then a row a difference."""
        rows: list[dict[str, Any]] = [{"counter": "costlab", "MACs": self.total, "verdict": ""}]
        for count in self.counts:
            rows.append(
                {
                    "counter": f"{count.peer} {count.version}",
                    "MACs": count.total,
                    "verdict": text.verdict(count),
                }
            )
            rows += [
                {
                    "counter": f"  {d.what}",
                    "difference": d.macs,
                    "verdict": d.reason or "not explained",
                }
                for d in count.differences
            ]
        columns = (
            Column("counter"),
            Column("MACs", "MACs"),
            Column("difference", "MACs", format="+,d"),
            Column("verdict"),
        )
        return Sheet(
            f"{self.model}: second counts",
            columns,
            tuple(rows),
            self.notes,
            facts={"agrees": self.agrees},
        )
