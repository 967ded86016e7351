"""Reports: traces in, a document out. A section is a file in `sections`."""

from .._callable import callable_as
from .build import build, build_review
from .config import Config, ReportError, line, read
from .runs import measured
from .sections import SECTIONS

__all__ = ["SECTIONS", "Config", "ReportError", "build", "build_review", "line", "measured", "read"]

callable_as(__name__, "costlab.api:report")
