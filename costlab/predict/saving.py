"""What a change saves by prediction, and whether that is decided."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .estimate import Estimate, difference


@dataclass(frozen=True)
class Saving:
    """Predicted times before and after a change."""

    before: Estimate
    after: Estimate

    @cached_property
    def saved(self) -> Estimate | None:
        """Seconds, negative where the change takes longer; None where one side is a bound."""
        return difference(self.before, self.after)

    @property
    def outcome(self) -> Literal["faster", "slower", "not decided"] | None:
        """Which one it is where the 90% interval of `saved` leaves out zero; None of bounds."""
        saved = self.saved
        if saved is None or saved.high is None:
            return None
        if saved.low > 0:
            return "faster"
        return "slower" if saved.high < 0 else "not decided"
