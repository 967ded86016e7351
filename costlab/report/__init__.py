"""Reports: traces in, a document out. One function a section."""

from .._callable import callable_as
from ._build import build, measured
from ._config import Config, ReportError, line, read
from ._sections import SECTIONS

__all__ = ["SECTIONS", "Config", "ReportError", "build", "line", "measured", "read"]

callable_as(__name__, "costlab.api:report")
