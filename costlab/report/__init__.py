"""Reports: traces in, a document out. A section is a file in `sections`."""

from .._callable import callable_as
from .build import build
from .config import Config, ReportError, line, read
from .runs import measured
from .sections import SECTIONS

__all__ = ["SECTIONS", "Config", "ReportError", "build", "line", "measured", "read"]

callable_as(__name__, "costlab.api:report")
