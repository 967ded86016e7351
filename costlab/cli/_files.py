"""The files that commands write: which suffixes each kind has, and what writing one takes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..render import CHART_FORMATS, DIAGRAM_FORMATS, SUFFIXES
from ._errors import UserError
from ._extras import require


def _any(format: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class FileKind:
    """Files of one kind, such as charts.

    Attributes:
        formats: the suffixes that they may have, without the dot; empty for all but those that
            belong to other files.
        what: what is written, for messages.
        extra: which extra they need; "" for none.
        modules: those that a format needs of the extra.
    """

    formats: tuple[str, ...]
    what: str
    extra: str = ""
    modules: Callable[[str], Sequence[str]] = _any

    def check(self, path: str) -> None:
        """Refuse a path of another format, and a format that cannot be written here."""
        suffix = os.path.splitext(path)[1].removeprefix(".").lower()
        if not self.formats:
            if suffix in _TAKEN:
                raise UserError(
                    f"cannot write {self.what} to {path!r}: .{suffix} is another format; "
                    f"name it {os.path.splitext(path)[0]}.trace"
                )
        elif suffix not in self.formats:
            raise UserError(f"cannot tell the format of {path!r}; name it {_listed(self.formats)}")
        self.require(suffix)

    def require(self, format: str) -> None:
        """Refuse a format that needs what is not installed."""
        if self.extra:
            require(self.extra, f"{self.what} as {format}", self.modules(format))


def _listed(formats: Sequence[str]) -> str:
    *first, last = (f".{name}" for name in formats)
    return f"{', '.join(first)} or {last}" if first else last


def _typeset(format: str) -> Sequence[str]:
    """Fonts are matplotlib's; PDF and PNG are set by typst."""
    if format == "dot":
        return ("graphviz",)
    return ("matplotlib", "typst") if format in ("pdf", "png") else ("matplotlib",)


CHART = FileKind(CHART_FORMATS, "a chart", "charts")
DIAGRAM = FileKind(DIAGRAM_FORMATS, "a diagram", "diagrams", _typeset)
REPORT = FileKind(("pdf", "html"), "a report", "report", _typeset)
TOPIC = FileKind(("html", "svg", "png"), "a topic", "diagrams", _typeset)
TRACE = FileKind((), "a trace")
DEVICE = FileKind(("device",), "a device file")
RECORD = FileKind(("json",), "a record of curves")
JSON = FileKind(("json",), "a file for this tool")
ONNX = FileKind(("onnx",), "a model for Netron", "onnx")
# suffixes that say that a file is no trace
_TAKEN = {
    *(name.removeprefix(".") for name in SUFFIXES if name != ".json"),
    *("svg", "pdf", "png", "gif", "jpg", "jpeg", "dot", "xls", "xlsx"),
    *("py", "onnx", "pt", "pt2", "pth", "safetensors"),
}
# the kind of a file by its option, in every command
OPTIONS = {"diagram": DIAGRAM, "chart": CHART, "roofline": CHART, "record": RECORD}
# every option that names a file to write
FILES = ("output", *OPTIONS, "journal", "junit", "sarif")


def written(args: argparse.Namespace) -> Iterator[tuple[str, FileKind | None]]:
    """The files that a command will write, each with its kind. `writes` of a parser's defaults is
    the kind of its `-o`, or gives it for the arguments; None is for tables, and for files that may
    have any name."""
    writes: FileKind | Callable[[argparse.Namespace], FileKind] | None
    writes = getattr(args, "writes", None)
    kinds = {"output": writes(args) if callable(writes) else writes, **OPTIONS}
    for option in FILES:
        if path := getattr(args, option, None):
            yield path, kinds.get(option)
