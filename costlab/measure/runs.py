"""A folder of measured traces: which runs it holds, and which of them stands for a model.

Runs are told apart by what is inside the traces (`RunName`), never by the names of the files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..trace import Trace
from .naming import RunName, words

_DTYPES = ("fp32", "tf32", "bf16", "fp16")
_LAYOUTS = ("nchw", "nhwc")


# places of dtype and layout, the sizes of the inputs, the device
Order = tuple[tuple[int, str], tuple[int, str], tuple[int, ...], str]


@dataclass(frozen=True)
class Run:
    """A measured trace and what tells it from the others of its folder."""

    name: RunName
    trace: Trace

    @property
    def conditions(self) -> tuple[str, str, str]:
        """Device, dtype and layout."""
        return self.name.device, self.name.dtype, self.name.layout

    @property
    def order(self) -> Order:
        """Which of several runs of a model comes first: fp32 before smaller dtypes, NCHW before
        NHWC, the smallest batch, then the device by name."""
        name = self.name
        sizes = tuple(int(n) for n in name.inputs.split("x") if n.isdigit())
        return _place(_DTYPES, name.dtype), _place(_LAYOUTS, name.layout), sizes, name.device


def _place(known: tuple[str, ...], word: str) -> tuple[int, str]:
    return (known.index(word) if word in known else len(known)), word


def load_runs(folder: str | Path) -> tuple[Run, ...]:
    """The measured traces of a folder, the preferred ones first. Raises TraceError for a file
    `*.trace` that is not a trace."""
    traces = (Trace.load(file) for file in sorted(Path(folder).glob("*.trace")))
    runs = (Run(RunName.of(trace), trace) for trace in traces if trace.measured)
    return tuple(sorted(runs, key=lambda run: (run.order, run.name.model)))


def runs_on(runs: Iterable[Run], conditions: str) -> tuple[Run, ...]:
    """The runs that all words of `conditions` hold for: "h100", "h200 fp32", "h100 bf16 nhwc".

    Raises ValueError for a word that no run has."""
    runs, wanted = tuple(runs), conditions.lower().split()
    known = {word for run in runs for word in run.conditions}
    for word in wanted:
        if word not in known:
            there = ", ".join(sorted(known)) or "no measured traces"
            raise ValueError(f"no run was measured on {word!r}; there are {there}")
    return tuple(run for run in runs if set(wanted) <= set(run.conditions))


def find_run(runs: Iterable[Run], model: str) -> Run | None:
    """The preferred run of a model; None where it was not measured."""
    return min((r for r in runs if r.name.model == words(model)), key=_order, default=None)


def _order(run: Run) -> Order:
    return run.order
