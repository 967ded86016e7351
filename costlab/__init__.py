"""costlab: what a neural network costs, and why.

    import costlab

    trace = costlab.trace(model, torch.empty(1, 3, 224, 224))
    print(costlab.table(trace))
    costlab.total(trace).macs

Every name is imported when it is first used, so that `import costlab` imports nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .api import (
        audit,
        aux,
        bottleneck,
        claims,
        compare,
        diagram,
        diff,
        factorize,
        grid,
        head,
        memory,
        pareto,
        phases,
        probe,
        profile,
        reductions,
        report,
        results,
        roofline,
        rules,
        savings,
        summary,
        table,
        verify,
    )
    from .cost import CONVENTIONS, cost_of, formula, total, training
    from .measure import measure
    from .sources import load
    from .trace import Trace, TraceError, TraceFileError
    from .trace.tracer import trace

__all__ = [
    "CONVENTIONS",
    "Trace",
    "TraceError",
    "TraceFileError",
    "__version__",
    "audit",
    "aux",
    "bottleneck",
    "claims",
    "compare",
    "cost_of",
    "diagram",
    "diff",
    "factorize",
    "formula",
    "grid",
    "head",
    "load",
    "measure",
    "memory",
    "pareto",
    "phases",
    "probe",
    "profile",
    "reductions",
    "report",
    "results",
    "roofline",
    "rules",
    "savings",
    "summary",
    "table",
    "total",
    "trace",
    "training",
    "verify",
]

# where a name is that is not in `costlab.api`
_MODULES = {
    "CONVENTIONS": "cost",
    "Trace": "trace",
    "TraceError": "trace",
    "TraceFileError": "trace",
    "cost_of": "cost",
    "formula": "cost",
    "load": "sources",
    "total": "cost",
    "training": "cost",
}
_PACKAGES = ("measure", "report", "trace")  # packages that are called (costlab._callable)


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"costlab.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'costlab' has no attribute {name!r}")
    return getattr(import_module(f"costlab.{_MODULES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
