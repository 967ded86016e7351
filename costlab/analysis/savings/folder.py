"""The savings in a folder of measured traces, under each set of conditions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..._pictures import Chart, chart
from ..._result import Charted
from ...measure.runs import Run, load_runs, runs_on
from ...tables import Sheet
from .pairs import factorization_savings, grid_savings
from .record import Savings
from .sheets import joined_sheet

_RULES: dict[str, Callable[[Iterable[Run]], tuple[Savings, ...]]] = {
    "factorize": factorization_savings,
    "grid": grid_savings,
}


@dataclass(frozen=True)
class TimeSavings(Charted):
    """MACs saved against time saved; `groups`: one for each device, dtype, layout and input."""

    groups: tuple[Savings, ...]

    chart_kind = "time_savings"

    def chart(self) -> Chart:
        """A panel for each set of conditions. Needs the charts extra."""
        return chart(self.chart_kind, self.groups, numbers=self.sheet)

    @property
    def sheet(self) -> Sheet:
        """A row a rule and set of conditions."""
        return joined_sheet(self.groups)


def time_savings(folder: str | os.PathLike[str], of: str, on: str) -> TimeSavings:
    """The rules `of` "factorize" or "grid" that were measured on both sides; `on`: words such as
    "h200 fp32" that all runs have.

    Raises ValueError for another `of`, a folder that is missing or has no such rule, and a word
    that no run has."""
    if of not in _RULES:
        raise ValueError(f"unknown rules {of!r}; choose {' or '.join(_RULES)}")
    if not os.path.isdir(folder):
        raise ValueError(f"there is no folder {os.fspath(folder)}")
    groups = _RULES[of](runs_on(load_runs(Path(folder)), on))
    if not groups:
        raise ValueError(
            f"{os.fspath(folder)} has no rule that was measured before and after; "
            "run python reports/measure.py"
        )
    return TimeSavings(groups)
