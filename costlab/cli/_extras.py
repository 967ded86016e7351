"""The extras of costlab: what each brings, and which packages it takes."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass

from ._errors import UserError


@dataclass(frozen=True)
class Extra:
    """What pip installs as costlab[...]: the modules that are imported, and what is done with
    them."""

    modules: tuple[str, ...]
    brings: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The modules that are not installed."""
        return tuple(name for name in self.modules if not installed(name))


EXTRAS = {
    "charts": Extra(("matplotlib",), "charts as SVG, PDF and PNG"),
    "diagrams": Extra(("matplotlib", "graphviz", "typst"), "diagrams as SVG, PDF, PNG and DOT"),
    "report": Extra(("matplotlib", "typst"), "reports as PDF and HTML"),
    "pandas": Extra(("pandas",), "results as data frames"),
    "parquet": Extra(("pyarrow",), "tables as Parquet"),
    "torchvision": Extra(("torchvision",), "models torchvision:NAME"),
    "timm": Extra(("timm",), "models timm:NAME"),
    "transformers": Extra(("transformers",), "models transformers:CONFIG"),
    "ultralytics": Extra(("ultralytics",), "models ultralytics:NAME"),
    "diffusers": Extra(("diffusers",), "models diffusers:CLASS"),
    "onnx": Extra(("onnx",), "ONNX files, and costs for Netron"),
    "verify": Extra(("fvcore",), "a second count by fvcore"),
    "gpu": Extra(("pynvml",), "clocks, power and temperature of a GPU"),
    "dask": Extra(("distributed",), "sweeps on a Dask cluster"),
    "probe": Extra(("sklearn",), "the gradient probe, on handwritten digits"),
    "yaml": Extra(("yaml",), "ledgers of claims as YAML"),
    "lightning": Extra(("pytorch_lightning",), "the callback for Lightning"),
    "trainer": Extra(
        ("transformers", "accelerate"), "the callback for the Trainer of transformers"
    ),
}


def installed(module: str) -> bool:
    """Whether a module can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def require(extra: str, what: str, modules: Iterable[str] = ()) -> None:
    """Refuse `what`, before any work, where a module is missing: one of `modules`, or of all that
    the extra takes."""
    for module in modules or EXTRAS[extra].modules:
        if not installed(module):
            raise UserError(f"{what} needs {module}; {install(extra)}")


def install(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install 'costlab[{extra}]'"
