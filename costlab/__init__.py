"""costlab: what a neural network costs, and why.

    import costlab

    trace = costlab.trace(model, torch.empty(1, 3, 224, 224))
    print(costlab.table(trace))
    costlab.total(trace).macs

The public names are those of `costlab.api`. They are imported when one is first used, so that
`import costlab` imports nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .api import *  # noqa: F403 the list of public names stands once, in costlab/api

# packages that are called like the public function of the same name (costlab._callable)
_PACKAGES = ("check", "measure", "report", "trace")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"costlab.{name}")
    if name == "__all__":
        return _public_names()
    if not name.startswith("_") and name in _public_names():
        return getattr(import_module("costlab.api"), name)
    raise AttributeError(f"module 'costlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*_public_names(), *(name for name in globals() if name.startswith("__"))})


def _public_names() -> list[str]:
    return [*import_module("costlab.api").__all__, "__version__"]
