"""What a check found, for the machines that read it: one file a format."""

from collections.abc import Callable

from ...tables.findings import Findings
from .github import github
from .junit import junit
from .sarif import sarif

FINDING_FORMATS: dict[str, Callable[[Findings], str]] = {
    "junit": junit,
    "github": github,
    "sarif": sarif,
}

__all__ = ["FINDING_FORMATS", "github", "junit", "sarif"]
