"""The measured runs that a configuration names."""

from __future__ import annotations

from functools import lru_cache

from ..measure.runs import Run, find_run, load_runs, runs_on
from ..trace import Trace
from .config import Config
from .errors import ReportError


@lru_cache(maxsize=1)
def _runs(folder: str, wanted: str) -> tuple[Run, ...]:
    try:
        return runs_on(load_runs(folder), wanted)
    except ValueError as e:
        raise ReportError(f"measured_on: {e}" if wanted else str(e)) from None


def measured_runs(config: Config) -> tuple[Run, ...]:
    """The measured runs that the configuration names. Raises ReportError for a device, dtype or
    layout that none was measured on."""
    return _runs(config.measured, config.measured_on) if config.measured else ()


def measured(config: Config, name: str) -> Trace | None:
    """The preferred measured trace of a name (`measure.runs`: fp32, NCHW, the smallest batch), or
    None."""
    run = find_run(measured_runs(config), name)
    return run.trace if run else None
