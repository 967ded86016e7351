"""The extras of costlab: what each brings, and which packages it takes."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Generator
from dataclasses import dataclass


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
    "completion": Extra(("shtab",), "completion of commands and options in the shell"),
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


def install(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install 'costlab[{extra}]'"


@contextlib.contextmanager
def extra(name: str, what: str) -> Generator[None]:
    """Where a module of an extra is missing inside, the error says what needs it, and the command
    that installs it. Raises ModuleNotFoundError."""
    try:
        yield
    except ModuleNotFoundError as e:
        if e.name not in EXTRAS[name].modules:
            raise
        raise ModuleNotFoundError(f"{what} needs {e.name}; {install(name)}", name=e.name) from None
