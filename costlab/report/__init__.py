"""Reports: traces in, a document out. One function a section, in `SECTIONS`."""
from ._build import SECTIONS, ReportError, build
from ._config import Config, read

__all__ = ["SECTIONS", "Config", "ReportError", "build", "read"]
