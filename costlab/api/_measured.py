"""What measured traces say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ._arguments import public
from ._models import Model, as_trace

if TYPE_CHECKING:
    from ..analysis.roofline import Roofline
    from ..analysis.savings import TimeSavings
    from ..analysis.times import Times


@public
def roofline(model: Model, *, style: str = "auto", depth: int | None = None) -> Roofline:
    """What a measured run reached of its device's ceilings, block by block.

    Args:
        model: a trace made with `costlab.measure`, or its file.
        style, depth: rows as in `costlab.table`.

    Raises ValueError for a trace that was not measured."""
    from ..analysis.roofline import roofline as run

    return run(as_trace(model, "roofline"), style, depth)


@public
def savings(folder: str | os.PathLike[str], *, of: str = "factorize", on: str = "") -> TimeSavings:
    """MACs saved against time saved, of the rules that a folder of measured traces has both sides
    of.

    Args:
        folder: of `*.trace` files, such as the repository's reports/measurements.
        of: "factorize" or "grid".
        on: words for device, dtype and layout that all traces must have: "h200 fp32".

    Raises ValueError for a folder without such traces, and a word that none has; TraceFileError for
    a file that is not a trace."""
    from ..analysis.savings import time_savings

    return time_savings(folder, of, on)


@public
def times(runs: str | os.PathLike[str] | Sequence[Model], *, on: str = "") -> Times:
    """Multiply-adds and measured time of each run.

    Args:
        runs: a folder of `*.trace` files, or measured traces or their files.
        on: words for device, dtype and layout that all runs of a folder must have: "h200 fp32".

    Raises ValueError for a folder without measured traces, a word that none has, and a trace that
    was not measured; TraceFileError for a file that is not a trace."""
    from ..analysis.times import times as run
    from ..measure.runs import load_runs, runs_on

    if isinstance(runs, (str, os.PathLike)):
        if not os.path.isdir(runs):
            raise ValueError(f"there is no folder {os.fspath(runs)}")
        return run(r.trace for r in runs_on(load_runs(Path(runs)), on))
    if on:
        raise ValueError("`on` chooses among the traces of a folder; leave it out")
    return run([as_trace(model, "times") for model in runs])
