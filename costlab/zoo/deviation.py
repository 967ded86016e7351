"""Where a network of the zoo is not what its paper draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Deviation:
    """`text` says what differs; `built` and `drawn` make one such module as the zoo has it and as
    the paper draws it, for an `input` of that shape, batch first."""

    text: str
    built: Callable[[], nn.Module]
    drawn: Callable[[], nn.Module]
    input: tuple[int, ...]
