"""What a command needs that is not installed, refused before any work."""

from __future__ import annotations

from collections.abc import Iterable

from .._extras import EXTRAS, install, installed
from ._errors import UserError


def require(extra: str, what: str, modules: Iterable[str] = ()) -> None:
    """Refuse `what`, before any work, where a module is missing: one of `modules`, or of all that
    the extra takes."""
    for module in modules or EXTRAS[extra].modules:
        if not installed(module):
            raise UserError(f"{what} needs {module}; {install(extra)}")
