"""What an installation has: versions, devices, extras and the terminal."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._defaults import TABLE, DefaultsError, read_defaults
from .._extras import EXTRAS, install, installed
from .._result import Result
from .._version import __version__
from ._arguments import public

if TYPE_CHECKING:
    from ..tables import Sheet

_PACKAGES = ("torch", "numpy", "rich")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: the `part` of the installation that it is of, what was `found`,
    and a `note` on what it is for or how to get it."""

    part: str
    name: str
    found: str
    note: str = ""


@dataclass(frozen=True)
class Doctor(Result):
    """What costlab runs on here."""

    findings: tuple[Finding, ...]

    @property
    def sheet(self) -> Sheet:
        """A row a finding, by part."""
        from ..tables import Column, Sheet

        columns = (Column("part"), Column("name"), Column("found"), Column("note"))
        rows = tuple(
            {"part": f.part, "name": f.name, "found": f.found, "note": f.note}
            for f in self.findings
        )
        missing = sum(f.found.startswith("missing") for f in self.findings)
        are = "is" if missing == 1 else "are"
        said = f"{missing} of these {are} not installed" if missing else "nothing is missing"
        return Sheet("installation", columns, rows, (said,), group="part")


@public
def doctor() -> Doctor:
    """The installation: versions of costlab, Python and packages, devices, which extras are
    installed and how to get the others, the file with defaults of options, and the terminal.
    Nothing is downloaded, and no model is run."""
    return Doctor((*_versions(), *_devices(), *_extras(), *_settings(), *_terminal()))


def _versions() -> Iterator[Finding]:
    yield Finding("versions", "costlab", __version__, os.path.dirname(os.path.dirname(__file__)))
    yield Finding("versions", "Python", platform.python_version(), sys.executable)
    for package in _PACKAGES:
        if installed(package):
            yield Finding("versions", package, importlib.metadata.version(package))
        else:
            yield Finding("versions", package, "missing", f"pip install {package}")


def _devices() -> Iterator[Finding]:
    """The CPU, and each GPU that torch sees."""
    yield Finding("devices", "cpu", platform.processor() or platform.machine(), _cores())
    if not installed("torch"):
        return
    import torch

    if not torch.cuda.is_available():
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else ""
        yield Finding("devices", "cuda", "none", built or "torch is built without CUDA")
    for i in range(torch.cuda.device_count()):
        memory = torch.cuda.mem_get_info(i)[1]
        name = torch.cuda.get_device_name(i)
        yield Finding("devices", f"cuda:{i}", name, f"{memory / 2**30:.1f} GiB of memory")


def _cores() -> str:
    count = os.cpu_count() or 1
    return f"{count} core{'s' if count > 1 else ''}"


def _extras() -> Iterator[Finding]:
    for name, extra in EXTRAS.items():
        if extra.missing:
            found = f"missing {', '.join(extra.missing)}"
            yield Finding("extras", name, found, f"{extra.brings}: {install(name)}")
        else:
            yield Finding("extras", name, "installed", extra.brings)


def _settings() -> Iterator[Finding]:
    """The file with the defaults of options that hold in this folder."""
    name, means = "defaults", f"of options, from [{TABLE}] in a pyproject.toml"
    try:
        yield Finding("settings", name, read_defaults().where or "none", means)
    except DefaultsError as e:
        yield Finding("settings", name, "cannot be read", str(e))


def _terminal() -> Iterator[Finding]:
    columns = shutil.get_terminal_size().columns
    yield Finding("terminal", "width", f"{columns} columns", "tables are fitted to it")
    encoding = sys.stdout.encoding or "unknown"
    yield Finding("terminal", "encoding", encoding)
