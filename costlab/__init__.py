"""costlab: what a neural network costs, and why.

import costlab
t = costlab.trace(model, torch.empty(1, 3, 224, 224))
print(costlab.total(t).macs)
"""

from ._version import __version__

_HOME = {
    "load": "sources",
    "trace": "trace",
    "Trace": "trace",
    "TraceError": "trace",
    "TraceFileError": "trace",
    "cost_of": "cost",
    "total": "cost",
    "formula": "cost",
    "CONVENTIONS": "cost",
    "training": "cost",
    "table": "tables",
}
__all__ = ["__version__", *_HOME]


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'costlab' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"costlab.{_HOME[name]}", "costlab"), name)
